import { fetchDocumented } from '../documented.ts'

/** Offline-first client as an app developer would write it: a copy, a queue, numbered batches, retries. */

type Json = unknown

interface Pending {
  readonly key: string
  readonly value?: Json
  readonly deleted?: true
  readonly timestamp: number
  readonly base?: string | null
  /** Replaces the base of a space that was erased. */
  readonly baseValue?: Json
}

interface Entry {
  readonly key: string
  readonly value?: Json
  readonly deleted?: boolean
  readonly version: string
  readonly timestamp: number
}

/** Entry of a device's copy. */
interface Kept {
  readonly value: Json
  readonly version: string
  readonly timestamp: number
}

export interface Conflict {
  readonly id: number
  readonly key: string
  readonly resolution: string
  readonly winner: { readonly value?: Json; readonly deleted?: boolean }
  readonly loser: { readonly value?: Json; readonly deleted?: boolean }
}

export interface Reply {
  readonly results: readonly {
    key: string
    status: string
    version?: string
    code?: string
    effectiveTimestamp?: number
  }[]
  readonly conflicts: readonly Conflict[]
  readonly changes: readonly Entry[]
  readonly cursor: string
  readonly more: boolean
  readonly reset: boolean
  readonly resetReason?: string
  readonly replayed: boolean
}

export class OfflineDevice {
  readonly name: string
  readonly conflicts: Conflict[] = []
  replays = 0
  acknowledged = 0
  #url: string
  #session = ''
  #cursor: string | null = null
  #batch = 0
  #epoch = ''
  #sent: readonly Pending[] = []
  /** Last batch with a reply. */
  #answered: object = {}
  #queue: Pending[] = []
  /** Known entries of the server, without tombstones. */
  readonly #copy = new Map<string, Kept>()
  /** The copy from before the space was restored, until it is compared. */
  #old: ReadonlyMap<string, Kept> = new Map()
  /** Times of the restored space's entries, deletions included. */
  readonly #times = new Map<string, number>()

  constructor(name: string, url: string) {
    this.name = name
    this.#url = url
  }

  /** Continues at another address after a restart of the service. */
  moveTo(url: string): void {
    this.#url = url
  }

  async open(token: string): Promise<void> {
    const body = { token, clientId: this.name }
    const reply = await this.#post<{ session: string; epoch: string; lastBatch: number }>('/api/auth', body)
    this.#session = reply.session
    if (this.#epoch !== '' && this.#epoch !== reply.epoch) this.#rebase()
    if (this.#epoch !== reply.epoch) this.#batch = reply.lastBatch
    this.#epoch = reply.epoch
  }

  /** Replaces the bases of waiting edits by the values that they were made on: their versions belong to an erased space. */
  #rebase(): void {
    const waiting = [...this.#sent, ...this.#queue]
    this.#sent = []
    this.#queue = waiting.map(({ base, ...edit }) =>
      base ? { ...edit, baseValue: this.#copy.get(edit.key)?.value ?? null } : { ...edit, base: null },
    )
  }

  /** Queues entries that the restored space lacks, or has from an earlier time. Called after reading that space. */
  #offer(): void {
    for (const [key, { value, timestamp }] of this.#old) {
      const isQueued = this.#queue.some((edit) => edit.key === key)
      if (!isQueued && timestamp > (this.#times.get(key) ?? -1)) this.put(key, value, timestamp)
    }
    this.#old = new Map()
  }

  put(key: string, value: Json, timestamp = Date.now()): void {
    this.#queue.push({ key, value, timestamp, base: this.#copy.get(key)?.version ?? null })
  }

  delete(key: string, timestamp = Date.now()): void {
    this.#queue.push({ key, deleted: true, timestamp, base: this.#copy.get(key)?.version ?? null })
  }

  /** Returns the server's entries, as the app shows them. Call it once everything is synced. */
  entries(): Map<string, Json> {
    return new Map(Array.from(this.#copy, ([key, { value }]) => [key, value]))
  }

  get unsent(): number {
    return this.#sent.length + this.#queue.length
  }

  /** Pushes the queue in batches and pulls to the end. After a failure, call it again: the same batch is sent. */
  async sync(batchSize = 50): Promise<void> {
    for (;;) {
      if (this.#sent.length === 0 && this.#queue.length > 0) {
        this.#sent = this.#queue.splice(0, batchSize)
        this.#batch += 1
      }
      const more = await this.#exchange()
      if (!more) this.#offer()
      if (!more && this.unsent === 0) return
    }
  }

  get<T>(path: string): Promise<T> {
    return this.#request<T>(path, { method: 'GET' })
  }

  /** Sends the last batch again, as if its reply had been lost. */
  again(): Promise<Reply> {
    return this.#post<Reply>('/api/sync', this.#answered)
  }

  async #exchange(): Promise<boolean> {
    const pushed = this.#sent
    const numbered = pushed.length > 0 ? { batch: this.#batch } : {}
    const body = { ...numbered, clientTime: Date.now(), cursor: this.#cursor, changes: pushed }
    const reply = await this.#post<Reply>('/api/sync', body)
    this.#sent = []
    if (pushed.length > 0) this.#answered = body
    this.acknowledged += pushed.length
    this.replays += Number(reply.replayed)
    this.conflicts.push(...reply.conflicts)
    if (reply.reset) this.#startOver(reply.resetReason)
    for (const [index, { status, version, code, effectiveTimestamp }] of reply.results.entries()) {
      const edit = pushed[index] as Pending
      if (status === 'rejected') throw new Error(`${edit.key} was rejected: ${code}`)
      const timestamp = effectiveTimestamp ?? edit.timestamp
      if (status === 'applied' && !reply.replayed)
        this.#apply({ ...edit, timestamp, version: version as string })
    }
    for (const entry of reply.changes) this.#apply(entry)
    this.#cursor = reply.cursor
    return reply.more
  }

  #startOver(reason: string | undefined): void {
    if (reason === 'epoch' || reason === 'head') this.#old = new Map(this.#copy)
    this.#copy.clear()
    this.#times.clear()
  }

  #apply({ key, value, deleted, version, timestamp }: Entry): void {
    this.#times.set(key, timestamp)
    if (deleted) this.#copy.delete(key)
    else this.#copy.set(key, { value, version, timestamp })
  }

  #post<T>(path: string, body: object): Promise<T> {
    const headers = { 'content-type': 'application/json' }
    return this.#request<T>(path, { method: 'POST', headers, body: JSON.stringify(body) })
  }

  async #request<T>(path: string, init: RequestInit): Promise<T> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#session}` }
    const response = await fetchDocumented(this.#url + path, { ...init, headers })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return JSON.parse(text) as T
  }
}
