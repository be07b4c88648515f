import { getProject, getStack, type ResourceTransformation } from '@pulumi/pulumi'

/** The former types and names of components. */
const FORMER_COMPONENTS: Readonly<Record<string, string>> = {
  'chronicle-sync:index:ChronicleSync': 'chronicle:infra:SyncWorker::sync',
  'chronicle:infra:MetadataStore': 'chronicle:infra:MetadataStore::metadata',
  'chronicle:infra:Credentials': 'chronicle:infra:Credentials::credentials',
  'chronicle:infra:Endpoint': 'chronicle:infra:Endpoint::endpoint',
}

/** The type of the former parent, and the part before the former name that is not in the new one. */
const FORMER_PARENTS: Readonly<Record<string, readonly [type: string, prefix: string]>> = {
  'cloudflare:index/workersKvNamespace:WorkersKvNamespace': ['chronicle:infra:MetadataStore', 'metadata-'],
  'random:index/randomBytes:RandomBytes': ['chronicle:infra:Credentials', ''],
  'cloudflare:index/workersScript:WorkersScript': ['chronicle:infra:SyncWorker', 'sync-'],
  'cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain': ['chronicle:infra:Endpoint', 'endpoint-'],
  'cloudflare:index/workersCustomDomain:WorkersCustomDomain': ['chronicle:infra:Endpoint', 'endpoint-'],
  'cloudflare:index/workersRoute:WorkersRoute': ['chronicle:infra:Endpoint', 'endpoint-'],
  'cloudflare:index/dnsRecord:DnsRecord': ['chronicle:infra:Endpoint', 'endpoint-'],
}

/**
 * Lets the resources of the `ChronicleSync` with this name continue those that this project registered without it, in
 * version 0.1.0. Remove this once no stack of that version is left.
 */
export function continueFormerNames(component: string): ResourceTransformation {
  return ({ type, name, props, opts }) => {
    const former = formerName(type, name.slice(`${component}-`.length))
    if (former === undefined) return undefined
    return { props, opts: { ...opts, aliases: [`urn:pulumi:${getStack()}::${getProject()}::${former}`] } }
  }
}

/** Everything in the former URN that follows the project. */
function formerName(type: string, own: string): string | undefined {
  const component = FORMER_COMPONENTS[type]
  if (component !== undefined) return component
  const [parent, prefix] = FORMER_PARENTS[type] ?? []
  return parent && `${parent}$${type}::${prefix}${own}`
}
