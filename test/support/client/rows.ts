import type {
  Found,
  Outcome,
  QueuedEdit,
  ReplicaState,
  StoredEntry,
} from '../../../client/src/store/store.ts'
import type { FeedEntry, Json } from '../../../client/src/values/wire.ts'

export const STATE: ReplicaState = {
  ...{ clientId: 'me', space: null, subject: null, epoch: null, cursor: null, batch: 0, outgoing: null },
  ...{ reading: 1, restart: null, nextEdit: 1, term: 1, lastSync: null, born: 0, loggedOut: 0 },
}

export function entry(
  key: string,
  value: StoredEntry['value'] = key,
  more: Partial<StoredEntry> = {},
): StoredEntry {
  return { key, value, version: 'e.1', timestamp: 1, reading: 1, ...more }
}

export function edit(id: number, key: string, more: Partial<QueuedEdit> = {}): QueuedEdit {
  return { id, key, value: id, timestamp: id, base: { version: null }, ...more }
}

interface Rows {
  readonly state?: Partial<ReplicaState>
  readonly entries?: readonly StoredEntry[]
  readonly edits?: readonly QueuedEdit[]
  readonly outcomes?: readonly Outcome[]
}

/** What a decision finds in a store. */
export function found({ state, entries = [], edits = [], outcomes = [] }: Rows = {}): Found & {
  readonly state: ReplicaState
} {
  const byKey = new Map(entries.map((one) => [one.key, one]))
  return { state: { ...STATE, ...state }, entries: byKey, edits, outcomes }
}

/** A row of the feed, which is a deletion without a value. */
export function row(
  key: string,
  { version = 'f.1', timestamp = 1, value }: { version?: string; timestamp?: number; value?: Json } = {},
): FeedEntry {
  const content = value === undefined ? { deleted: true } : { value }
  return { key, version, timestamp, by: 'other', ...content } as FeedEntry
}
