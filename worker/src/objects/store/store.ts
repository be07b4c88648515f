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
import { type RevocationRows, revocationRows } from './revocation-rows.ts'
import { type SegmentRows, segmentRows } from './segment-rows.ts'

/** Where a space stands: read once when its object wakes, then kept in step with every commit. */
export interface SpaceState {
  readonly epoch: string
  /** Cursors below it cannot be continued: tombstones up to here have been collected. */
  readonly floor: number
  /** When all that the space held was erased, ms; 0 if it never was. What was issued before is void. */
  readonly erasedAt: number
  /** The last sequence number given out. */
  readonly seq: number
  /** Live entries. */
  readonly entries: number
  /** Versions in the log that are no longer current: a pass takes them out. */
  readonly superseded: number
  /** How many of these the last pass left behind. */
  readonly left: number
  /** When the last change was stored, ms; null before the first. */
  readonly lastSync: number | null
  /** The newest segment, which takes further chunks while it is small. */
  readonly tail: { readonly first: number; readonly bytes: number } | null
  /** The export that the space was or is being filled with; null for most. */
  readonly imported: Progress | null
}

/** The rows of a space. Synchronous throughout; the caller says what is one transaction. */
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
  /** How much storage all the rows take; less again once some were deleted. */
  bytes(): number
}

type TailRow = {
  first: number
  last: number
  entries: number
  superseded: number
  at: number
  body: ArrayBuffer
}

/** Rows go by the names of their keys. */
export function sqliteStore(sql: SqlStorage, names: KeyNames): Store {
  return {
    state: () => readStanding(sql),
    bytes: () => sql.databaseSize,
    ...segmentRows(sql),
    ...entryRows(sql, names),
    ...clientRows(sql),
    ...conflictRows(sql),
    ...revocationRows(sql),
    ...passRows(sql),
    ...archiveRows(sql),
    ...ageingRows(sql),
    ...importRows(sql, names),
  }
}

function readStanding(sql: SqlStorage): SpaceState {
  const rows = sql.exec<{ name: string; value: SqlStorageValue }>('SELECT name, value FROM meta')
  const meta = new Map(Array.from(rows, ({ name, value }) => [name, value]))
  const [tail] = sql
    .exec<TailRow>(
      'SELECT first, last, entries, superseded, at, body FROM segment ORDER BY first DESC LIMIT 1',
    )
    .toArray()
  return {
    epoch: String(meta.get('epoch')),
    floor: Number(meta.get('floor')),
    erasedAt: Number(meta.get('erased-at') ?? 0),
    seq: tail?.last ?? 0,
    entries: tail?.entries ?? 0,
    superseded: tail?.superseded ?? 0,
    left: passesIn(meta.get('passes')).last.left,
    lastSync: tail?.at ?? null,
    tail:
      tail !== undefined && isWhole(tail.body) ? { first: tail.first, bytes: tail.body.byteLength } : null,
    imported: importedIn(meta),
  }
}

/** Whether a row can be read on to its end: a chunk behind a broken one would be lost. */
function isWhole(body: ArrayBuffer): boolean {
  return body.byteLength >= SEGMENT_BYTES || tryChunks(new Uint8Array(body)) !== null
}
