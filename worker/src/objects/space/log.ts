import { type Chunk, decodeChunks, versionsOf } from '../../core/log/chunk.ts'
import { firstSeq, holds } from '../../core/log/chunk-header.ts'
import type { Version } from '../../core/values/version.ts'

import type { Space } from './space.ts'

/** A stored chunk that does not open, or whose content differs from its header or entry row. Never returned as a value. */
export class CorruptionError extends Error {
  override readonly name = 'CorruptionError'
}

/** Opens a chunk and returns its text. */
export async function openText(space: Space, chunk: Chunk): Promise<string> {
  const keys = await space.keys()
  try {
    return await keys.open(chunk)
  } catch (cause) {
    throw new CorruptionError(`the chunk at ${firstSeq(chunk.header)} does not open`, { cause })
  }
}

/** Opens a chunk and returns its versions. */
export async function openChunk(space: Space, chunk: Chunk): Promise<readonly Version[]> {
  const text = await openText(space, chunk)
  try {
    return versionsOf(chunk.header, text)
  } catch (cause) {
    throw new CorruptionError(`the chunk at ${firstSeq(chunk.header)} does not match its header`, { cause })
  }
}

/** Adds up how many bytes of the log were read. Opened chunks are a part of them. */
export interface Meter {
  read: number
}

/** Opens the versions of some sequence numbers. Versions that are no longer kept are left out. */
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

/** Finds the chunks of some versions in the log, or in the archive, where compaction moves superseded versions. */
function chunksOf(space: Space, seqs: Iterable<number>, meter: Meter): readonly Chunk[] {
  const chunks = new Set<Chunk>()
  const archived = archiveFinder(space, meter)
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

/** Finds superseded versions in the archive, whose rows may overlap. Decodes each row once. */
function archiveFinder({ store }: Space, meter: Meter): (seq: number) => Chunk | undefined {
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
