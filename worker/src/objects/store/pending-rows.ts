import { MAX_PENDING_ROWS, SMALL_VERDICTS } from '../../core/values/limits.ts'
import { type ClientRecord, type ClientRow, toClientRecord, toClientRow } from './client-rows.ts'
import { type EntriesByName, type EntryRow, toEntryRow, toEntryState } from './entry-rows.ts'

/**
 * Rows that are not in their tables yet: entries by name, and records by client. While the newest row of the log takes
 * chunks, a column of it holds these rows, so that a small batch writes one row and not three. They go into their tables
 * together, once the log row is full.
 */
export interface PendingRows {
  readonly entries: EntriesByName
  readonly records: ReadonlyMap<string, ClientRecord>
}

export const NONE_PENDING: PendingRows = { entries: new Map(), records: new Map() }

export function isPending({ entries, records }: PendingRows): boolean {
  return entries.size > 0 || records.size > 0
}

/** Whether rows may stay pending. Each batch writes all of them again, so many of them cost more than their tables. */
export function isSmall({ entries, records }: PendingRows): boolean {
  if (entries.size + records.size > MAX_PENDING_ROWS) return false
  return [...records.values()].every(({ verdicts }) => verdicts.length <= SMALL_VERDICTS)
}

/** The rows as JSON: the column `pending` of the log. */
export function encodePending({ entries, records }: PendingRows): string {
  const entryRows = Array.from(entries, ([name, entry]) => toEntryRow(name, entry))
  return JSON.stringify([entryRows, Array.from(records.values(), toClientRow)] satisfies Encoded)
}

export function decodePending(text: string | null): PendingRows {
  if (text === null) return NONE_PENDING
  const [entryRows, clientRows] = JSON.parse(text) as Encoded
  return {
    entries: new Map(entryRows.map((row) => [row[0], toEntryState(row)])),
    records: new Map(clientRows.map((row) => [row[0], toClientRecord(row)])),
  }
}

type Encoded = readonly [entries: readonly EntryRow[], clients: readonly ClientRow[]]
