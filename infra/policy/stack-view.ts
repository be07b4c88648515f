import type { PolicyResource } from '@pulumi/policy'
import type { Binding } from '../component/bindings.ts'
import { secretName } from '../component/names.ts'
import type { Release } from '../component/release.ts'

/**
 * The parts of a stack that the policies look at. In a preview some values are not known yet, and a policy that reads
 * one is skipped, so each policy reads only what it must.
 */
export interface StackView {
  readonly production: boolean
  readonly scripts: readonly Script[]
  /** Resources that cannot be recreated: the namespaces, the scripts with their objects, the master keys. */
  readonly stores: readonly PolicyResource[]
  /** The workers.dev switches that are on. */
  readonly openSwitches: readonly PolicyResource[]
  /** The record of this run: the output `release` of the service. */
  readonly release: Partial<Release> | undefined
}

export interface Script {
  readonly bindings: readonly Binding[]
  readonly assets?: { readonly directory: string; readonly config?: { readonly headers?: string } }
  readonly observability?: {
    readonly enabled?: boolean
    readonly headSamplingRate?: number
    readonly logs?: { readonly enabled?: boolean; readonly invocationLogs?: boolean }
  }
}

const SERVICE = 'chronicle-sync:index:ChronicleSync'
const SCRIPT = 'cloudflare:index/workersScript:WorkersScript'
const NAMESPACE = 'cloudflare:index/workersKvNamespace:WorkersKvNamespace'
const SWITCH = 'cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain'
const BYTES = 'random:index/randomBytes:RandomBytes'

export function viewOf(resources: readonly PolicyResource[]): StackView {
  const ofType = (type: string) => resources.filter((resource) => resource.type === type)
  const bytes = ofType(BYTES)
  // bindings.ts and index.ts create these inputs and outputs, and so guarantee their shapes.
  const scripts = ofType(SCRIPT).map(({ props }) => props as Script)
  const release: Partial<Release> | undefined = ofType(SERVICE)[0]?.props.release
  const retired = retiredKeys(release)
  return {
    scripts,
    production: scripts.some(({ bindings }) => bindings.some(isProduction)),
    stores: [
      ...ofType(NAMESPACE),
      ...ofType(SCRIPT),
      ...bytes.filter(({ name }) => isMasterKey(name) && !retired.some((key) => name.endsWith(key))),
    ],
    openSwitches: ofType(SWITCH).filter(({ props }) => props.enabled === true),
    release,
  }
}

function isMasterKey(name: string): boolean {
  return /-master-key(-\d+)?$/.test(name)
}

/** The ends of the names of the master keys that seal nothing any more. */
function retiredKeys({ masterKeys = [], sweptMasterKey = 0 }: Partial<Release> = {}): readonly string[] {
  return masterKeys
    .filter((generation) => generation < sweptMasterKey)
    .map((generation) => secretName('-master-key', generation))
}

function isProduction(binding: Binding): boolean {
  return binding.name === 'ENVIRONMENT' && binding.text === 'production'
}
