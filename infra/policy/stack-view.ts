import type { PolicyResource } from '@pulumi/policy'
import type { Binding } from '../program/bindings.ts'
import type { Release } from '../program/migrations.ts'
import { secretName } from '../program/names.ts'

/**
 * What the policies look at, of all that a stack registers. In a preview some values are not known yet, and a
 * policy that reads one is skipped: only what must be looked at is read.
 */
export interface StackView {
  readonly production: boolean
  readonly scripts: readonly Script[]
  /** What cannot be made again: the namespaces, the scripts with their objects, the master keys. */
  readonly stores: readonly PolicyResource[]
  /** The switches of workers.dev that are on. */
  readonly openSwitches: readonly PolicyResource[]
  /** What this run would leave behind. */
  readonly release: Partial<Release> | undefined
}

export interface Script {
  readonly bindings: readonly Binding[]
  readonly observability?: {
    readonly enabled?: boolean
    readonly headSamplingRate?: number
    readonly logs?: { readonly enabled?: boolean; readonly invocationLogs?: boolean }
  }
}

const SCRIPT = 'cloudflare:index/workersScript:WorkersScript'
const NAMESPACE = 'cloudflare:index/workersKvNamespace:WorkersKvNamespace'
const SWITCH = 'cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain'
const BYTES = 'random:index/randomBytes:RandomBytes'

export function viewOf(resources: readonly PolicyResource[]): StackView {
  const ofType = (type: string) => resources.filter((resource) => resource.type === type)
  const bytes = ofType(BYTES)
  // The program's own inputs and outputs: their shapes are what bindings.ts and index.ts make.
  const scripts = ofType(SCRIPT).map(({ props }) => props as Script)
  const release: Partial<Release> | undefined = ofType('pulumi:pulumi:Stack')[0]?.props.release
  const retired = retiredKeys(release)
  return {
    scripts,
    production: scripts.some(({ bindings }) => bindings.some(isProduction)),
    stores: [
      ...ofType(NAMESPACE),
      ...ofType(SCRIPT),
      ...bytes.filter(({ name }) => name.startsWith('master-key') && !retired.includes(name)),
    ],
    openSwitches: ofType(SWITCH).filter(({ props }) => props.enabled === true),
    release,
  }
}

/** The master keys that seal nothing any more, by their logical names. */
function retiredKeys({ masterKeys = [], sweptMasterKey = 0 }: Partial<Release> = {}): readonly string[] {
  return masterKeys
    .filter((generation) => generation < sweptMasterKey)
    .map((generation) => secretName('master-key', generation))
}

function isProduction(binding: Binding): boolean {
  return binding.name === 'ENVIRONMENT' && binding.text === 'production'
}
