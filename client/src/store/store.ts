import type { Conflict, Json } from '../values/wire.ts'

/** The newest version of an entry that this device has read. */
export interface StoredEntry {
  readonly key: string
  readonly value: Json
  readonly version: string
  /** By the clock of the space, ms since 1970. */
  readonly timestamp: number
  /** The reading of the feed that brought it. A reading from the start has a number of its own. */
  readonly reading: number
}

/**
 * The base of an edit: a version (`null`: no entry), or in a space that was erased or restored a value or nothing.
 * A `blind` edit names nothing.
 */
export type Base =
  | { readonly version: string | null }
  | { readonly value: Json }
  | { readonly none: true }
  | { readonly blind: true }

/** An edit that the service has not answered. */
export interface QueuedEdit {
  /** Ascends in the order of the edits. */
  readonly id: number
  readonly key: string
  /** Absent in a deletion. */
  readonly value?: Json
  /** By the clock of this device, ms since 1970. */
  readonly timestamp: number
  readonly base: Base
  /** The value that the user edited; absent if there was no entry. */
  readonly before?: Json
  /** The edit repeats a version of a space that was set back, so `timestamp` is by the clock of the space (RE3). */
  readonly repeats?: true
  /** The user saw another version than the edit before this one made, so the base is never replaced. */
  readonly pinned?: true
  /** The edit decides this open conflict. */
  readonly resolves?: Choice
}

/** The decision of an open conflict. */
export interface Choice {
  readonly conflict: Conflict
  readonly choice: 'winner' | 'loser' | 'value'
}

/** Why an edit needs attention: the service refused it, or it lost, or the space of its version is gone. */
export type TroubleStatus = 'rejected' | 'superseded' | 'conflict' | 'orphaned'

/** An edit that was answered, and that the user may want to see. It stays until it is dismissed. */
export interface Outcome {
  readonly id: number
  readonly key: string
  readonly status: TroubleStatus
  readonly edit: QueuedEdit
  /** The code of a rejection. */
  readonly code?: string
  /** The place of the fault in the value, a JSON pointer. */
  readonly path?: string
  /** The conflict as the service told it. */
  readonly conflict?: Conflict
}

/** A batch that may have reached the service. It is sent unchanged until it is answered. */
export interface Outgoing {
  readonly number: number
  readonly edits: readonly number[]
}

/** The knowledge of a device of itself and of its space. */
export interface ReplicaState {
  /** When the store was made, ms since 1970. */
  readonly born: number
  /** When a user of this store last logged out, ms since 1970; 0 if never. */
  readonly loggedOut: number
  readonly clientId: string
  /** The space and the subject whose data the store holds; null before the first session. */
  readonly space: string | null
  readonly subject: string | null
  readonly epoch: string | null
  readonly cursor: string | null
  /** The number of the last batch that was answered. */
  readonly batch: number
  readonly outgoing: Outgoing | null
  readonly reading: number
  /** Set while the feed is read from its start: older entries are still shown, and are dropped or offered at its end. */
  readonly restart: 'drop' | 'offer' | 'ask' | null
  readonly nextEdit: number
  /** Grows whenever a tab begins to lead. A tab of an older term must not write what the service answers. */
  readonly term: number
  /** When the service last answered, ms since 1970 by the clock of this device. */
  readonly lastSync: number | null
}

/** The rows that a transaction reads. */
export interface Wanted {
  /** Entries, edits and outcomes of these keys. */
  readonly keys?: readonly string[]
  /** Entries, edits and outcomes of all keys that begin with this text. */
  readonly prefix?: string
  /** Edits with these ids. */
  readonly ids?: readonly number[]
  /** The first edits of the queue. */
  readonly first?: number
  /** All edits. */
  readonly edits?: true
  /** All outcomes. */
  readonly outcomes?: true
}

export interface Found {
  /** Undefined in an empty store. */
  readonly state: ReplicaState | undefined
  readonly entries: ReadonlyMap<string, StoredEntry>
  /** In the order of their ids, each once. */
  readonly edits: readonly QueuedEdit[]
  readonly outcomes: readonly Outcome[]
}

export interface Writes {
  readonly state?: ReplicaState
  readonly entries?: readonly StoredEntry[]
  /** Keys of entries to remove. */
  readonly gone?: readonly string[]
  readonly edits?: readonly QueuedEdit[]
  /** Ids of edits to remove. */
  readonly answered?: readonly number[]
  readonly outcomes?: readonly Outcome[]
  /** Ids of outcomes to remove. */
  readonly dismissed?: readonly number[]
}

/**
 * Holds the copy and the queue of a device. All tabs of a browser share one. A failed transaction leaves everything
 * as it was.
 */
export interface Store {
  /** Whether edits survive a reload: `memory` does not. */
  readonly kind: 'indexeddb' | 'memory' | (string & {})
  read(wanted: Wanted): Promise<Found>
  /** Reads and writes in one transaction. `decide` is synchronous, and may throw to change nothing. */
  update<T extends Writes>(wanted: Wanted, decide: (found: Found) => T): Promise<T>
  /** Counts the rows. */
  count(): Promise<{ readonly entries: number; readonly edits: number; readonly outcomes: number }>
  /** Is called once if the browser takes the store away while it is open. */
  onLost(listener: () => void): void
  close(): Promise<void>
  /** Removes everything and keeps this state, in one transaction. */
  reset(state: ReplicaState): Promise<void>
}
