import { type Chunk, decodeChunks, encodeChunk, versionsOf } from '../core/chunk.ts'
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
}

/** What one step of a pass has done. */
export interface Step {
  /** What is left of the pass; null after its end. */
  readonly rest: Pass | null
  /** How many chunks of the stretch could not be read. */
  readonly unreadable: number
}

interface Opened {
  readonly chunk: Chunk
  /** Null for one that cannot be read: it stays as it is. */
  readonly text: string | null
  readonly versions: readonly Version[]
}

/**
 * Writes the next stretch of the log anew: what is current into rows of their own, what is not into the archive,
 * both sealed by the newest master key.
 *
 * What it takes for current may be replaced while it seals: that waits for the next pass. The reverse cannot
 * happen, since no version becomes current again.
 */
export async function compactSlice(space: Space, pass: Pass, now: number): Promise<Step> {
  const rows = space.store.segments(pass, SLICE_BYTES)
  const last = rows.at(-1)
  if (last === undefined) return { rest: null, unreadable: 0 }
  closeTail(space, last)
  const slice = await openSlice(space, rows)
  const keys = await space.keys()
  const rest = last.last < pass.to ? { ...pass, after: last.last } : null
  const readable = slice.chunks.filter(({ text }) => text !== null)
  const unreadable = slice.chunks.length - readable.length
  if (!isStale(slice, keys)) return { rest, unreadable }
  const live = packChunks(await sealParts(keys, slice.chunks, (seq) => slice.live.has(seq)))
  const replaced = packChunks(await sealParts(keys, readable, (seq) => !slice.live.has(seq)))
  // From here on nothing is awaited. Batches have only been added behind the slice; an erasure ends the pass.
  if (space.standing.epoch !== slice.epoch) return { rest: null, unreadable }
  const superseded = Math.max(0, space.standing.superseded - slice.superseded)
  space.transaction(() => {
    space.store.replaceSegments(extentOf(rows), asLog(space, last, { rows, live }))
    space.store.archive(replaced, now)
    space.store.putCounts({ ...space.standing, superseded })
  })
  space.standing = { ...space.standing, superseded }
  return { rest, unreadable }
}

/** Makes the next batch begin a row of its own, so that the newest one can be written anew as well. */
function closeTail(space: Space, { first }: SegmentRow): void {
  if (space.standing.tail?.first === first) space.standing = { ...space.standing, tail: null }
}

async function openSlice(space: Space, rows: readonly SegmentRow[]): Promise<Slice> {
  const { epoch } = space.standing
  const found = rows.flatMap(({ body }) => decodeChunks(body))
  const opened = await Promise.all(found.map((chunk) => openOne(space, chunk)))
  const heads = headsOf(
    space,
    opened.flatMap(({ versions }) => versions),
  )
  const chunks = opened.map((one) => (one.versions.every(isPromised(heads)) ? one : unreadable(one.chunk)))
  const versions = chunks.flatMap((chunk) => chunk.versions)
  const live = new Set(versions.filter(({ key, seq }) => heads.get(key)?.seq === seq).map(({ seq }) => seq))
  return { epoch, rows, chunks, live, superseded: versions.length - live.size }
}

/** What cannot be read is no reason to stop: it is told, and carried along for whoever may mend it. */
async function openOne(space: Space, chunk: Chunk): Promise<Opened> {
  try {
    const text = await openText(space, chunk)
    return { chunk, text, versions: versionsOf(chunk.frame, text) }
  } catch {
    return unreadable(chunk)
  }
}

function unreadable(chunk: Chunk): Opened {
  const [seq] = chunk.frame.s
  console.error(
    JSON.stringify({ level: 'error', message: 'chunk unreadable', generation: chunk.frame.g, seq }),
  )
  return { chunk, text: null, versions: [] }
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

/** Whether there is anything to gain: a version that is not current, or a seal of an older generation. */
function isStale({ chunks, superseded }: Slice, { generations: [newest] }: Keyring): boolean {
  return superseded > 0 || chunks.some(({ chunk, text }) => text !== null && chunk.frame.g !== newest)
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
    if (chunk.frame.g === g && part.s.length === chunk.frame.s.length) return [chunk]
    const { c, b, t, k } = chunk.frame
    const origin = { g, c, b, t, k }
    return [{ frame: { ...origin, s: part.s }, sealed: await keys.seal(part.text, origin) }]
  })
  return (await Promise.all(parts)).flat()
}

/** Seals the next stretch of the archive by the newest master key. */
export async function resealArchive(space: Space, pass: Pass): Promise<Step> {
  const rows = space.store.archives(pass.after, SLICE_BYTES)
  const last = rows.at(-1)
  if (last === undefined) return { rest: null, unreadable: 0 }
  const { epoch } = space.standing
  const keys = await space.keys()
  const anew = await Promise.all(rows.map((row) => resealRow(space, keys, row)))
  const unreadable = anew.reduce((sum, row) => sum + row.unreadable, 0)
  if (space.standing.epoch !== epoch) return { rest: null, unreadable }
  space.transaction(() => {
    for (const { row } of anew) if (row !== null) space.store.replaceArchive(row)
  })
  return { rest: { ...pass, after: last.first }, unreadable }
}

interface Resealed {
  /** Null where there is nothing to gain. */
  readonly row: ArchiveRow | null
  readonly unreadable: number
}

async function resealRow(space: Space, keys: Keyring, { first, body }: ArchiveRow): Promise<Resealed> {
  const [newest] = keys.generations
  const chunks = decodeChunks(body)
  if (chunks.every(({ frame }) => frame.g === newest)) return { row: null, unreadable: 0 }
  const opened = await Promise.all(chunks.map((chunk) => openOne(space, chunk)))
  const sealed = await sealParts(keys, opened, () => true)
  const unreadable = opened.filter(({ text }) => text === null).length
  return { row: { first, body: concatenate(sealed.map(encodeChunk)) }, unreadable }
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
