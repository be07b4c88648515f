import type { SocketEnd } from './platform.ts'

/** The server's ends of a space's sockets, which the platform holds while the object sleeps. */
export class Switchboard {
  readonly #open = new Map<SocketEnd, readonly string[]>()

  /** What a process uses of them for as long as it lives. */
  contextOf(life: { readonly alive: boolean }, receive: (socket: SocketEnd, text: string) => void) {
    return {
      acceptWebSocket: (socket: SocketEnd, tags: readonly string[]) => {
        this.#open.set(socket, tags)
        socket.addEventListener('message', ({ data }) => receive(socket, data))
        socket.addEventListener('close', () => this.#open.delete(socket))
      },
      getWebSockets: (tag?: string) => {
        if (!life.alive) return []
        return [...this.#open]
          .filter(([, tags]) => tag === undefined || tags.includes(tag))
          .map(([end]) => end)
      },
      getTags: (socket: SocketEnd) => this.#open.get(socket) ?? [],
      setWebSocketAutoResponse: () => {},
    }
  }

  get size(): number {
    return this.#open.size
  }

  /** The process that held them is gone. */
  breakAll(): void {
    for (const socket of [...this.#open.keys()]) socket.close()
  }
}
