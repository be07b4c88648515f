import type { EntryState } from '../../core/batch/stance.ts'
import { type Chunk, tryChunks, versionsOf } from '../../core/log/chunk.ts'
import { FORM, firstSeq, lastSeq } from '../../core/log/chunk-header.ts'
import { concatenate, type Packed, packChunks, partOf } from '../../core/log/rows.ts'
import { HEADS_AT_ONCE, SLICE_BYTES } from '../../core/values/limits.ts'
import type { Version } from '../../core/values/version.ts'
import { agrees } from '../read/feed.ts'
import { openText } from '../space/log.ts'
import type { Space } from '../space/space.ts'
import type { ArchiveRow } from '../store/archive-rows.ts'
import type { Pass, SegmentRow } from '../store/pass-rows.ts'
import type { SpaceKeys } from '../store/seal.ts'

/** A stretch of the log with its chunks opened. */
interface Slice {
  readonly epoch: string
  readonly rows: readonly SegmentRow[]
  readonly chunks: readonly Opened[]
  /** The sequence numbers of it that a key stands at. */
  readonly live: ReadonlySet<number>
  readonly superseded: number
  readonly unreadable: number
}

interface Opened {
  readonly chunk: Chunk
  /** Null for one that cannot be read: it stays as it is. */
  readonly text: string | null
  readonly versions: readonly Version[]
  /** The row that it was found in. */
  readonly row: Pick<SegmentRow, 'first' | 'last' | 'at'>
}

/** How far a pass has come with a step. */
export interface PassProgress {
  readonly pass: Pass
  readonly isAtEnd: boolean
}

/**
 * Rewrites the next stretch of the log: current versions into rows of their own, all others into the archive, both
 * sealed by the newest master key. Null if the space was erased meanwhile.
 *
 * A version that it takes for current may be replaced while it seals: that one waits for the next pass. The reverse
 * cannot happen, since no version becomes current again.
 */
export async function compactSlice(space: Space, pass: Pass, now: number): Promise<PassProgress | null> {
  const found = space.store.segments(pass, SLICE_BYTES)
  const rows = readableRows(found)
  const last = rows.at(-1) ?? found[0]
  if (last === undefined) return { pass, isAtEnd: true }
  closeTail(space, last)
  if (rows.length === 0) return passOver(pass, last)
  const slice = await openSlice(space, rows)
  const keys = await space.keys()
  const progress = progressOf(pass, endOf(last), slice.unreadable)
  if (!isStale(slice, keys)) return progress
  const readable = slice.chunks.filter(({ text }) => text !== null)
  const live = await packLive(keys, slice)
  const replaced = packChunks(await sealParts(keys, readable, (seq) => !slice.live.has(seq)))
  // Nothing is awaited from here on. Batches have only been added behind the slice; an erasure ends the pass.
  if (space.state.epoch !== slice.epoch) return null
  const superseded = Math.max(0, space.state.superseded - slice.superseded)
  space.transaction(() => {
    space.store.replaceSegments(extentOf(rows), asLog(space, last, { rows, live }))
    space.store.archive(replaced, now)
    space.store.putCounts({ ...space.state, superseded })
  })
  space.state = { ...space.state, superseded }
  return progress
}

function progressOf(pass: Pass, after: number, unreadable: number): PassProgress {
  return { pass: { ...pass, after, unreadable: pass.unreadable + unreadable }, isAtEnd: after >= pass.to }
}

/** The rows before the first one that is no row of chunks. */
function readableRows(rows: readonly SegmentRow[]): readonly SegmentRow[] {
  const broken = rows.findIndex(({ body }) => tryChunks(body) === null)
  return broken === -1 ? rows : rows.slice(0, broken)
}

/** Leaves a row as it is that cannot be read at all. */
function passOver(
  pass: Pass,
  { first, last }: { readonly first: number; readonly last: number },
): PassProgress {
  logUnreadable({ message: 'row unreadable', first, last })
  return progressOf(pass, endOf({ first, last }), 1)
}

/** A broken row may say that it ends before it begins: a pass never goes back. */
function endOf({ first, last }: { readonly first: number; readonly last: number }): number {
  return Math.max(first, last)
}

