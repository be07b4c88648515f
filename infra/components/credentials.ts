import {
  ComponentResource,
  type ComponentResourceOptions,
  interpolate,
  type Output,
  secret,
} from '@pulumi/pulumi'
import { RandomBytes } from '@pulumi/random'

/** As long as an AES-256 key and as an HMAC-SHA-256 key should be (RFC 7518, 3.2). */
const KEY_BYTES = 32

export interface CredentialsArgs {
  readonly environment: 'development' | 'production'
  readonly protect: boolean
}

/** The secrets of a stack: made once, kept in its encrypted state, typed in by nobody. */
export class Credentials extends ComponentResource {
  /** Base64. Seals what is stored: whoever loses it loses the data. */
  readonly masterKey: Output<string>
  /** Base64. Signs sessions. */
  readonly sessionKey: Output<string>
  /** The operator's way to mint and revoke tokens; the prefix lets scanners find a leaked one. */
  readonly adminToken: Output<string>

  constructor(name: string, args: CredentialsArgs, options?: ComponentResourceOptions) {
    super('chronicle:infra:Credentials', name, {}, options)
    const kept = { parent: this, protect: args.protect, retainOnDelete: args.protect }
    const masterKey = new RandomBytes('master-key', { length: KEY_BYTES }, kept)
    const sessionKey = new RandomBytes('session-key', { length: KEY_BYTES }, kept)
    const adminToken = new RandomBytes('admin-token', { length: KEY_BYTES }, kept)
    const prefix = args.environment === 'production' ? 'adm_prod_' : 'adm_dev_'
    this.masterKey = secret(masterKey.base64)
    this.sessionKey = secret(sessionKey.base64)
    this.adminToken = secret(interpolate`${prefix}${adminToken.hex}`)
    this.registerOutputs({})
  }
}
