import { join } from 'node:path'
import { readJson, writePrivateJson } from '../../cli/private-file.ts'
import type { Properties } from './properties.ts'

/** A resource as the engine knows it, like an entry of a Pulumi checkpoint. */
export interface Resource {
  readonly urn: string
  readonly type: string
  readonly name: string
  readonly parent: string
  /** False for components, which have no provider and no id. */
  readonly custom: boolean
  readonly id: string
  readonly protect: boolean
  readonly retainOnDelete: boolean
  readonly dependencies: readonly string[]
  readonly inputs: Properties
  readonly outputs: Properties
}

/** What a stack remembers between two runs. */
export interface State {
  /** In the order of registration, so that what depends comes after what it depends on. */
  readonly resources: readonly Resource[]
  /** Of the last good run. */
  readonly outputs: Properties
}

export function loadState(folder: string): State {
  return readJson<State>(join(folder, 'state.json')) ?? { resources: [], outputs: {} }
}

export function saveState(folder: string, state: State): void {
  writePrivateJson(join(folder, 'state.json'), state)
}