/** Makes the next batch begin a row of its own, so that the newest one can be written anew as well. */
function closeTail(space: Space, { first }: SegmentRow): void {
  if (space.state.tail?.first === first) space.state = { ...space.state, tail: null }
}

async function openSlice(space: Space, rows: readonly SegmentRow[]): Promise<Slice> {
  const { epoch } = space.state
  const found = rows.flatMap((row) => (tryChunks(row.body) ?? []).map((chunk) => ({ row, chunk })))
  const opened = await Promise.all(found.map(({ row, chunk }) => openOne(space, chunk, row)))
  const heads = headsOf(
    space,
    opened.flatMap(({ versions }) => versions),
  )
  const chunks = opened.map((one) =>
    one.versions.every(isPromised(heads)) ? one : unreadable(one.chunk, one.row),
  )
  const versions = chunks.flatMap((chunk) => chunk.versions)
  const live = new Set(versions.filter(({ key, seq }) => heads.get(key)?.seq === seq).map(({ seq }) => seq))
  const superseded = versions.length - live.size
  return { epoch, rows, chunks, live, superseded, unreadable: countUnreadable(chunks) }
}

/** A chunk that cannot be read is reported and carried along, so that it can be mended. */
async function openOne(space: Space, chunk: Chunk, row: Opened['row']): Promise<Opened> {
  try {
    const text = await openText(space, chunk)
    const versions = versionsOf(chunk.header, text)
    if (isWithin(chunk, row)) return { chunk, text, versions, row }
  } catch {
    // Reported below.
  }
  return unreadable(chunk, row)
}

/** Whether a chunk may be in a row: a frame of form 1 has no tag that says so. */
function isWithin({ header }: Chunk, { first, last }: Opened['row']): boolean {
  return header.slots.every(({ seq }) => seq >= first && seq <= last)
}

function countUnreadable(chunks: readonly Opened[]): number {
  return chunks.filter(({ text }) => text === null).length
}

function unreadable(chunk: Chunk, row: Opened['row']): Opened {
  logUnreadable({ message: 'chunk unreadable', generation: chunk.header.g, seq: firstSeq(chunk.header) })
  return { chunk, text: null, versions: [], row }
}

function logUnreadable(fields: Readonly<Record<string, string | number>>): void {
  console.error(JSON.stringify({ level: 'error', ...fields }))
}

/** Whether a version is what the head that stands at it says. */
function isPromised(heads: ReadonlyMap<string, EntryState>): (version: Version) => boolean {
  return (version) => {
    const head = heads.get(version.key)
    return head?.seq !== version.seq || agrees(version, head)
  }
}

function headsOf(space: Space, versions: readonly Version[]): ReadonlyMap<string, EntryState> {
  const keys = [...new Set(versions.map(({ key }) => key))]
  const heads = new Map<string, EntryState>()
  for (let start = 0; start < keys.length; start += HEADS_AT_ONCE) {
    for (const [key, head] of space.store.entryStates(keys.slice(start, start + HEADS_AT_ONCE)))
      heads.set(key, head)
  }
  return heads
}

/** Whether there is anything to gain: a version that is not current, or a chunk of an older key or form. */
function isStale({ chunks, superseded }: Slice, { generations: [newest] }: SpaceKeys): boolean {
  return superseded > 0 || chunks.some(({ chunk, text }) => text !== null && !isNewest(chunk, newest))
}

function isNewest({ header }: Chunk, generation: number): boolean {
  return header.g === generation && header.form === FORM
}

/**
 * The rows of the log for what is current. A run of chunks that cannot be read gets a row of its own between its
 * readable neighbours: nothing that such a chunk says of itself may be believed, its numbers least of all.
 */
async function packLive(keys: SpaceKeys, { chunks, live }: Slice): Promise<readonly Packed[]> {
  const rows: Packed[] = []
  for (let start = 0; start < chunks.length; ) {
    const isBroken = chunks[start]?.text === null
    const length = chunks.slice(start).findIndex(({ text }) => (text === null) !== isBroken)
    const run = chunks.slice(start, length === -1 ? undefined : start + length)
    if (isBroken) rows.push(...rowOfBroken(run, chunks[start - 1], chunks[start + run.length]))
    else rows.push(...packChunks(await sealParts(keys, run, (seq) => live.has(seq))))
    start += run.length
  }
  return rows
}

