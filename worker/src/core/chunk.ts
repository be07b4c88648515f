import { type Clock, effectiveTime } from './clock.ts'
import type { Json } from './json.ts'
import { CHUNK_LENGTH } from './limits.ts'
import type { Version } from './outcome.ts'

/**
 * A chunk of the log: changes of one batch, sealed together. In front of the sealed content stands a clear
 * frame that says where each stored change belongs, so that sealing need not wait for the decision, and so
 * that compaction can leave gaps.
 *
 * Bytes: length of the frame (u32, big endian), length of the content (u32), frame (JSON), content.
 */
export interface Chunk {
  readonly frame: Frame
  readonly sealed: Uint8Array
}

/** What is known of a chunk without a key. Short names, because every chunk carries them. */
export interface Frame {
  /** Generation of the key that sealed the content. */
  readonly g: number
  /** The client and its batch number; null where it numbers none. */
  readonly c: string
  readonly b: number | null
  /** When the batch arrived, and the skew of its client's clock; ms. */
  readonly t: number
  readonly k: number
  /** Flat triples: sequence number, the version it replaced, place in the content. */
  readonly s: readonly number[]
}

/** The part of a frame that the seal binds: a chunk moved to another batch or clock does not open. */
export type Origin = Omit<Frame, 's'>

/** The text of a chunk before it is sealed, and which of the batch's lines it holds. */
export interface ChunkDraft {
  readonly text: string
  readonly indexes: readonly number[]
}

/** Parts a batch into chunks short enough that reading one entry stays cheap. A line that is null is left out. */
export function draftChunks(lines: readonly (string | null)[]): readonly ChunkDraft[] {
  const drafts: { parts: string[]; indexes: number[]; length: number }[] = []
  for (const [index, line] of lines.entries()) {
    if (line === null) continue
    let last = drafts.at(-1)
    if (last === undefined || last.length + line.length > CHUNK_LENGTH) {
      last = { parts: [], indexes: [], length: 0 }
      drafts.push(last)
    }
    last.parts.push(line)
    last.indexes.push(index)
    last.length += line.length
  }
  return drafts.map(({ parts, indexes }) => ({ text: `[${parts.join(',')}]`, indexes }))
}

type Content = readonly [
  key: string,
  timestamp: number,
  base: unknown,
  deleted: 0 | 1,
  value?: Json,
  paths?: readonly string[],
]

/** The stored changes of an opened chunk, as versions. Throws where its frame is none for this content. */
export function versionsOf(frame: Frame, text: string): readonly Version[] {
  const contents = JSON.parse(text) as readonly Content[]
  if (!isFrameOf(contents.length, frame)) throw new RangeError('the frame does not fit the content')
  const clock: Clock = { now: frame.t, skew: frame.k }
  const versions: Version[] = []
  for (let place = 0; place < frame.s.length; place += 3) {
    const content = contents[frame.s[place + 2] as number] as Content
    const [key, timestamp, , deleted, value, paths = []] = content
    const at = effectiveTime(timestamp, clock)
    const seq = frame.s[place] as number
    const previous = frame.s[place + 1] as number
    versions.push({ seq, previous, key, by: frame.c, at, deleted: deleted === 1, value, paths })
  }
  return versions
}

/** Numbers and places ascend, and what was replaced is older: the seal does not bind them, so they are checked. */
function isFrameOf(count: number, { s }: Frame): boolean {
  let [last, next] = [0, 0]
  for (let at = 0; at < s.length; at += 3) {
    const [seq, previous, place] = [s[at], s[at + 1], s[at + 2]] as [number, number, number]
    // Said so that what is no number at all is none either.
    if (!(seq > last && previous < seq && place >= next && place < count)) return false
    last = seq
    next = place + 1
  }
  return true
}

const LENGTHS_BYTES = 8
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function encodeChunk({ frame, sealed }: Chunk): Uint8Array {
  const header = encoder.encode(JSON.stringify(frame))
  const bytes = new Uint8Array(LENGTHS_BYTES + header.length + sealed.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, header.length)
  view.setUint32(4, sealed.length)
  bytes.set(header, LENGTHS_BYTES)
  bytes.set(sealed, LENGTHS_BYTES + header.length)
  return bytes
}

/** The chunks of a segment, in order. Throws on bytes that no segment holds. */
export function decodeChunks(segment: Uint8Array): readonly Chunk[] {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength)
  const chunks: Chunk[] = []
  for (let start = 0; start < segment.length; ) {
    const header = start + LENGTHS_BYTES
    const content = header + view.getUint32(start)
    const end = content + view.getUint32(start + 4)
    if (end > segment.length) throw new RangeError('segment ends inside a chunk')
    const frame = JSON.parse(decoder.decode(segment.subarray(header, content))) as Frame
    chunks.push({ frame, sealed: segment.subarray(content, end) })
    start = end
  }
  return chunks
}

/** The last sequence number that a chunk holds. */
export function lastSeq(frame: Frame): number {
  return frame.s.at(-3) ?? 0
}

/** The sequence numbers that a chunk holds, ascending. */
export function seqsOf({ s }: Pick<Frame, 's'>): readonly number[] {
  return s.filter((_, place) => place % 3 === 0)
}

/** Whether a chunk holds a sequence number. */
export function holds(frame: Frame, seq: number): boolean {
  return seqsOf(frame).includes(seq)
}
