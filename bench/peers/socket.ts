import { WebSocket } from 'undici'

export interface PeerSocket {
  send(message: string | Uint8Array): void
  /** Resolves with the next message for which the function returns a value, with that value. */
  next<Found>(of: (message: string | ArrayBuffer) => Found | undefined): Promise<Found>
  close(): Promise<void>
}

/** Opens a socket and takes its messages one by one. Those that nobody waits for are dropped. */
export async function openSocket(url: string): Promise<PeerSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'))
  socket.binaryType = 'arraybuffer'
  let take: (message: string | ArrayBuffer) => void = () => {}
  let fail: (cause: Error) => void = () => {}
  socket.onmessage = ({ data }) => take(data)
  socket.onclose = ({ code, reason }) => fail(new Error(`the socket closed with ${code} ${reason}`))
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = ({ message }) => reject(new Error(`no socket: ${message}`))
  })
  return {
    send: (message) => socket.send(message),
    next: (of) =>
      new Promise((resolve, reject) => {
        fail = reject
        take = (message) => {
          const found = of(message)
          if (found !== undefined) resolve(found)
        }
      }),
    async close() {
      socket.close()
    },
  }
}
