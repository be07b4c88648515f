import type { Duplex } from 'node:stream'
import { PING, PONG } from '../../../worker/src/schema/request/live.ts'

const TEXT = 1
const CLOSE = 8

/** Sends the messages, reads frames until a pong, and closes. Returns the close code if the server ends the socket first. */
export async function converse(
  socket: Duplex,
  head: Buffer,
  { messages, hear }: { readonly messages: readonly string[]; readonly hear: (frame: string) => void },
): Promise<number | null> {
  for (const message of [...messages, PING]) socket.write(frameOf(message))
  let bytes = head
  const late = setTimeout(() => socket.destroy(), 5_000)
  try {
    for await (const part of socket) {
      bytes = Buffer.concat([bytes, part])
      for (let frame = nextFrame(bytes); frame !== null; frame = nextFrame(bytes)) {
        bytes = frame.rest
        const text = frame.payload.toString()
        if (frame.opcode === CLOSE) return frame.payload.readUInt16BE()
        hear(text)
        if (text === PONG) return null
      }
    }
    return null
  } finally {
    clearTimeout(late)
    socket.destroy()
  }
}

/** Encodes a text frame of a client (RFC 6455, 5.2), under a mask of zeros. */
function frameOf(text: string): Buffer {
  const payload = Buffer.from(text)
  const length = Buffer.alloc(10)
  length.writeUInt8(0x80 | TEXT)
  length.writeUInt8(0x80 | 127, 1)
  length.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([length, Buffer.alloc(4), payload])
}

/** Decodes the first frame of a server; null while it is incomplete. */
function nextFrame(
  bytes: Buffer,
): { readonly opcode: number; readonly payload: Buffer; readonly rest: Buffer } | null {
  if (bytes.length < 2) return null
  const short = (bytes[1] ?? 0) & 0x7f
  const start = short === 127 ? 10 : short === 126 ? 4 : 2
  if (bytes.length < start) return null
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  if (bytes.length < start + length) return null
  const payload = bytes.subarray(start, start + length)
  return { opcode: (bytes[0] ?? 0) & 0x0f, payload, rest: bytes.subarray(start + length) }
}
