import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** A client that has opened its socket and stopped reading, which the service cannot tell from one that is gone. */
export interface Stalled {
  /** Resumes reading and returns the code with which the service closed the socket; null if it did not. */
  ending(): Promise<number | null>
}

/** Speaks RFC 6455 itself, because every library reads. */
export async function stall(url: string, session: string): Promise<Stalled> {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(
    `GET /api/live HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
      `Sec-WebSocket-Protocol: chronicle.v1, bearer.${session}\r\n\r\n`,
  )
  const [response] = (await once(socket, 'data')) as [Buffer]
  if (!response.toString().startsWith('HTTP/1.1 101')) throw new Error(response.toString())
  socket.pause()
  return {
    async ending() {
      const parts: Buffer[] = []
      socket.on('data', (part) => parts.push(part))
      socket.resume()
      await setTimeout(500)
      socket.destroy()
      return closeCode(Buffer.concat(parts))
    },
  }
}

/** The code of a close frame at the end of the bytes (RFC 6455, 5.5.1): opcode 8, length, code, reason. */
function closeCode(bytes: Buffer): number | null {
  const start = bytes.lastIndexOf(0x88)
  if (start === -1 || start + 2 + (bytes[start + 1] ?? 0) !== bytes.length) return null
  return bytes.readUInt16BE(start + 2)
}
