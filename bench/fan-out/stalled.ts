import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'

/** A client that has opened its socket and stopped reading, which the service cannot tell from one that is gone. */
export interface Stalled {
  leave(): void
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
  return { leave: () => socket.destroy() }
}
