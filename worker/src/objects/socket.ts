import type { Listener } from '../core/listener.ts'

/** Why a socket is closed (RFC 6455, 7.4; from 4000 on they are ours). With a 44 the reason is a code of RE6. */
const ENDINGS = {
  binary: [1003, 'send text'],
  'too-large': [1009, 'the message is too large'],
  defect: [1011, 'the service failed'],
  importing: [1013, 'the space is being filled; come again'],
  stalled: [1013, 'what was sent was not confirmed; come again'],
  crowded: [1013, 'another member of the space had no socket left; come again'],
  expired: [4401, 'session-expired'],
  ended: [4403, 'session-ended'],
  revoked: [4403, 'revoked'],
  erased: [4403, 'space-erased'],
  flooding: [4429, 'more messages than may be sent; wait a minute and come again'],
} as const

export type SocketEnding = keyof typeof ENDINGS

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
