import {
  all,
  ComponentResource,
  type ComponentResourceOptions,
  interpolate,
  type Output,
  secret,
} from '@pulumi/pulumi'
import { RandomBytes } from '@pulumi/random'
import { secretName } from './names.ts'

/** The length of an AES-256 key, and the least of an HMAC-SHA-256 key (RFC 7518, 3.2). */
const KEY_BYTES = 32

export interface CredentialsArgs {
  readonly environment: 'development' | 'production'
  readonly protect: boolean
  /** The live generations of each secret, newest first. */
  readonly masterKeys: readonly number[]
  readonly sessionKeys: readonly number[]
  readonly adminTokens: readonly number[]
  /** Master keys below this generation seal nothing any more. */
  readonly sweptMasterKey: number
  /** The master keys that the last successful run recorded; undefined before the first. */
  readonly recordedMasterKeys: readonly number[] | undefined
}

/** The secrets of a stack. The stack creates them and keeps them in its encrypted state, so nobody types them in. */
export class Credentials extends ComponentResource {
  /** All generations, like `2:<base64> 1:<base64>`. They seal stored data: without its key, data is lost. */
  readonly masterKeys: Output<string>
  /** All generations, in the same form. They sign sessions. */
  readonly sessionKeys: Output<string>
  /** All valid tokens, separated by spaces. */
  readonly adminTokens: Output<string>
  /** The newest token, with which the operator mints and revokes others. Its prefix lets scanners find a leaked one. */
  readonly adminToken: Output<string>

  constructor(name: string, args: CredentialsArgs, options?: ComponentResourceOptions) {
    super('chronicle:infra:Credentials', name, {}, options)
    const { masterKeys, sessionKeys, adminTokens, environment } = args
    const made = { parent: this }
    const prefix = environment === 'production' ? 'adm_prod_' : 'adm_dev_'
    const tokens = adminTokens.map(
      (generation) => interpolate`${prefix}${bytes(`${name}-admin-token`, generation, made).hex}`,
    )
    this.masterKeys = secret(
      joinGenerations(`${name}-master-key`, masterKeys, (generation) => ({
        ...made,
        ...protection(generation, args),
      })),
    )
    this.sessionKeys = secret(joinGenerations(`${name}-session-key`, sessionKeys, () => made))
    this.adminTokens = secret(all(tokens).apply((all) => all.join(' ')))
    this.adminToken = secret(all(tokens).apply(([newest = '']) => newest))
    this.registerOutputs({})
  }
}

/**
 * Protects a master key from being removed from the program. A new key is always protected until a successful run has
 * recorded it, because in a run that fails the script may already have the key and seal with it.
 */
function protection(generation: number, args: CredentialsArgs): ComponentResourceOptions {
  const { protect, sweptMasterKey, recordedMasterKeys } = args
  if (generation < sweptMasterKey) return {}
  const isNew = recordedMasterKeys?.includes(generation) === false
  return { protect: protect || isNew, retainOnDelete: protect }
}

function joinGenerations(
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
