import { type Chunk, decodeChunks, versionsOf } from '../../core/log/chunk.ts'
import { firstSeq, holds } from '../../core/log/chunk-header.ts'
import type { Version } from '../../core/values/version.ts'

import type { Space } from './space.ts'

/** A stored chunk that does not open, or holds other than its head promised: never passed on as a value. */
export class CorruptionError extends Error {
  override readonly name = 'CorruptionError'
}

/** The text of a chunk, opened. */
export async function openText(space: Space, chunk: Chunk): Promise<string> {
  const keys = await space.keys()
  try {
    return await keys.open(chunk)
  } catch (cause) {
    throw new CorruptionError(`chunk of ${firstSeq(chunk.header)} does not open`, { cause })
  }
}

/** The versions of a chunk, opened. */
export async function openChunk(space: Space, chunk: Chunk): Promise<readonly Version[]> {
  const text = await openText(space, chunk)
  try {
    return versionsOf(chunk.header, text)
  } catch (cause) {
    throw new CorruptionError(`chunk of ${firstSeq(chunk.header)} is not what its frame says`, { cause })
  }
}

/** Adds up how much of the log was read, bytes. What is opened is a part of it. */
export interface Meter {
  read: number
}

/** The versions that some sequence numbers stand for. One that is no longer kept is left out. */
export async function openVersions(
  space: Space,
  seqs: Iterable<number>,
  meter: Meter = { read: 0 },
): Promise<Map<number, Version>> {
  const versions = new Map<number, Version>()
  const opened = await Promise.all(chunksOf(space, seqs, meter).map((chunk) => openChunk(space, chunk)))
  for (const version of opened.flat()) versions.set(version.seq, version)
  return versions
}

/** From the log, or from the archive where a pass has put what is superseded. */
function chunksOf(space: Space, seqs: Iterable<number>, meter: Meter): readonly Chunk[] {
  const chunks = new Set<Chunk>()
  const archived = archiveOf(space, meter)
  let segment: readonly Chunk[] = []
  let end = 0
  for (const seq of [...new Set(seqs)].sort((a, b) => a - b)) {
    if (seq > end) {
      const row = space.store.segmentAt(seq)
      segment = row === undefined ? [] : decodeChunks(row.body)
      end = row?.last ?? Number.POSITIVE_INFINITY
      meter.read += row?.body.length ?? 0
    }
    const chunk = segment.find(({ header }) => holds(header, seq)) ?? archived(seq)
    if (chunk !== undefined) chunks.add(chunk)
  }
  return [...chunks]
}

/** Finds superseded versions in the archive, whose rows may overlap; each row is decoded once. */
function archiveOf({ store }: Space, meter: Meter): (seq: number) => Chunk | undefined {
  const rows = new Map<number, readonly Chunk[]>()
  return (seq) => {
    for (const { first, body } of store.archivesOf(seq)) {
      meter.read += body.length
      const chunks = rows.get(first) ?? decodeChunks(body)
      rows.set(first, chunks)
      const chunk = chunks.find(({ header }) => holds(header, seq))
      if (chunk !== undefined) return chunk
    }
    return undefined
  }
}
