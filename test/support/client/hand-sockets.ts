import type { Platform, Socket } from '../../../client/src/values/platform.ts'

type Listener = (event: never) => void

/** Socket whose other end is the test. */
export class HandSocket implements Socket {
  readyState = 0
  readonly sent: { readonly type: string; readonly [name: string]: unknown }[] = []
  readonly url: string
  readonly protocols: readonly string[]
  /** Answers a message, as soon as it is sent. */
  onSent: (message: HandSocket['sent'][number]) => void = () => {}
  readonly #listeners = new Map<string, Listener[]>()

  constructor(url: string, protocols: readonly string[]) {
    this.url = url
    this.protocols = protocols
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener])
  }

  send(text: string): void {
    const message = JSON.parse(text) as HandSocket['sent'][number]
    this.sent.push(message)
    this.onSent(message)
  }

  /** The client closes it. */
  close(): void {
    this.end(1000)
  }

  open(): void {
    this.readyState = 1
    this.#tell('open', {})
  }

  say(frame: object): void {
    if (this.readyState === 1) this.#tell('message', { data: JSON.stringify(frame) })
  }

  /** The service, or the network, closes it. */
  end(code: number, reason = ''): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.#tell('close', { code, reason })
  }

  #tell(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never)
  }
}

/** The sockets of a device, in the order in which it opened them. */
export class HandSockets {
  readonly all: HandSocket[] = []
  /** Decides what becomes of a new socket. By default it opens at once. */
  onNew: (socket: HandSocket) => void = (socket) => queueMicrotask(() => socket.open())

  get last(): HandSocket {
    const socket = this.all.at(-1)
    if (!socket) throw new Error('no socket was opened')
    return socket
  }

  constructorOf(): NonNullable<Platform['WebSocket']> {
    const sockets = this
    return class extends HandSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols)
        sockets.all.push(this)
        sockets.onNew(this)
      }
    }
  }
}
