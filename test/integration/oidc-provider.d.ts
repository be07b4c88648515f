declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http'

  /** As far as a test uses it. */
  export default class Provider {
    constructor(issuer: string, configuration: object)
    callback(): RequestListener
  }
}
