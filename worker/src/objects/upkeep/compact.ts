import type { EntryState } from '../../core/batch/stance.ts'
import { tryChunks } from '../../core/log/chunk.ts'
import { firstSeq, lastSeq } from '../../core/log/chunk-header.ts'
import { concatenate, type Packed, packChunks } from '../../core/log/rows.ts'
import { SLICE_BYTES } from '../../core/values/limits.ts'
import type { Version } from '../../core/values/version.ts'
import { matches } from '../read/feed.ts'
import { settlePending } from '../space/draft.ts'
import type { Space } from '../space/space.ts'
import type { Pass, SegmentRow } from '../store/pass-rows.ts'
import type { SpaceKeys } from '../store/seal.ts'
import {
  countUnreadable,
  isNewest,
  logUnreadable,
  type OpenedChunk,
  openOne,
  resealWanted,
  unreadable,
} from './opened-chunks.ts'
import { type PassProgress, progressOf } from './pass-progress.ts'

/** A range of the log with its chunks opened. */
interface Slice {
  readonly epoch: string
  readonly rows: readonly SegmentRow[]
  readonly chunks: readonly OpenedChunk[]
  /** The sequence numbers of current versions. */
  readonly live: ReadonlySet<number>
  readonly superseded: number
  readonly unreadable: number
}

/**
 * Rewrites the next range of the log: current versions into rows of their own, all others into the archive, both sealed
 * with the newest master key. Returns null if the space was erased meanwhile.
 *
 * A current version may be superseded during the sealing. It then waits for the next pass. The reverse cannot happen,
 * because no version becomes current again.
 */
export async function compactSlice(space: Space, pass: Pass, now: number): Promise<PassProgress | null> {
  settlePending(space)
  const found = space.store.segments(pass, SLICE_BYTES)
  const rows = readableRows(found)
  const last = rows.at(-1) ?? found[0]
  if (last === undefined) return { pass, isAtEnd: true }
  closeTail(space, last)
  if (rows.length === 0) return skipRow(pass, last)
  const slice = await openSlice(space, rows)
  const keys = await space.keys()
  const progress = progressOf(pass, endOf(last), slice.unreadable)
  if (!isStale(slice, keys)) return progress
  const readable = slice.chunks.filter(({ text }) => text !== null)
  const live = await packLive(keys, slice)
  const replaced = packChunks(await resealWanted(keys, readable, (seq) => !slice.live.has(seq)))
  // Nothing is awaited from here on. Until here, batches were only appended after the slice. An erasure ends the pass.
  if (space.state.epoch !== slice.epoch) return null
  const superseded = Math.max(0, space.state.superseded - slice.superseded)
  space.transaction(() => {
    space.store.replaceSegments(rangeOf(rows), logRows(space, last, { rows, live }))
    space.store.archive(replaced, now)
    space.store.putCounts({ ...space.state, superseded })
  })
  space.state = { ...space.state, superseded }
  return progress
}

/** The rows before the first one that cannot be decoded. */
function readableRows(rows: readonly SegmentRow[]): readonly SegmentRow[] {
  const broken = rows.findIndex(({ body }) => tryChunks(body) === null)
  return broken === -1 ? rows : rows.slice(0, broken)
}

/** Leaves a row that cannot be decoded as it is. */
function skipRow(
  pass: Pass,
  { first, last }: { readonly first: number; readonly last: number },
): PassProgress {
  logUnreadable({ message: 'row unreadable', first, last })
  return progressOf(pass, endOf({ first, last }), 1)
}

/** The end of a row. A broken row may claim to end before it begins, and a pass must never move back. */
function endOf({ first, last }: { readonly first: number; readonly last: number }): number {
  return Math.max(first, last)
}

/** Makes the next batch begin a new row, so that the newest row can be rewritten as well. */
function closeTail(space: Space, { first }: SegmentRow): void {
  if (space.state.tail?.first === first) space.state = { ...space.state, tail: null }
}

