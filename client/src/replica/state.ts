import type { Found, ReplicaState } from '../store/store.ts'
import { ChronicleError } from '../values/errors.ts'

/** The state of a device that has neither read nor written anything. */
export function newState(clientId: string, now = 0, loggedOut = 0): ReplicaState {
  return {
    born: now,
    loggedOut,
    clientId,
    space: null,
    subject: null,
    epoch: null,
    cursor: null,
    batch: 0,
    outgoing: null,
    reading: 1,
    restart: null,
    nextEdit: idsBefore(now) + 1,
    // Nor are terms: a tab that slept through a logout has none in the store of the next user.
    term: now,
    lastSync: null,
  }
}

/**
 * The ids of a store's edits are greater, and those of the stores before it are not. Ids are not given again: no device
 * makes 1,000 edits in each ms of a store's life.
 */
export function idsBefore(born: number): number {
  return born * 1000
}

/** Takes the state out of what was read. Throws if the browser has cleared the store meanwhile. */
export function stateOf({ state }: Found): ReplicaState {
  if (state === undefined) throw new ChronicleError('cleared', 'the browser has removed the data of this app')
  return state
}

/** Takes the state, if this tab still leads. */
export function stateInTerm(found: Found, term: number): ReplicaState {
  const state = stateOf(found)
  if (state.term !== term) throw deposed()
  return state
}

export function deposed(): ChronicleError {
  return new ChronicleError('deposed', 'another tab talks to the service')
}
