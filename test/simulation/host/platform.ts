/** The platform's globals that a space uses. Bundled into the floor in place of Node's. */
import { serialize } from 'node:v8'

/** The limit of a socket's attachment, bytes. */
const ATTACHMENT_BYTES = 16_384

/** A message, or the end of a socket. */
interface Said {
  readonly data: string
  readonly code: number
  readonly reason: string
}

type Listener = (said: Said) => void

/** One end of a socket. The other end receives a message at once, and the history decides about delays. */
export class SocketEnd {
  readyState = 1
  peer: SocketEnd | undefined
  readonly #listeners = { message: new Set<Listener>(), close: new Set<Listener>() }
  /** Messages that came before there was a listener. */
  readonly #early: Said[] = []
  #attachment: unknown = null

  addEventListener(type: 'close' | 'message', listener: Listener): void {
    this.#listeners[type].add(listener)
    if (type === 'message') for (const said of this.#early.splice(0)) listener(said)
  }

  send(data: string): void {
    if (this.readyState !== 1) throw new TypeError('the socket is closed')
    this.peer?.hear({ data, code: 0, reason: '' })
  }

  hear(said: Said): void {
    if (this.#listeners.message.size === 0) this.#early.push(said)
    for (const listener of this.#listeners.message) listener(said)
  }

  /** Closes both ends. Without a code the connection is lost. */
  close(code = 1006, reason = ''): void {
    for (const end of [this, this.peer]) {
      if (end === undefined || end.readyState !== 1) continue
      end.readyState = 3
      for (const listener of end.#listeners.close) listener({ data: '', code, reason })
    }
  }

  serializeAttachment(value: unknown): void {
    if (serialize(value).length > ATTACHMENT_BYTES) throw new Error('the attachment is too large')
    this.#attachment = structuredClone(value)
  }

  deserializeAttachment(): unknown {
    return structuredClone(this.#attachment)
  }
}

export class WebSocketPair {
  readonly 0 = new SocketEnd()
  readonly 1 = new SocketEnd()

  constructor() {
    this[0].peer = this[1]
    this[1].peer = this[0]
  }
}

/** The platform answers pings by itself. Histories have none. */
export class WebSocketRequestResponsePair {}

export const WebSocket = { OPEN: 1 }

/** The hooks of the current history: delayed work, and the defects that were logged. */
export const platform = {
  later: (_work: () => Promise<void>): void => {},
  defects: [] as string[],
}

export function setTimeout(work: () => Promise<void>): void {
  platform.later(work)
}

/** The work is done at its time, and does nothing then. */
export function clearTimeout(): void {}

export const console = {
  log(): void {},
  warn(): void {},
  error(line: string): void {
    platform.defects.push(line)
  },
}
