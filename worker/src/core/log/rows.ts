import { SEGMENT_BYTES } from '../values/limits.ts'
import type { Chunk } from './chunk.ts'
import { type ChunkHeader, firstSeq, lastSeq, type Slot } from './chunk-header.ts'

/** A part of a chunk: some of its changes, with new indexes. */
export interface Part {
  readonly text: string
  readonly slots: readonly Slot[]
}

/** The wanted changes of an opened chunk; null if it has none of them. */
export function partOf(
  { slots }: Pick<ChunkHeader, 'slots'>,
  text: string,
  isWanted: (seq: number) => boolean,
): Part | null {
  const contents: readonly unknown[] = JSON.parse(text)
  const wanted = slots.filter(({ seq }) => isWanted(seq))
  if (wanted.length === 0) return null
  const kept = wanted.map(({ index }) => contents[index])
  return { text: JSON.stringify(kept), slots: wanted.map((slot, index) => ({ ...slot, index })) }
}

/** The chunks of one row. */
export interface Packed {
  readonly first: number
  readonly last: number
  /** When the last of them arrived, ms. */
  readonly at: number
  readonly body: Uint8Array
}

/** Packs chunks, in their order, into rows of at least `SEGMENT_BYTES`. Only the last row may be smaller. */
export function packChunks(chunks: readonly Chunk[]): readonly Packed[] {
  const rows: Packed[] = []
  let open: { chunks: Chunk[]; bytes: number } = { chunks: [], bytes: 0 }
  for (const chunk of chunks) {
    open.chunks.push(chunk)
    open.bytes += chunk.bytes.length
    if (open.bytes < SEGMENT_BYTES) continue
    rows.push(packed(open.chunks))
    open = { chunks: [], bytes: 0 }
  }
  return open.chunks.length === 0 ? rows : [...rows, packed(open.chunks)]
}

function packed(chunks: readonly Chunk[]): Packed {
  const frames = chunks.map(({ header }) => header)
  return {
    first: Math.min(...frames.map(firstSeq)),
    last: Math.max(...frames.map(lastSeq)),
    at: Math.max(...frames.map(({ t }) => t)),
    body: concatenate(chunks.map(({ bytes }) => bytes)),
  }
}

/** Concatenates byte arrays. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}
