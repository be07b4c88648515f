import { type Chunk, decodeChunks, versionsOf } from '../core/chunk.ts'
import { HEADS_AT_ONCE, SLICE_BYTES } from '../core/limits.ts'
import type { Version } from '../core/outcome.ts'
import { type Packed, packChunks, partOf } from '../core/repack.ts'
import type { Head } from '../core/settle.ts'
import { isCurrent } from './feed.ts'
import { openText } from './log.ts'
import type { Keyring } from './seal.ts'
import type { Space } from './space.ts'
import type { Pass, SegmentRow } from './upkeep-rows.ts'

/** A stretch of the log with its chunks opened. */
interface Slice {
  readonly epoch: string
  readonly rows: readonly SegmentRow[]
  readonly chunks: readonly Opened[]
  /** The sequence numbers of it that a key stands at. */
  readonly live: ReadonlySet<number>
  readonly superseded: number
}

interface Opened {
  readonly chunk: Chunk
  readonly text: string
  readonly versions: readonly Version[]
}

/**
 * Writes the next stretch of the log anew: what is current into rows of their own, what is not into the archive,
 * both sealed by the newest master key. What is left of the pass; null after its end.
 *
 * What it takes for current may be replaced while it seals: that waits for the next pass. The reverse cannot
 * happen, since no version becomes current again.
 */
export async function compactSlice(space: Space, pass: Pass, now: number): Promise<Pass | null> {
  const rows = space.store.segments(pass, SLICE_BYTES)
  const last = rows.at(-1)
  if (last === undefined) return null
  closeTail(space, last)
  const slice = await openSlice(space, rows)
  const keys = await space.keys()
  const rest = last.last < pass.to ? { after: last.last, to: pass.to } : null
  if (!isStale(slice, keys)) return rest
  const live = packChunks(await sealParts(keys, slice, (seq) => slice.live.has(seq)))
  const replaced = packChunks(await sealParts(keys, slice, (seq) => !slice.live.has(seq)))
  // From here on nothing is awaited. Batches have only been added behind the slice; an erasure ends the pass.
  if (space.standing.epoch !== slice.epoch) return null
  const superseded = Math.max(0, space.standing.superseded - slice.superseded)
  space.transaction(() => {
    space.store.replaceSegments(extentOf(rows), asLog(space, last, { rows, live }))
    space.store.archive(replaced, now)
    space.store.putCounts({ ...space.standing, superseded })
  })
  space.standing = { ...space.standing, superseded }
  return rest
}

/** Makes the next batch begin a row of its own, so that the newest one can be written anew as well. */
function closeTail(space: Space, { first }: SegmentRow): void {
  if (space.standing.tail?.first === first) space.standing = { ...space.standing, tail: null }
}

async function openSlice(space: Space, rows: readonly SegmentRow[]): Promise<Slice> {
  const { epoch } = space.standing
  const chunks = await Promise.all(
    rows
      .flatMap(({ body }) => decodeChunks(body))
      .map(async (chunk) => {
        const text = await openText(space, chunk)
        return { chunk, text, versions: versionsOf(chunk.frame, text) }
      }),
  )
  const versions = chunks.flatMap((chunk) => chunk.versions)
  const heads = headsOf(space, versions)
  const current = versions.filter((version) => isCurrent(version, heads))
  const live = new Set(current.map(({ seq }) => seq))
  return { epoch, rows, chunks, live, superseded: versions.length - live.size }
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
  return superseded > 0 || chunks.some(({ chunk }) => chunk.frame.g !== newest)
}

/** The wanted changes of each chunk, as chunks of the same origin. One that stays whole is not sealed again. */
async function sealParts(
  keys: Keyring,
  { chunks }: Slice,
  isWanted: (seq: number) => boolean,
): Promise<readonly Chunk[]> {
  const [g] = keys.generations
  const parts = chunks.map(async ({ chunk, text }) => {
    const part = partOf(chunk.frame, text, isWanted)
    if (part === null) return []
    if (chunk.frame.g === g && part.s.length === chunk.frame.s.length) return [chunk]
    const { c, b, t, k } = chunk.frame
    const origin = { g, c, b, t, k }
    return [{ frame: { ...origin, s: part.s }, sealed: await keys.seal(part.text, origin) }]
  })
  return (await Promise.all(parts)).flat()
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
