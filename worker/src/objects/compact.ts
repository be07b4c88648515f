import { type Chunk, tryChunks, versionsOf } from '../core/chunk.ts'
import { FORM, firstSeq } from '../core/frame.ts'
import { HEADS_AT_ONCE, SLICE_BYTES } from '../core/limits.ts'
import type { Version } from '../core/outcome.ts'
import { concatenate, type Packed, packChunks, partOf } from '../core/repack.ts'
import type { Head } from '../core/settle.ts'
import { agrees } from './feed.ts'
import { openText } from './log.ts'
import type { Keyring } from './seal.ts'
import type { Space } from './space.ts'
import type { ArchiveRow, Pass, SegmentRow } from './upkeep-rows.ts'

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
}

/** How far a pass has come with a step. */
export interface Progress {
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
export async function compactSlice(space: Space, pass: Pass, now: number): Promise<Progress | null> {
  const found = space.store.segments(pass, SLICE_BYTES)
  const rows = readableRows(found)
  const last = rows.at(-1) ?? found[0]
  if (last === undefined) return { pass, isAtEnd: true }
  closeTail(space, last)
  if (rows.length === 0) return passOver(pass, last)
  const slice = await openSlice(space, rows)
  const keys = await space.keys()
  const progress = progressOf(pass, last.last, slice.unreadable)
  if (!isStale(slice, keys)) return progress
  const readable = slice.chunks.filter(({ text }) => text !== null)
  const live = packChunks(await sealParts(keys, slice.chunks, (seq) => slice.live.has(seq)))
  const replaced = packChunks(await sealParts(keys, readable, (seq) => !slice.live.has(seq)))
  // Nothing is awaited from here on. Batches have only been added behind the slice; an erasure ends the pass.
  if (space.standing.epoch !== slice.epoch) return null
  const superseded = Math.max(0, space.standing.superseded - slice.superseded)
  space.transaction(() => {
    space.store.replaceSegments(extentOf(rows), asLog(space, last, { rows, live }))
    space.store.archive(replaced, now)
    space.store.putCounts({ ...space.standing, superseded })
  })
  space.standing = { ...space.standing, superseded }
  return progress
}

function progressOf(pass: Pass, after: number, unreadable: number): Progress {
  return { pass: { ...pass, after, unreadable: pass.unreadable + unreadable }, isAtEnd: after >= pass.to }
}

/** The rows before the first one that is no row of chunks. */
function readableRows(rows: readonly SegmentRow[]): readonly SegmentRow[] {
  const broken = rows.findIndex(({ body }) => tryChunks(body) === null)
  return broken === -1 ? rows : rows.slice(0, broken)
}

/** Leaves a row as it is that cannot be read at all. */
function passOver(pass: Pass, { first, last }: { readonly first: number; readonly last: number }): Progress {
  logUnreadable({ message: 'row unreadable', first, last })
  return progressOf(pass, last, 1)
}

/** Makes the next batch begin a row of its own, so that the newest one can be written anew as well. */
function closeTail(space: Space, { first }: SegmentRow): void {
  if (space.standing.tail?.first === first) space.standing = { ...space.standing, tail: null }
}

async function openSlice(space: Space, rows: readonly SegmentRow[]): Promise<Slice> {
  const { epoch } = space.standing
  const found = rows.flatMap(({ body }) => tryChunks(body) ?? [])
  const opened = await Promise.all(found.map((chunk) => openOne(space, chunk)))
  const heads = headsOf(
    space,
    opened.flatMap(({ versions }) => versions),
  )
  const chunks = opened.map((one) => (one.versions.every(isPromised(heads)) ? one : unreadable(one.chunk)))
  const versions = chunks.flatMap((chunk) => chunk.versions)
  const live = new Set(versions.filter(({ key, seq }) => heads.get(key)?.seq === seq).map(({ seq }) => seq))
  const superseded = versions.length - live.size
  return { epoch, rows, chunks, live, superseded, unreadable: countUnreadable(chunks) }
}

/** A chunk that cannot be read is reported and carried along, so that it can be mended. */
async function openOne(space: Space, chunk: Chunk): Promise<Opened> {
  try {
    const text = await openText(space, chunk)
    return { chunk, text, versions: versionsOf(chunk.frame, text) }
  } catch {
    return unreadable(chunk)
  }
}

function countUnreadable(chunks: readonly Opened[]): number {
  return chunks.filter(({ text }) => text === null).length
}

function unreadable(chunk: Chunk): Opened {
  logUnreadable({ message: 'chunk unreadable', generation: chunk.frame.g, seq: firstSeq(chunk.frame) })
  return { chunk, text: null, versions: [] }
}

function logUnreadable(fields: Readonly<Record<string, string | number>>): void {
  console.error(JSON.stringify({ level: 'error', ...fields }))
}

/** Whether a version is what the head that stands at it says. */
function isPromised(heads: ReadonlyMap<string, Head>): (version: Version) => boolean {
  return (version) => {
    const head = heads.get(version.key)
    return head?.seq !== version.seq || agrees(version, head)
  }
}

function headsOf(space: Space, versions: readonly Version[]): ReadonlyMap<string, Head> {
  const keys = [...new Set(versions.map(({ key }) => key))]
  const heads = new Map<string, Head>()
  for (let start = 0; start < keys.length; start += HEADS_AT_ONCE) {
    for (const [key, head] of space.store.heads(keys.slice(start, start + HEADS_AT_ONCE)))
      heads.set(key, head)
  }
  return heads
}

/** Whether there is anything to gain: a version that is not current, or a chunk of an older key or form. */
function isStale({ chunks, superseded }: Slice, { generations: [newest] }: Keyring): boolean {
  return superseded > 0 || chunks.some(({ chunk, text }) => text !== null && !isNewest(chunk, newest))
}

function isNewest({ frame }: Chunk, generation: number): boolean {
  return frame.g === generation && frame.form === FORM
}

/** The wanted changes of each chunk, as chunks of the same origin. One that stays whole is not sealed again. */
async function sealParts(
  keys: Keyring,
  chunks: readonly Opened[],
  isWanted: (seq: number) => boolean,
): Promise<readonly Chunk[]> {
  const [g] = keys.generations
  const parts = chunks.map(async ({ chunk, text }) => {
    if (text === null) return [chunk]
    const part = partOf(chunk.frame, text, isWanted)
    if (part === null) return []
    if (isNewest(chunk, g) && part.slots.length === chunk.frame.slots.length) return [chunk]
    const { c, b, t, k } = chunk.frame
    const origin = { g, c, b, t, k }
    return [keys.frame(origin, part.slots, await keys.seal(part.text, origin))]
  })
  return (await Promise.all(parts)).flat()
}

/** Seals the next stretch of the archive by the newest master key. Null if the space was erased meanwhile. */
export async function resealArchive(space: Space, pass: Pass): Promise<Progress | null> {
  const rows = space.store.archives(pass.after, SLICE_BYTES)
  const last = rows.at(-1)
  if (last === undefined) return { pass, isAtEnd: true }
  const { epoch } = space.standing
  const keys = await space.keys()
  const resealed = await Promise.all(rows.map((row) => resealRow(space, keys, row)))
  if (space.standing.epoch !== epoch) return null
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

async function resealRow(space: Space, keys: Keyring, { first, last, body }: ArchiveRow): Promise<Resealed> {
  const [newest] = keys.generations
  const chunks = tryChunks(body)
  if (chunks === null) {
    logUnreadable({ message: 'archive row unreadable', first, last })
    return { row: null, unreadable: 1 }
  }
  if (chunks.every((chunk) => isNewest(chunk, newest))) return { row: null, unreadable: 0 }
  const opened = await Promise.all(chunks.map((chunk) => openOne(space, chunk)))
  const sealed = await sealParts(keys, opened, () => true)
  const unreadable = countUnreadable(opened)
  return { row: { first, body: concatenate(sealed.map(({ bytes }) => bytes)) }, unreadable }
}

function extentOf(rows: readonly SegmentRow[]): Pick<Packed, 'first' | 'last'> {
  return { first: rows[0]?.first ?? 0, last: rows.at(-1)?.last ?? 0 }
}

/** The log's rows for what is left. The end of the log stays where it is, even if nothing there is current. */
function asLog(
  { standing }: Space,
  { last, entries, at, superseded }: SegmentRow,
  { rows, live }: { rows: readonly SegmentRow[]; live: readonly Packed[] },
): readonly SegmentRow[] {
  const counts = { entries, superseded }
  if (last !== standing.seq) return live.map((row) => ({ ...row, ...counts }))
  const end = live.at(-1) ?? { first: rows[0]?.first ?? last, body: new Uint8Array() }
  return [...live.slice(0, -1), { ...end, last, at }].map((row) => ({ ...row, ...counts }))
}