async function openSlice(space: Space, rows: readonly SegmentRow[]): Promise<Slice> {
  const { epoch } = space.state
  const found = rows.flatMap((row) => (tryChunks(row.body) ?? []).map((chunk) => ({ row, chunk })))
  const opened = await Promise.all(found.map(({ row, chunk }) => openOne(space, chunk, row)))
  const keys = opened.flatMap(({ versions }) => versions.map(({ key }) => key))
  const states = space.store.entryStates(keys)
  const chunks = opened.map((one) =>
    one.versions.every(matchesEntry(states)) ? one : unreadable(one.chunk, one.row),
  )
  const versions = chunks.flatMap((chunk) => chunk.versions)
  const live = new Set(versions.filter(({ key, seq }) => states.get(key)?.seq === seq).map(({ seq }) => seq))
  const superseded = versions.length - live.size
  return { epoch, rows, chunks, live, superseded, unreadable: countUnreadable(chunks) }
}

/** Whether a version matches the entry row of its key, if it is the current one. */
function matchesEntry(states: ReadonlyMap<string, EntryState>): (version: Version) => boolean {
  return (version) => {
    const entry = states.get(version.key)
    return entry?.seq !== version.seq || matches(version, entry)
  }
}

/** Whether a rewrite changes anything: some version is superseded, or some chunk has an older key or form. */
function isStale({ chunks, superseded }: Slice, { generations: [newest] }: SpaceKeys): boolean {
  return superseded > 0 || chunks.some(({ chunk, text }) => text !== null && !isNewest(chunk, newest))
}

/**
 * Packs the current versions into rows. Consecutive unreadable chunks get a row of their own between their readable
 * neighbours: nothing in such a chunk can be trusted, least of all its sequence numbers.
 */
async function packLive(keys: SpaceKeys, { chunks, live }: Slice): Promise<readonly Packed[]> {
  const rows: Packed[] = []
  for (let start = 0; start < chunks.length; ) {
    const isBroken = chunks[start]?.text === null
    const length = chunks.slice(start).findIndex(({ text }) => (text === null) !== isBroken)
    const run = chunks.slice(start, length === -1 ? undefined : start + length)
    if (isBroken) rows.push(...rowOfBroken(run, chunks[start - 1], chunks[start + run.length]))
    else rows.push(...packChunks(await resealWanted(keys, run, (seq) => live.has(seq))))
    start += run.length
  }
  return rows
}

/** Makes a row of consecutive unreadable chunks, or several if they come from several rows. */
function rowOfBroken(
  run: readonly OpenedChunk[],
  before: OpenedChunk | undefined,
  after: OpenedChunk | undefined,
): readonly Packed[] {
  const rows = [...new Set(run.map(({ row }) => row))]
  return rows.map((row) => {
    const first = before?.row === row ? lastSeq(before.chunk.header) + 1 : row.first
    const last = after?.row === row ? firstSeq(after.chunk.header) - 1 : row.last
    const body = concatenate(run.filter((one) => one.row === row).map(({ chunk }) => chunk.bytes))
    return { first, last, at: row.at, body }
  })
}

function rangeOf(rows: readonly SegmentRow[]): Pick<Packed, 'first' | 'last'> {
  return { first: rows[0]?.first ?? 0, last: rows.at(-1)?.last ?? 0 }
}

/** The new rows of the log. The log keeps its end, even if nothing there is current. */
function logRows(
  { state }: Space,
  { last, entries, at, superseded }: SegmentRow,
  { rows, live }: { rows: readonly SegmentRow[]; live: readonly Packed[] },
): readonly SegmentRow[] {
  const counts = { entries, superseded }
  if (last !== state.seq) return live.map((row) => ({ ...row, ...counts }))
  const end = live.at(-1) ?? { first: rows[0]?.first ?? last, body: new Uint8Array() }
  return [...live.slice(0, -1), { ...end, last, at }].map((row) => ({ ...row, ...counts }))
}
