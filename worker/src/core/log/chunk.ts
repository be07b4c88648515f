import { type Clock, effectiveTime } from '../values/clock.ts'
import type { Json } from '../values/json.ts'
import { CHUNK_LENGTH } from '../values/limits.ts'
import type { Version } from '../values/version.ts'
import { type ChunkHeader, decodeHeader, FORM } from './chunk-header.ts'

/**
 * A chunk of the log: changes of one batch, sealed together. A clear header in front of the sealed content says where
 * each stored change belongs, so that sealing need not wait for the decision and compaction can leave gaps. A keyed tag
 * covers the header and binds it to its content: content is sealed before the decision, so the seal itself cannot cover
 * the sequence numbers.
 *
 * Bytes: length of the header (u32, big endian), length of the rest (u32), header (JSON), tag, sealed content. Chunks
 * of form 1 have no tag.
 */
export interface Chunk {
  readonly header: ChunkHeader
  /** The header as it is stored, which the tag covers. */
  readonly headerBytes: Uint8Array
  readonly tag: Uint8Array
  readonly sealed: Uint8Array
  /** The whole chunk as it is stored. */
  readonly bytes: Uint8Array
}

/** The text of a chunk before it is sealed, and the indexes of its lines in the batch. */
export interface ChunkText {
  readonly text: string
  readonly indexes: readonly number[]
}

/** Splits a batch into chunks short enough that reading one entry stays cheap. Leaves out null lines. */
export function chunkTexts(lines: readonly (string | null)[]): readonly ChunkText[] {
  const drafts: { text: string; indexes: number[]; length: number }[] = []
  let last = { text: '', indexes: [] as number[], length: CHUNK_LENGTH }
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as string | null
    if (line === null) continue
    if (last.length + line.length > CHUNK_LENGTH) {
      last = { text: '', indexes: [], length: 0 }
      drafts.push(last)
    }
    // Appends, because the parts of an appended text are copied only once, when it is encoded.
    last.text += last.text === '' ? line : `,${line}`
    last.indexes.push(index)
    last.length += line.length
  }
  return drafts.map(({ text, indexes }) => ({ text: `[${text}]`, indexes }))
}

type Content = readonly [
  key: string,
  timestamp: number,
  base: unknown,
  deleted: 0 | 1,
  value?: Json,
  paths?: readonly string[],
]

/** The stored changes of an opened chunk, as versions. Throws if the header does not fit the content. */
export function versionsOf(header: ChunkHeader, text: string): readonly Version[] {
  const contents = JSON.parse(text) as readonly Content[]
  if (!fitsContent(contents.length, header)) throw new RangeError('the header does not fit the content')
  const clock: Clock = { now: header.t, skew: header.k }
  return header.slots.map(({ seq, previous, index, lift }) => {
    const [key, timestamp, , deleted, value, paths = []] = contents[index] as Content
    const at = effectiveTime(timestamp, clock) + lift
    return { seq, previous, key, by: header.c, timestamp, at, lift, deleted: deleted === 1, value, paths }
  })
}

/** Checks that numbers and indexes ascend and that a replaced version is older. Form 1 has no tag that ensures it. */
function fitsContent(count: number, { slots }: ChunkHeader): boolean {
  let [last, next] = [0, 0]
  for (const { seq, previous, index, lift } of slots) {
    const isWhole = [seq, previous, index, lift].every(Number.isSafeInteger)
    if (!isWhole || seq <= last || previous >= seq || index < next || index >= count || lift < 0) return false
    last = seq
    next = index + 1
  }
  return true
}

const LENGTHS_BYTES = 8

/** The length of a SipHash-2-4 tag of 128 bits, bytes. */
export const TAG_BYTES = 16

/** Joins the parts of a chunk. */
export function joinChunk({ header, headerBytes, tag, sealed }: Omit<Chunk, 'bytes'>): Chunk {
  const bytes = new Uint8Array(LENGTHS_BYTES + headerBytes.length + tag.length + sealed.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, headerBytes.length)
  view.setUint32(4, tag.length + sealed.length)
  bytes.set(headerBytes, LENGTHS_BYTES)
  bytes.set(tag, LENGTHS_BYTES + headerBytes.length)
  bytes.set(sealed, LENGTHS_BYTES + headerBytes.length + tag.length)
  return { header, headerBytes, tag, sealed, bytes }
}

/** Decodes the chunks of a segment. Returns null for bytes that are not a segment. */
export function tryChunks(segment: Uint8Array): readonly Chunk[] | null {
  try {
    return decodeChunks(segment)
  } catch {
    return null
  }
}

/** Decodes the chunks of a segment, in order. Throws on bytes that are not a segment. */
export function decodeChunks(segment: Uint8Array): readonly Chunk[] {
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength)
  const chunks: Chunk[] = []
  for (let start = 0; start < segment.length; ) {
    const first = start + LENGTHS_BYTES
    const content = first + view.getUint32(start)
    const end = content + view.getUint32(start + 4)
    if (end > segment.length) throw new RangeError('segment ends inside a chunk')
    const headerBytes = segment.subarray(first, content)
    const header = decodeHeader(headerBytes)
    const sealed = content + (header.form === FORM ? TAG_BYTES : 0)
    chunks.push({
      header,
      headerBytes,
      tag: segment.subarray(content, sealed),
      sealed: segment.subarray(sealed, end),
      bytes: segment.subarray(start, end),
    })
    start = end
  }
  return chunks
}
