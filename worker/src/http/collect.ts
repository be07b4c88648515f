/** The bytes of a body of unknown length; one that is longer than `limit` is given up at once, and null. */
export async function collect(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<ArrayBuffer | null> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body ?? []) {
    length += part.byteLength
    if (length > limit) return null
    parts.push(part)
  }
  return new Blob(parts).arrayBuffer()
}