/** One row for broken chunks that follow one another; for each of their rows, if they are of several. */
function rowOfBroken(
  run: readonly Opened[],
  before: Opened | undefined,
  after: Opened | undefined,
): readonly Packed[] {
  const rows = [...new Set(run.map(({ row }) => row))]
  return rows.map((row) => {
    const first = before?.row === row ? lastSeq(before.chunk.header) + 1 : row.first
    const last = after?.row === row ? firstSeq(after.chunk.header) - 1 : row.last
    const body = concatenate(run.filter((one) => one.row === row).map(({ chunk }) => chunk.bytes))
    return { first, last, at: row.at, body }
  })
}

/** The wanted changes of each chunk, as chunks of the same origin. One that stays whole is not sealed again. */
async function sealParts(
  keys: SpaceKeys,
  chunks: readonly Opened[],
  isWanted: (seq: number) => boolean,
): Promise<readonly Chunk[]> {
  const [g] = keys.generations
  const parts = chunks.map(async ({ chunk, text }) => {
    if (text === null) return [chunk]
    const part = partOf(chunk.header, text, isWanted)
    if (part === null) return []
    if (isNewest(chunk, g) && part.slots.length === chunk.header.slots.length) return [chunk]
    const { c, b, t, k } = chunk.header
    const origin = { g, c, b, t, k }
    return [keys.chunk(origin, part.slots, await keys.seal(part.text, origin))]
  })
  return (await Promise.all(parts)).flat()
}

/** Seals the next stretch of the archive by the newest master key. Null if the space was erased meanwhile. */
export async function resealArchive(space: Space, pass: Pass): Promise<PassProgress | null> {
  const rows = space.store.archives(pass.after, SLICE_BYTES)
  const last = rows.at(-1)
  if (last === undefined) return { pass, isAtEnd: true }
  const { epoch } = space.state
  const keys = await space.keys()
  const resealed = await Promise.all(rows.map((row) => resealRow(space, keys, row)))
  if (space.state.epoch !== epoch) return null
  space.transaction(() => {
    for (const { row } of resealed) if (row !== null) space.store.replaceArchive(row)
  })
  const unreadable = resealed.reduce((sum, row) => sum + row.unreadable, 0)
  return progressOf(pass, last.first, unreadable)
}

interface Resealed {
  /** Null where there is nothing to gain. */
  readonly row: Pick<ArchiveRow, 'first' | 'body'> | null
  readonly unreadable: number
}

async function resealRow(
  space: Space,
  keys: SpaceKeys,
  { first, last, body }: ArchiveRow,
): Promise<Resealed> {
  const [newest] = keys.generations
  const chunks = tryChunks(body)
  if (chunks === null) {
    logUnreadable({ message: 'archive row unreadable', first, last })
    return { row: null, unreadable: 1 }
  }
  if (chunks.every((chunk) => isNewest(chunk, newest))) return { row: null, unreadable: 0 }
  const row = { first, last, at: 0 }
  const opened = await Promise.all(chunks.map((chunk) => openOne(space, chunk, row)))
  const sealed = await sealParts(keys, opened, () => true)
  const unreadable = countUnreadable(opened)
  return { row: { first, body: concatenate(sealed.map(({ bytes }) => bytes)) }, unreadable }
}

function extentOf(rows: readonly SegmentRow[]): Pick<Packed, 'first' | 'last'> {
  return { first: rows[0]?.first ?? 0, last: rows.at(-1)?.last ?? 0 }
}

/** The log's rows for what is left. The end of the log stays where it is, even if nothing there is current. */
function asLog(
  { state }: Space,
  { last, entries, at, superseded }: SegmentRow,
  { rows, live }: { rows: readonly SegmentRow[]; live: readonly Packed[] },
): readonly SegmentRow[] {
  const counts = { entries, superseded }
  if (last !== state.seq) return live.map((row) => ({ ...row, ...counts }))
  const end = live.at(-1) ?? { first: rows[0]?.first ?? last, body: new Uint8Array() }
  return [...live.slice(0, -1), { ...end, last, at }].map((row) => ({ ...row, ...counts }))
}
