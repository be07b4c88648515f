import { type Chunk, type ChunkText, chunkTexts } from '../../core/log/chunk.ts'
import type { Origin, Slot } from '../../core/log/chunk-header.ts'
import type { SpaceKeys } from '../store/seal.ts'
import type { ClearChunk } from './recent-changes.ts'

/** Lines of the log, sealed before their sequence numbers are known. */
export interface SealedLines {
  readonly keys: SpaceKeys
  readonly origin: Origin
  readonly texts: readonly ChunkText[]
  readonly sealed: readonly Uint8Array[]
  /** Whether exactly these lines were sealed. */
  holds(lines: readonly string[]): boolean
}

/** Seals the lines of a batch. Null lines are left out. */
export async function sealLines(
  keys: SpaceKeys,
  lines: readonly (string | null)[],
  origin: Origin,
): Promise<SealedLines> {
  const texts = chunkTexts(lines)
  const sealed = await Promise.all(texts.map(({ text }) => keys.seal(text, origin)))
  return {
    keys,
    origin,
    texts,
    sealed,
    holds: (wanted) => wanted.length === lines.length && wanted.every((line, index) => line === lines[index]),
  }
}

/** A chunk, and the text that is sealed in it. */
export type SealedChunk = Chunk & ClearChunk

/** Makes the chunks of the lines that are stored, by their index in the batch. A chunk without any is left out. */
export function chunksOf(
  { keys, origin, texts, sealed }: SealedLines,
  stored: readonly Slot[],
): readonly SealedChunk[] {
  const chunks: SealedChunk[] = []
  // Both the lines of a chunk and the stored changes ascend by their index in the batch.
  let next = 0
  for (const [number, { text, indexes }] of texts.entries()) {
    const slots = []
    for (const [index, line] of indexes.entries()) {
      const change = stored[next]
      if (change === undefined || change.index !== line) continue
      slots.push({ seq: change.seq, previous: change.previous, index, lift: change.lift })
      next += 1
    }
    if (slots.length > 0) chunks.push({ ...keys.chunk(origin, slots, sealed[number] as Uint8Array), text })
  }
  return chunks
}
