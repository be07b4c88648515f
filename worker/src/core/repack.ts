import { type Chunk, encodeChunk, type Frame, lastSeq } from './chunk.ts'
import { SEGMENT_BYTES } from './limits.ts'

/** A part of a chunk: some of its changes, at places of their own. */
export interface Part {
  readonly text: string
  /** As in a frame. */
  readonly s: readonly number[]
}

/** The changes of an opened chunk whose sequence numbers are wanted; null if there are none. */
export function partOf(
  { s }: Pick<Frame, 's'>,
  text: string,
  isWanted: (seq: number) => boolean,
): Part | null {
  const contents: readonly unknown[] = JSON.parse(text)
  const kept: unknown[] = []
  const places: number[] = []
  for (let place = 0; place < s.length; place += 3) {
    const [seq = 0, previous = 0, index = 0] = s.slice(place, place + 3)
    if (!isWanted(seq)) continue
    places.push(seq, previous, kept.length)
    kept.push(contents[index])
  }
  return kept.length === 0 ? null : { text: JSON.stringify(kept), s: places }
}

/** A row's worth of chunks. */
export interface Packed {
  readonly first: number
  readonly last: number
  /** When the last of them arrived, ms. */
  readonly at: number
  readonly body: Uint8Array
}

/** Puts chunks, in their order, into rows of at least `SEGMENT_BYTES`; only the last one may be smaller. */
export function packChunks(chunks: readonly Chunk[]): readonly Packed[] {
  const rows: Packed[] = []
  let open: { chunks: Chunk[]; bytes: number } = { chunks: [], bytes: 0 }
  for (const chunk of chunks) {
    open.chunks.push(chunk)
    open.bytes += chunk.sealed.length
    if (open.bytes < SEGMENT_BYTES) continue
    rows.push(packed(open.chunks))
    open = { chunks: [], bytes: 0 }
  }
  return open.chunks.length === 0 ? rows : [...rows, packed(open.chunks)]
}

function packed(chunks: readonly Chunk[]): Packed {
  const frames = chunks.map(({ frame }) => frame)
  return {
    first: frames[0]?.s[0] ?? 0,
    last: Math.max(...frames.map(lastSeq)),
    at: Math.max(...frames.map(({ t }) => t)),
    body: concatenate(chunks.map(encodeChunk)),
  }
}

/** Several byte strings as one. */
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
