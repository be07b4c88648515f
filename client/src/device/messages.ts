import type { Settlement } from '../replica/settlement.ts'
import type { LineStatus } from '../service/status.ts'
import type { Writes } from '../store/store.ts'

/** The rows that a transaction has changed, for the tabs that show them. `keys` is null if anything may have changed. */
export interface Change {
  readonly keys: readonly string[] | null
  readonly settled: readonly Settlement[]
}

/** Messages between the tabs of a store. */
export type Message =
  | { readonly type: 'beat'; readonly status: LineStatus }
  | ({ readonly type: 'written' } & Change)
  | { readonly type: 'retry' }
  | { readonly type: 'gone' }
  | { readonly type: 'lead' }
  | DrainMessage

/** A call of `sync()` in a tab that does not lead, and its answer: `error` says why it failed. */
export type DrainMessage =
  | { readonly type: 'drain'; readonly id: string }
  | { readonly type: 'drained'; readonly id: string; readonly error?: string; readonly code?: string }

/** The keys that a transaction was about. */
export function touchedBy(writes: Writes, keys: readonly string[]): string[] {
  const { entries = [], gone = [], edits = [], outcomes = [] } = writes
  const rows = [...entries, ...edits, ...outcomes]
  return [...new Set([...keys, ...gone, ...rows.map(({ key }) => key)])]
}

/** The part of a status that is the same in all tabs. */
export function lineStatusOf({ online, live, behind, lastSync, obstacle }: LineStatus): LineStatus {
  return { online, live, behind, lastSync, obstacle }
}
