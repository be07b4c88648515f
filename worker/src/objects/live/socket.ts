import { ENDINGS, type SocketEnding } from '../../core/socket-ending.ts'

export function isOpen({ readyState }: WebSocket): boolean {
  return readyState === WebSocket.OPEN
}

/** Sends a frame, unless the socket is closed or closing. If that fails, ends the socket and throws nothing. */
export function send(socket: WebSocket, text: string): void {
  try {
    if (isOpen(socket)) socket.send(text)
  } catch {
    endSocket(socket, 'defect')
  }
}

export function endSocket(socket: WebSocket, ending: SocketEnding): void {
  const [code, reason] = ENDINGS[ending]
  if (isOpen(socket)) socket.close(code, reason)
}

/** Codes that report a missing close frame and cannot be sent (RFC 6455, 7.4.1). */
const NEVER_SENT = [1005, 1006, 1015]

/** Completes the closing handshake that a client began. */
export function replyToClose(socket: WebSocket, code: number): void {
  socket.close(NEVER_SENT.includes(code) ? 1000 : code)
}
