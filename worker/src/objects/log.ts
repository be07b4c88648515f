import { type Chunk, decodeChunks, holds, versionsOf } from '../core/chunk.ts'
import type { Version } from '../core/outcome.ts'
import type { Space } from './space.ts'

/** A stored chunk that does not open, or holds other than its head promised: never passed on as a value. */
export class CorruptionError extends Error {
  override readonly name = 'CorruptionError'
}

/** The versions of a chunk, opened. */
export async function openChunk(space: Space, chunk: Chunk): Promise<readonly Version[]> {
  const keys = await space.keys()
  try {
    return versionsOf(chunk.frame, await keys.open(chunk))
  } catch (cause) {
    throw new CorruptionError(`chunk of ${chunk.frame.s[0]} does not open`, { cause })
  }
}

/** The versions that some sequence numbers stand for. One that the log no longer holds is left out. */
export async function openVersions(space: Space, seqs: Iterable<number>): Promise<Map<number, Version>> {
  const versions = new Map<number, Version>()
  const opened = await Promise.all(chunksOf(space, seqs).map((chunk) => openChunk(space, chunk)))
  for (const version of opened.flat()) versions.set(version.seq, version)
  return versions
}

function chunksOf(space: Space, seqs: Iterable<number>): readonly Chunk[] {
  const chunks = new Set<Chunk>()
  let segment: readonly Chunk[] = []
  let end = 0
  for (const seq of [...new Set(seqs)].sort((a, b) => a - b)) {
    if (seq > end) {
      const row = space.store.segmentAt(seq)
      segment = row === undefined ? [] : decodeChunks(row.body)
      end = row?.last ?? Number.POSITIVE_INFINITY
    }
    const chunk = segment.find(({ frame }) => holds(frame, seq))
    if (chunk !== undefined) chunks.add(chunk)
  }
  return [...chunks]
}
