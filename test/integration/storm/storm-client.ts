import { WebSocket } from 'undici'
import { expect } from 'vitest'

/** The keys that all clients write. */
const SHARED = ['hot/1', 'hot/2', 'hot/3']

interface Change {
  readonly key: string
  readonly value: string
  readonly timestamp: number
}

interface Batch {
  readonly batch: number
  readonly changes: readonly Change[]
}

export interface StormReply {
  readonly replayed: boolean
  readonly results: readonly { readonly status: string; readonly version: string }[]
}

/** Message of a socket. A frame that is no ack moves the position. */
interface Told {
  readonly type: string
  readonly status?: number
  readonly body?: StormReply
  readonly cursor?: string
}

/** Client that writes numbered batches, each to keys of all and to one of its own, and retries what was not answered. */
export class StormClient {
  readonly #id: string
  readonly #session: string
  readonly #isLive: boolean
  /** The versions of its own key that were acknowledged, with their values. */
  readonly #own = new Map<string, string>()
  #batches = 0
  #open: Batch | null = null

  constructor(id: string, session: string, isLive: boolean) {
    this.#id = id
    this.#session = session
    this.#isLive = isLive
  }

  get acknowledged(): number {
    return this.#own.size
  }

  /** Writes one batch after the other until the connection breaks. */
  async write(url: string): Promise<void> {
    try {
      const post = this.#isLive ? await this.#connect(url) : (batch: Batch) => this.#post(url, batch)
      for (;;) {
        this.#open ??= this.#next()
        this.#take(await post(this.#open))
      }
    } catch (cause) {
      if (cause instanceof Refused) throw cause
    }
  }

  /** Sends the batch again that was not answered. Returns the reply; null if every batch was answered. */
  async retry(url: string): Promise<StormReply | null> {
    if (this.#open === null) return null
    const reply = await this.#post(url, this.#open)
    this.#take(reply)
    return reply
  }

  /** Checks that its own key has exactly the acknowledged versions. */
  async check(url: string): Promise<void> {
    const found: [string, string][] = []
    for (let before = ''; ; ) {
      const path = `/api/history?key=own/${this.#id}&limit=100${before && `&before=${before}`}`
      const response = await fetch(url + path, { headers: { authorization: `Bearer ${this.#session}` } })
      if (response.status === 404 && this.#own.size === 0) return
      expect(response.status).toBe(200)
      const page = (await response.json()) as {
        readonly versions: readonly { readonly version: string; readonly value: string }[]
        readonly next: string | null
      }
      found.push(...page.versions.map(({ version, value }): [string, string] => [version, value]))
      if (page.next === null) break
      before = page.next
    }
    expect(found.reverse(), this.#id).toEqual([...this.#own])
  }

  #next(): Batch {
    this.#batches += 1
    const value = `${this.#id} ${this.#batches} ${'x'.repeat(this.#batches % 200)}`
    const keys = [`own/${this.#id}`, ...SHARED.slice(0, this.#batches % 4)]
    return { batch: this.#batches, changes: keys.map((key) => ({ key, value, timestamp: Date.now() })) }
  }

  #take(reply: StormReply): void {
    const [change] = this.#open?.changes ?? []
    const [result] = reply.results
    expect(result?.status).toBe('applied')
    this.#own.set(String(result?.version), String(change?.value))
    this.#open = null
  }

  async #post(url: string, batch: Batch): Promise<StormReply> {
    const response = await fetch(`${url}/api/sync`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#session}`, 'content-type': 'application/json' },
      body: JSON.stringify(batch),
    })
    const body = await response.json()
    // A runtime that dies may still answer with a bare failure.
    if (response.status >= 500) throw new Error(`status ${response.status}`)
    if (response.status !== 200) throw new Refused(JSON.stringify(body))
    return body as StormReply
  }

  /** Opens a socket. Returns how a batch is pushed on it. */
  async #connect(url: string): Promise<(batch: Batch) => Promise<StormReply>> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/live`, [
      'chronicle.v1',
      `bearer.${this.#session}`,
    ])
    let waiting = Promise.withResolvers<StormReply>()
    const opened = Promise.withResolvers<void>()
    socket.addEventListener('open', () => opened.resolve())
    for (const end of ['close', 'error'] as const)
      socket.addEventListener(end, () => {
        opened.reject(new Error(end))
        waiting.reject(new Error(end))
      })
    socket.addEventListener('message', ({ data }) => {
      const { type, status, body, cursor }: Told = JSON.parse(String(data))
      if (cursor !== undefined) socket.send(JSON.stringify({ type: 'seen', cursor }))
      if (type !== 'ack' || body === undefined) return
      if (status === 200) waiting.resolve(body)
      else waiting.reject(new Refused(JSON.stringify(body)))
    })
    waiting.promise.catch(() => {})
    await opened.promise
    return (batch) => {
      waiting = Promise.withResolvers()
      if (socket.readyState !== WebSocket.OPEN) waiting.reject(new Error('closed'))
      else socket.send(JSON.stringify({ type: 'push', id: String(batch.batch), body: batch }))
      return waiting.promise
    }
  }
}

/** Thrown for a reply that no retry would change. */
class Refused extends Error {}
