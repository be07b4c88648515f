import {
  all,
  ComponentResource,
  type ComponentResourceOptions,
  interpolate,
  type Output,
  secret,
} from '@pulumi/pulumi'
import { RandomBytes } from '@pulumi/random'
import { secretName } from '../program/names.ts'

/** As long as an AES-256 key and as an HMAC-SHA-256 key should be (RFC 7518, 3.2). */
const KEY_BYTES = 32

export interface CredentialsArgs {
  readonly environment: 'development' | 'production'
  readonly protect: boolean
  /** The live generations of each secret, the newest first. */
  readonly masterKeys: readonly number[]
  readonly sessionKeys: readonly number[]
  readonly adminTokens: readonly number[]
  /** Master keys below it seal nothing any more. */
  readonly sweptMasterKey: number
  /** The master keys that the last good run has recorded; undefined before the first. */
  readonly recordedMasterKeys: readonly number[] | undefined
}

/** The secrets of a stack: made by it, kept in its encrypted state, typed in by nobody. */
export class Credentials extends ComponentResource {
  /** A ring like `2:<base64> 1:<base64>`. They seal what is stored: whoever loses one loses data. */
  readonly masterKeys: Output<string>
  /** A ring as well. They sign sessions. */
  readonly sessionKeys: Output<string>
  /** All that count, separated by spaces. */
  readonly adminTokens: Output<string>
  /** The operator's way to mint and revoke tokens; the prefix lets scanners find a leaked one. */
  readonly adminToken: Output<string>

  constructor(name: string, args: CredentialsArgs, options?: ComponentResourceOptions) {
    super('chronicle:infra:Credentials', name, {}, options)
    const { masterKeys, sessionKeys, adminTokens, environment } = args
    const made = { parent: this }
    const prefix = environment === 'production' ? 'adm_prod_' : 'adm_dev_'
    const tokens = adminTokens.map(
      (generation) => interpolate`${prefix}${bytes('admin-token', generation, made).hex}`,
    )
    this.masterKeys = secret(
      ring('master-key', masterKeys, (generation) => ({ ...made, ...keeping(generation, args) })),
    )
    this.sessionKeys = secret(ring('session-key', sessionKeys, () => made))
    this.adminTokens = secret(all(tokens).apply((all) => all.join(' ')))
    this.adminToken = secret(all(tokens).apply(([newest = '']) => newest))
    this.registerOutputs({})
  }
}

/**
 * What is protected cannot be taken out of the program. A new key always is, until a good run has recorded it: in one
 * that fails the script may have got it and sealed with it all the same.
 */
function keeping(generation: number, args: CredentialsArgs): ComponentResourceOptions {
  const { protect, sweptMasterKey, recordedMasterKeys } = args
  if (generation < sweptMasterKey) return {}
  const isNew = recordedMasterKeys?.includes(generation) === false
  return { protect: protect || isNew, retainOnDelete: protect }
}

function ring(
  role: string,
  generations: readonly number[],
  optionsOf: (generation: number) => ComponentResourceOptions,
): Output<string> {
  const links = generations.map(
    (generation) => interpolate`${generation}:${bytes(role, generation, optionsOf(generation)).base64}`,
  )
  return all(links).apply((all) => all.join(' '))
}

function bytes(role: string, generation: number, options: ComponentResourceOptions): RandomBytes {
  return new RandomBytes(secretName(role, generation), { length: KEY_BYTES }, options)
}
