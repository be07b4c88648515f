import type { Progress } from '../../core/feed/import-plan.ts'
import { tryChunks } from '../../core/log/chunk.ts'
import { SEGMENT_BYTES } from '../../core/values/limits.ts'
import { type AgeingRows, ageingRows } from './ageing-rows.ts'
import { type ArchiveRows, archiveRows } from './archive-rows.ts'
import { type ClientRows, clientRows } from './client-rows.ts'
import { type ConflictRows, conflictRows } from './conflict-rows.ts'
import { type EntryRows, entryRows } from './entry-rows.ts'
import { type ImportRows, importedIn, importRows } from './import-rows.ts'
import type { KeyNames } from './key-names.ts'
import { type PassRows, passesIn, passRows } from './pass-rows.ts'
import { decodePending, type PendingRows } from './pending-rows.ts'
import { type RevocationRows, revocationRows } from './revocation-rows.ts'
import { type SegmentRows, segmentRows } from './segment-rows.ts'

/** The state of a space: read once when its object wakes, then updated after every commit. */
export interface SpaceState {
  readonly epoch: string
  /** Cursors below the floor cannot be continued: tombstones up to it have been deleted. */
  readonly floor: number
  /** When the space was last erased, ms; 0 if never. Sessions and tokens issued before are void. */
  readonly erasedAt: number
  /** The last sequence number in use. */
  readonly seq: number
  /** Live entries. */
  readonly entries: number
  /** Versions in the log that are no longer current. A compaction pass moves them to the archive. */
  readonly superseded: number
  /** How many superseded versions the last pass left in the log. */
  readonly left: number
  /** When the last pass ended, ms; null before the first. */
  readonly lastUpkeep: number | null
  /** When the last change was stored, ms; null before the first. */
  readonly lastSync: number | null
  /** The newest segment, which takes more chunks while it is small. */
  readonly tail: { readonly first: number; readonly bytes: number } | null
  /** The rows of entries and clients that the newest segment holds, laid over those in the tables. */
  readonly pending: PendingRows
  /** The progress of the import into this space; null if there was none. */
  readonly imported: Progress | null
}

/** The rows of a space. All methods are synchronous. Transactions are up to the caller. */
export interface Store
  extends SegmentRows,
    EntryRows,
    ClientRows,
    ConflictRows,
    RevocationRows,
    PassRows,
    ArchiveRows,
    AgeingRows,
    ImportRows {
  state(): SpaceState
  /** How much storage all rows take, bytes. It shrinks when rows are deleted. */
  bytes(): number
}

type TailRow = {
  first: number
  last: number
  entries: number
  superseded: number
  at: number
  body: ArrayBuffer
  pending: string | null
}

/** `pending` gives the pending rows of the current state. */
export function sqliteStore(sql: SqlStorage, keyNames: KeyNames, pending: () => PendingRows): Store {
  return {
    state: () => readState(sql),
    bytes: () => sql.databaseSize,
    ...segmentRows(sql),
    ...entryRows(sql, keyNames, () => pending().entries),
    ...clientRows(sql, () => pending().records),
    ...conflictRows(sql),
    ...revocationRows(sql),
    ...passRows(sql),
    ...archiveRows(sql),
    ...ageingRows(sql),
    ...importRows(sql),
  }
}

function readState(sql: SqlStorage): SpaceState {
  const rows = sql.exec<{ name: string; value: SqlStorageValue }>('SELECT name, value FROM meta')
  const meta = new Map(Array.from(rows, ({ name, value }) => [name, value]))
  const [tail] = sql
    .exec<TailRow>(
      'SELECT first, last, entries, superseded, at, body, pending FROM segment ORDER BY first DESC LIMIT 1',
    )
    .toArray()
  const { at, left } = passesIn(meta.get('passes')).last
  return {
    epoch: String(meta.get('epoch')),
    floor: Number(meta.get('floor')),
    erasedAt: Number(meta.get('erased-at') ?? 0),
    seq: tail?.last ?? 0,
    entries: tail?.entries ?? 0,
    superseded: tail?.superseded ?? 0,
    left,
    lastUpkeep: at || null,
    lastSync: tail?.at ?? null,
    tail:
      tail !== undefined && isWhole(tail.body) ? { first: tail.first, bytes: tail.body.byteLength } : null,
    pending: decodePending(tail?.pending ?? null),
    imported: importedIn(meta),
  }
}

/** Whether every chunk of a row can be decoded: a chunk appended after a broken one would be lost. */
function isWhole(body: ArrayBuffer): boolean {
  return body.byteLength >= SEGMENT_BYTES || tryChunks(new Uint8Array(body)) !== null
}
