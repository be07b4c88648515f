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

/**
 * Decodes the column `pending`. If it was changed and is not such rows any more, nothing of the space can be read or
 * written, but the object starts, so that the space can be erased.
 */
export function decodePending(text: string | null): PendingRows {
  if (text === null) return NONE_PENDING
  const encoded = tryParse(text)
  if (!isEncoded(encoded)) return UNREADABLE
  const [entryRows, clientRows] = encoded
  return {
    entries: new Map(entryRows.map((row) => [row[0], toEntryState(row)])),
    records: new Map(clientRows.map((row) => [row[0], toClientRecord(row)])),
  }
}

const UNREADABLE: PendingRows = {
  get entries(): never {
    throw new Error('the pending rows of the space are unreadable')
  },
  get records(): never {
    throw new Error('the pending rows of the space are unreadable')
  },
}

/** Whether the column held such rows. If not, no entry and no client can be looked up. */
export function isReadable(pending: PendingRows): boolean {
  return pending !== UNREADABLE
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The columns of both tables by their types, as the tables themselves enforce them. */
const COLUMNS = [
  ['string', 'integer', 'integer', 'integer', 'string', 'integer', 'integer'],
  ['string', 'string', 'integer', 'hex', 'integer', 'integer', 'string', 'integer'],
] as const

function isEncoded(found: unknown): found is Encoded {
  if (!Array.isArray(found) || found.length !== COLUMNS.length) return false
  return COLUMNS.every((types, table) => {
    const rows: unknown = found[table]
    return Array.isArray(rows) && rows.every((row) => isRow(row, types))
  })
}

function isRow(row: unknown, types: readonly ('string' | 'integer' | 'hex')[]): boolean {
  if (!Array.isArray(row) || row.length !== types.length) return false
  return types.every((type, column) => {
    const cell: unknown = row[column]
    if (type === 'integer') return Number.isSafeInteger(cell)
    return typeof cell === 'string' && (type === 'string' || /^([0-9a-f]{2})*$/.test(cell))
  })
}

type Encoded = readonly [entries: readonly EntryRow[], clients: readonly ClientRow[]]
