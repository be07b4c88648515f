import { join } from 'node:path'
import { readJson, writePrivateJson } from '../../cli/private-file.ts'
import { UserError } from '../../cli/user-error.ts'
import { loadAccount, STATE_REMEDY } from '../cloud/account.ts'
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

/** Loads the state. Throws a UserError if it is lost, because `up` would then try to create again what exists. */
export function loadState(folder: string): State {
  const file = join(folder, 'state.json')
  const state = readJson<State>(file, STATE_REMEDY)
  if (state !== undefined) return state
  // A first run that was killed may have written an account without resources only.
  if (loadAccount(folder).namespaces.length === 0) return { resources: [], outputs: {} }
  throw new UserError(`${file} is missing, although the account beside it has resources. ${STATE_REMEDY}`)
}

export function saveState(folder: string, state: State): void {
  writePrivateJson(join(folder, 'state.json'), state)
}
