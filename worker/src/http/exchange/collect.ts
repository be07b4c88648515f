/** Returns the next part of a body, and null after the last one. */
export type NextPart = () => Promise<Uint8Array | null>

/** The bytes of a body of unknown length. A body longer than `limit` is aborted at once and gives null. */
export async function collect(next: NextPart, limit: number): Promise<ArrayBuffer | null> {
  let bytes = new Uint8Array()
  let length = 0
  for (let part = await next(); part !== null; part = await next()) {
    const end = length + part.byteLength
    if (end > limit) return null
    if (end > bytes.length) bytes = grown(bytes, Math.min(limit, Math.max(end, 2 * bytes.length)))
    bytes.set(part, length)
    length = end
  }
  return length === bytes.length ? bytes.buffer : bytes.buffer.slice(0, length)
}

/**
 * Makes more room. Parts are copied into one buffer, because a body may arrive in parts of one byte, and each part takes
 * a hundred bytes.
 */
function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(length)
  larger.set(bytes)
  return larger
}
