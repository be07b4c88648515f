// Imports single files of the provider, because its index loads all 700 of its modules.
import { DnsRecord } from '@pulumi/cloudflare/dnsRecord.js'
import { WorkersCustomDomain } from '@pulumi/cloudflare/workersCustomDomain.js'
import { WorkersRoute } from '@pulumi/cloudflare/workersRoute.js'
import { WorkersScriptSubdomain } from '@pulumi/cloudflare/workersScriptSubdomain.js'
import { ComponentResource, type ComponentResourceOptions, type Input } from '@pulumi/pulumi'
import { hostOf } from './names.ts'

/** Address of the proxied DNS record. The record needs one, but no request goes there (RFC 6666, discard prefix). */
const NOWHERE = '100::'

export interface EndpointArgs {
  readonly accountId: string
  readonly scriptName: Input<string>
  readonly workersDev: boolean
  readonly hostname?: string | undefined
  /** A pattern like api.example.com/api/*. */
  readonly route?: string | undefined
  /** Creates a DNS record for the route's host, if no other server has one. */
  readonly routeRecord: boolean
  /** Required for a route. */
  readonly zoneId?: string | undefined
}

/** The entry points: a custom domain, a route, and the workers.dev switch, which is always set to on or off. */
export class Endpoint extends ComponentResource {
  constructor(name: string, args: EndpointArgs, options?: ComponentResourceOptions) {
    super('chronicle:infra:Endpoint', name, {}, options)
    const { accountId, scriptName, hostname, route, zoneId } = args
    new WorkersScriptSubdomain(
      `${name}-workers-dev`,
      { accountId, scriptName, enabled: args.workersDev, previewsEnabled: false },
      { parent: this },
    )
    if (hostname) {
      new WorkersCustomDomain(
        `${name}-domain`,
        { accountId, service: scriptName, hostname, ...(zoneId && { zoneId }) },
        { parent: this, deleteBeforeReplace: true },
      )
    }
    if (route && zoneId) {
      new WorkersRoute(`${name}-route`, { zoneId, pattern: route, script: scriptName }, { parent: this })
    }
    if (route && zoneId && args.routeRecord) {
      new DnsRecord(
        `${name}-record`,
        { zoneId, name: hostOf(route), type: 'AAAA', content: NOWHERE, proxied: true, ttl: 1 },
        { parent: this },
      )
    }
    this.registerOutputs({})
  }
}
