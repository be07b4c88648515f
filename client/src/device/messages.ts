import type { Settlement } from '../replica/settlement.ts'
import type { LineStatus } from '../service/status.ts'
import type { Writes } from '../store/store.ts'

/** What a transaction has changed, for the tabs that show it. `keys` is null if anything may have changed. */
export interface Change {
  readonly keys: readonly string[] | null
  readonly settled: readonly Settlement[]
}

/** What the tabs of a store tell each other. */
export type Message =
  | { readonly type: 'beat'; readonly status: LineStatus }
  | ({ readonly type: 'written' } & Change)
  | { readonly type: 'retry' | 'gone' }
  | { readonly type: 'drain'; readonly id: string }
  | { readonly type: 'drained'; readonly id: string; readonly error?: string }

/** The keys that a transaction was about. */
export function touchedBy(writes: Writes, keys: readonly string[]): string[] {
  const { entries = [], gone = [], edits = [], outcomes = [] } = writes
  const rows = [...entries, ...edits, ...outcomes]
  return [...new Set([...keys, ...gone, ...rows.map(({ key }) => key)])]
}

/** The part of a status that is the same in all tabs. */
export function lineStatusOf({ online, live, behind, obstacle }: LineStatus): LineStatus {
  return { online, live, behind, obstacle }
}
