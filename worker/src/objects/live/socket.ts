import type { Listener } from '../../core/feed/listener.ts'
import { ENDINGS, type SocketEnding } from '../../core/socket-ending.ts'

/** What a socket remembers, hibernation or not. */
export function listenerOf(socket: WebSocket): Listener {
  // Every socket of a space is one that `open` accepted, and holds what `remember` wrote.
  return socket.deserializeAttachment() as Listener
}

export function remember(socket: WebSocket, listener: Listener): void {
  socket.serializeAttachment(listener)
}

export function isOpen({ readyState }: WebSocket): boolean {
  return readyState === WebSocket.OPEN
}

/** Sends a frame, unless the socket is closed or closing. What does not go out ends the socket, and nothing else. */
export function say(socket: WebSocket, text: string): void {
  try {
    if (isOpen(socket)) socket.send(text)
  } catch {
    end(socket, 'defect')
  }
}

export function end(socket: WebSocket, ending: SocketEnding): void {
  const [code, reason] = ENDINGS[ending]
  if (isOpen(socket)) socket.close(code, reason)
}

/** Codes that say why there was no close frame: they cannot be sent (RFC 6455, 7.4.1). */
const NEVER_SENT = [1005, 1006, 1015]

/** Ends the handshake that a client began. */
export function replyToClose(socket: WebSocket, code: number): void {
  socket.close(NEVER_SENT.includes(code) ? 1000 : code)
}
