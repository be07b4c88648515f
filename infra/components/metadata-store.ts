import { WorkersKvNamespace } from '@pulumi/cloudflare'
import { ComponentResource, type ComponentResourceOptions, type Output } from '@pulumi/pulumi'

export interface MetadataStoreArgs {
  readonly accountId: string
  readonly title: string
  readonly protect: boolean
}

/** The KV namespace with the API tokens' records and the configuration. */
export class MetadataStore extends ComponentResource {
  readonly namespaceId: Output<string>

  constructor(name: string, args: MetadataStoreArgs, options?: ComponentResourceOptions) {
    super('chronicle:infra:MetadataStore', name, {}, options)
    const namespace = new WorkersKvNamespace(
      `${name}-namespace`,
      { accountId: args.accountId, title: args.title },
      { parent: this, protect: args.protect, retainOnDelete: args.protect },
    )
    this.namespaceId = namespace.id
    this.registerOutputs({ namespaceId: this.namespaceId })
  }
}
