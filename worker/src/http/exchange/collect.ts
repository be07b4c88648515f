/** Gives the next part of a body, null after the last one. */
export type NextPart = () => Promise<Uint8Array | null>

/** The bytes of a body of unknown length; one that is longer than `limit` is given up at once, and null. */
export async function collect(next: NextPart, limit: number): Promise<ArrayBuffer | null> {
  let bytes = new Uint8Array(FIRST_LENGTH)
  let length = 0
  for (let part = await next(); part !== null; part = await next()) {
    const end = length + part.byteLength
    if (end > limit) return null
    if (end > bytes.length) bytes = grown(bytes, Math.min(limit, Math.max(end, 2 * bytes.length)))
    bytes.set(part, length)
    length = end
  }
  return bytes.buffer.slice(0, length)
}

/** Parts are copied, because a body may come in parts of one byte, of which each takes a hundred as it is. */
const FIRST_LENGTH = 16 * 1024

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length)
  larger.set(bytes)
  return larger
}
