import { join } from 'node:path'
import { readJson, writePrivateJson } from '../../cli/private-file.ts'
import type { Properties } from './properties.ts'

/** A resource in the state, like an entry of a Pulumi checkpoint. */
export interface Resource {
  readonly urn: string
  readonly type: string
  readonly name: string
  readonly parent: string
  /** False for components, which have neither provider nor id. */
  readonly custom: boolean
  readonly id: string
  readonly protect: boolean
  readonly retainOnDelete: boolean
  readonly dependencies: readonly string[]
  readonly inputs: Properties
  readonly outputs: Properties
}

/** The state of a stack between two runs. */
export interface State {
  /** In the order of registration, so that dependents come after their dependencies. */
  readonly resources: readonly Resource[]
  /** The outputs of the last successful run. */
  readonly outputs: Properties
}

export function loadState(folder: string): State {
  return readJson<State>(join(folder, 'state.json')) ?? { resources: [], outputs: {} }
}

export function saveState(folder: string, state: State): void {
  writePrivateJson(join(folder, 'state.json'), state)
}
