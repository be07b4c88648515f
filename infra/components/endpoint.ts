import { WorkersCustomDomain, WorkersScriptSubdomain } from '@pulumi/cloudflare'
import {
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  interpolate,
  type Output,
} from '@pulumi/pulumi'

export interface EndpointArgs {
  readonly accountId: string
  readonly scriptName: Input<string>
  readonly workersDev: boolean
  readonly hostname: string | undefined
  readonly zoneId: string | undefined
}

/** The ways in: the custom domain, and the workers.dev switch, which is always set, on or off. */
export class Endpoint extends ComponentResource {
  readonly url: Output<string>

  constructor(name: string, args: EndpointArgs, options?: ComponentResourceOptions) {
    super('chronicle:infra:Endpoint', name, {}, options)
    const { accountId, scriptName, hostname, zoneId } = args
    const subdomain = new WorkersScriptSubdomain(
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
    // No data source gives the account's own workers.dev name, so it stays a placeholder.
    this.url = hostname
      ? interpolate`https://${hostname}`
      : interpolate`https://${subdomain.scriptName}.<account>.workers.dev`
    this.registerOutputs({ url: this.url })
  }
}
