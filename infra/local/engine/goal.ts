import type { Properties } from './properties.ts'
import type { Resource } from './state.ts'

/** A resource that the program wants. */
export interface Goal {
  readonly type: string
  readonly name: string
  readonly parent: string
  readonly custom: boolean
  readonly inputs: Properties
  readonly protect: boolean
  readonly retainOnDelete: boolean
  readonly deleteBeforeReplace: boolean
  readonly dependencies: readonly string[]
  /** Names of computed outputs that are secrets. */
  readonly secretOutputs: readonly string[]
  /** URNs that the resource had before. */
  readonly aliases: readonly string[]
}

export const STACK_TYPE = 'pulumi:pulumi:Stack'

/** Converts a goal to a resource without the id and the outputs of its provider. */
export function toResource(goal: Goal, names: { project: string; stack: string }): Resource {
  const { type, name, parent, custom, protect, retainOnDelete, dependencies, inputs } = goal
  const kept = { type, name, parent, custom, protect, retainOnDelete, dependencies, inputs }
  return { ...kept, urn: urnOf(goal, names), id: '', outputs: {} }
}

function urnOf({ type, name, parent }: Goal, names: { project: string; stack: string }): string {
  const parentType = parent.split('::')[2]
  const path = parentType && parentType !== STACK_TYPE ? `${parentType}$${type}` : type
  return `urn:pulumi:${names.stack}::${names.project}::${path}::${name}`
}
