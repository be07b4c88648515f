import { WorkersKvNamespace } from '@pulumi/cloudflare/workersKvNamespace.js'
import { ComponentResource, type ComponentResourceOptions, type Output } from '@pulumi/pulumi'

export interface MetadataStoreArgs {
  readonly accountId: string
  readonly title: string
  /** Jurisdiction of the namespace, or undefined for none. Must never change: a change creates an empty namespace. */
  readonly jurisdiction: string | undefined
  readonly protect: boolean
}

/** The KV namespace with the records of API tokens and the configuration. */
export class MetadataStore extends ComponentResource {
  readonly namespaceId: Output<string>

  constructor(name: string, args: MetadataStoreArgs, options?: ComponentResourceOptions) {
    super('chronicle:infra:MetadataStore', name, {}, options)
    const { accountId, title, jurisdiction } = args
    const namespace = new WorkersKvNamespace(
      `${name}-namespace`,
      { accountId, title, ...(jurisdiction && { jurisdiction }) },
      { parent: this, protect: args.protect, retainOnDelete: args.protect },
    )
    this.namespaceId = namespace.id
    this.registerOutputs({ namespaceId: this.namespaceId })
  }
}
