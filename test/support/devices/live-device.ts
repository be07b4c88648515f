import { WebSocket } from 'undici'
import { fetchDocumented, mismatches } from '../documented.ts'

/** Client that follows its space on a socket, as an app developer would write it from docs/spec.md (LV1 to LV17). */

interface Entry {
  readonly key: string
  readonly value?: unknown
  readonly deleted?: boolean
}

interface Page {
  readonly changes: readonly Entry[]
  readonly cursor: string
  readonly more: boolean
  readonly reset: boolean
}

type Frame =
  | {
      readonly type: 'changes'
      readonly from: string | null
      readonly cursor: string
      readonly changes: Entry[]
    }
  | { readonly type: 'poke' }
  | { readonly type: 'ack'; readonly id: string; readonly status: number; readonly body: unknown }

/** Delay before a reconnect, ms. */
const PATIENCE_MS = 100

/** Throws outside any handler, so that the test fails. */
function checkFrame(text: string): void {
  const odd = mismatches('ServerFrame', JSON.parse(text))
  if (odd.length > 0) throw new Error(`a frame is not as documented: ${odd.join(', ')}\n${text}`)
}

export class LiveDevice {
  readonly seen = { opened: 0, frames: 0, pages: 0 }
  readonly #name: string
  readonly #url: string
  readonly #copy = new Map<string, unknown>()
  readonly #waiting = new Map<string, (ack: unknown) => void>()
  #session = ''
  #cursor: string | null = null
  #socket: WebSocket | undefined
  #stopping = false
  /** Set after a pull: frames in flight no longer fit the copy. */
  #lost = false
  /** Chain of work: frames and pulls are handled one after the other. */
  #work: Promise<unknown> = Promise.resolve()

  constructor(name: string, url: string) {
    this.#name = name
    this.#url = url
  }

  /** Follows the space of a token until it is stopped, however often the socket is lost. */
  async start(token: string): Promise<void> {
    const { session } = await this.#request<{ session: string }>('/api/auth', { token, clientId: this.#name })
    this.#session = session
    await this.#pull()
    await this.#connect()
  }

  stop(): void {
    this.#stopping = true
    this.#socket?.close(1000)
  }

  entries(): Map<string, unknown> {
    return new Map(this.#copy)
  }

  /** Pushes on the socket. Returns the reply, which is that of `POST /api/sync`. */
  push(id: string, body: object): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.#waiting.set(id, resolve)
    this.#say({ type: 'push', id, body })
    return promise
  }

  async #connect(): Promise<void> {
    const query = this.#cursor === null ? '' : `?cursor=${this.#cursor}`
    const ticket = await this.#ticket()
    if (ticket === null) return this.#connectLater()
    const protocols = ['chronicle.v1', `ticket.${ticket}`]
    const socket = new WebSocket(`${this.#url.replace('http', 'ws')}/api/live${query}`, protocols)
    this.#socket = socket
    const opened = Promise.withResolvers<void>()
    socket.addEventListener('open', () => {
      this.seen.opened += 1
      opened.resolve()
    })
    socket.addEventListener('message', ({ data }) => {
      checkFrame(String(data))
      this.#work = this.#work.then(() => this.#take(JSON.parse(data))).catch(() => socket.close())
    })
    socket.addEventListener('close', () => {
      opened.resolve()
      this.#connectLater()
    })
    await opened.promise
  }

  /** Requests a ticket for one socket; null while the service cannot issue one. */
  async #ticket(): Promise<string | null> {
    const asked = this.#request<{ ticket: string }>('/api/live/ticket', {})
    return asked.then(
      ({ ticket }) => ticket,
      () => null,
    )
  }

  #connectLater(): void {
    if (!this.#stopping) setTimeout(() => this.#connect(), PATIENCE_MS)
  }

  async #take(frame: Frame): Promise<void> {
    if (frame.type === 'ack') {
      this.#waiting.get(frame.id)?.(frame.body)
      return
    }
    if (frame.type === 'changes' && frame.from === this.#cursor) {
      this.#apply(frame.changes)
      this.#cursor = frame.cursor
      this.#lost = false
      this.seen.frames += 1
    } else if (frame.type === 'poke' || (frame.cursor !== this.#cursor && !this.#lost)) {
      await this.#pull()
      this.#lost = true
    }
    this.#say({ type: 'seen', cursor: this.#cursor })
  }

  #apply(changes: readonly Entry[]): void {
    for (const { key, value, deleted } of changes) {
      if (deleted) this.#copy.delete(key)
      else this.#copy.set(key, value)
    }
  }

  async #pull(): Promise<void> {
    for (let more = true; more; ) {
      const query = this.#cursor === null ? '' : `?cursor=${this.#cursor}`
      const page = await this.#request<Page>(`/api/changes${query}`)
      if (page.reset) this.#copy.clear()
      this.#apply(page.changes)
      this.#cursor = page.cursor
      this.seen.pages += 1
      more = page.more
    }
  }

  #say(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  async #request<T>(path: string, body?: object): Promise<T> {
    const authorization = `Bearer ${this.#session}`
    const init =
      body === undefined
        ? { headers: { authorization } }
        : {
            method: 'POST',
            headers: { authorization, 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }
    const response = await fetchDocumented(this.#url + path, init)
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return JSON.parse(text) as T
  }
}
