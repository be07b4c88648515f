import { type Confirmation, confirmationOf } from '../../client/src/service/confirmation.ts'

interface Socket {
  send(text: string): void
  addEventListener(type: 'close', listener: () => void): void
}

/** Confirms what a socket brings as the client package does. */
export function confirming(socket: Socket): Confirmation {
  function after(ms: number, callback: () => void): () => void {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  }
  const confirmation = confirmationOf({ after, isVisible: () => true }, (cursor) =>
    socket.send(JSON.stringify({ type: 'seen', cursor })),
  )
  socket.addEventListener('close', confirmation.told)
  return confirmation
}
