import { UserError } from '../../cli/user-error.ts'
import { type Diff, diffOf } from './diff.ts'
import type { Goal } from './goal.ts'
import { type Properties, reveal, secretOf } from './properties.ts'
import { type Cloud, PROVIDERS, type Provider } from './providers.ts'
import type { Resource } from './state.ts'

export interface Applied {
  readonly diff: Diff
  readonly id: string
  readonly outputs: Properties
}

/** Predicts the operation and the known values of a resource. Throws if no provider would carry the operation out. */
export function previewGoal(cloud: Cloud, goal: Goal, old: Resource | undefined): Applied {
  const provider = providerOf(goal.type)
  provider.check?.(cloud, clear(goal.inputs))
  const diff = diffOf(old, goal.inputs, provider.replaceOn)
  if (old?.protect && diff.operation === 'replace') {
    const forced = diff.changes.filter(({ replaces }) => replaces).map(({ path }) => path)
    throw new Error(`it is protected and would be replaced (${forced.join(', ')})`)
  }
  if (!old || diff.operation === 'replace') return { diff, id: '', outputs: goal.inputs }
  const computed = diff.operation === 'update' ? (provider.computed ?? []) : []
  return { diff, id: old.id, outputs: { ...without(outputsOf(old), computed), ...goal.inputs } }
}

/** The outputs that the provider has added to the inputs. */
function outputsOf({ inputs, outputs }: Resource): Properties {
  return without(outputs, Object.keys(inputs))
}

function without(properties: Properties, keys: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !keys.includes(key)))
}

/**
 * Creates, updates or replaces a resource in the cloud. A replacement without `deleteBeforeReplace` leaves the old
 * resource, which the caller deletes after the run has succeeded.
 */
export function applyGoal(cloud: Cloud, goal: Goal, old: Resource | undefined): Applied {
  const { diff, ...known } = previewGoal(cloud, goal, old)
  const provider = providerOf(goal.type)
  const inputs = clear(goal.inputs)
  if (old && diff.operation === 'same') return { diff, ...known }
  if (old && diff.operation === 'update') {
    const computed = provider.update?.(cloud, inputs, old.id)
    return { diff, id: old.id, outputs: { ...outputsOf(old), ...goal.inputs, ...computed } }
  }
  if (old && goal.deleteBeforeReplace) provider.delete(cloud, old.id, clear(old.inputs))
  const { id, outputs } = provider.create(cloud, inputs)
  return { diff, id, outputs: { ...goal.inputs, ...asSecret(outputs, goal.secretOutputs) } }
}

/** Deletes a resource that the program no longer wants from the cloud, unless it must be retained. */
export function removeResource(cloud: Cloud, { type, id, inputs, custom, retainOnDelete }: Resource): void {
  if (custom && !retainOnDelete) providerOf(type).delete(cloud, id, clear(inputs))
}

/** Throws if the resource is protected. */
export function checkRemoval({ name, protect }: Resource): void {
  if (!protect) return
  throw new UserError(`${name} is protected and would be deleted. Unprotect it first (the setting protect)`)
}

/** Replaces secrets by their plain values. */
export function clear(properties: Properties): Properties {
  // `reveal` keeps the shape of the object and changes only the values inside.
  return reveal(properties) as Properties
}

function providerOf(type: string): Provider {
  const provider = PROVIDERS[type]
  if (!provider)
    throw new Error(`the embedded cloud has no ${type}. Add it to infra/local/engine/providers.ts`)
  return provider
}

function asSecret(outputs: Properties, names: readonly string[]): Properties {
  const entries = Object.entries(outputs)
  return Object.fromEntries(
    entries.map(([key, value]) => [key, names.includes(key) ? secretOf(value) : value]),
  )
}
