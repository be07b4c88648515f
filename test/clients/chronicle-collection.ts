import type { ChangeMessageOrDeleteKeyMessage, CollectionConfig, SyncConfig } from '@tanstack/db'
import type { Entry, Reply, Session } from './session.ts'

export interface Row {
  readonly id: string
  readonly [field: string]: unknown
}

interface Edit {
  readonly key: string
  readonly value?: Row
  readonly deleted?: true
  readonly base: string | null
  readonly timestamp: number
}

type Port = Parameters<SyncConfig<Row, string>['sync']>[0]
type Mutations = { readonly transaction: { readonly mutations: readonly { type: string; modified: Row }[] } }

const BATCH_SIZE = 100

/**
 * TanStack DB collection over one collection of a space. The queue keeps an edit safe, so that a handler never
 * waits for the network.
 */
export class ChronicleCollection {
  readonly refused: { readonly key: string; readonly code: string | undefined }[] = []
  readonly #session: Session
  readonly #name: string
  /** Copy of the server's entries. */
  readonly #copy = new Map<string, Pick<Entry, 'value' | 'version'>>()
  readonly #shown = new Set<string>()
  #queue: Edit[] = []
  #sent: readonly Edit[] = []
  #batch = 0
  #cursor: string | null = null
  #port: Port | undefined
  #work: Promise<unknown> = Promise.resolve()

  constructor(session: Session, name: string) {
    this.#session = session
    this.#name = name
  }

  /** Options for `createCollection`. */
  get options(): CollectionConfig<Row, string> {
    const edit = async (mutations: Mutations) => this.#edit(mutations)
    const sync = (port: Port) => {
      this.#port = port
      port.markReady()
    }
    return {
      getKey: ({ id }) => id,
      sync: { rowUpdateMode: 'full', sync },
      startSync: true,
      onInsert: edit,
      onUpdate: edit,
      onDelete: edit,
    }
  }

  get waiting(): number {
    return this.#sent.length + this.#queue.length
  }

  /** Sends the queue and pulls to the end, one call after the other. After a failure, call it again. */
  sync(): Promise<string | null> {
    const done = this.#work.then(() => this.#exchangeAll())
    this.#work = done.catch(() => {})
    return done
  }

  #edit({ transaction }: Mutations): void {
    const edits = transaction.mutations.map(({ type, modified }) => {
      const key = `${this.#name}/${modified.id}`
      const change = type === 'delete' ? { deleted: true as const } : { value: modified }
      return { key, ...change, base: this.#copy.get(key)?.version ?? null, timestamp: Date.now() }
    })
    this.#queue.push(...edits)
    this.#show(edits.map(({ key }) => key))
  }

  async #exchangeAll(): Promise<string | null> {
    do {
      if (this.#sent.length === 0 && this.#queue.length > 0) {
        this.#sent = this.#queue.splice(0, BATCH_SIZE)
        this.#batch += 1
      }
    } while ((await this.#exchange()) || this.#queue.length > 0)
    return this.#cursor
  }

  async #exchange(): Promise<boolean> {
    const changes = this.#sent
    const numbered = changes.length > 0 && { batch: this.#batch }
    const asked = { cursor: this.#cursor, collections: [this.#name], changes, echo: true, ...numbered }
    const reply = await this.#session.request<Reply>('/api/sync', asked)
    this.#apply(reply)
    return reply.more
  }

  /** The page holds the client's own writes too (FE12). Only refusals in the results add to it. */
  #apply({ results, changes, cursor, reset }: Reply): void {
    const touched = [...this.#sent, ...changes].map(({ key }) => key)
    if (reset) {
      touched.push(...this.#copy.keys())
      this.#copy.clear()
    }
    for (const { key, status, code } of results) if (status === 'rejected') this.refused.push({ key, code })
    for (const entry of changes) this.#take(entry)
    this.#sent = []
    this.#cursor = cursor
    this.#show(touched)
  }

  #take({ key, value, deleted, version }: Entry): void {
    if (deleted) this.#copy.delete(key)
    else this.#copy.set(key, { value, version })
  }

  #show(keys: readonly string[]): void {
    this.#port?.begin()
    for (const key of new Set(keys)) {
      const message = this.#messageOf(key)
      if (message) this.#port?.write(message)
    }
    this.#port?.commit()
  }

  /** Makes the row that the app sees: the last pending edit, or the server's copy. */
  #messageOf(key: string): ChangeMessageOrDeleteKeyMessage<Row, string> | undefined {
    const waiting = [...this.#sent, ...this.#queue].findLast((edit) => edit.key === key)
    const value = waiting ? waiting.value : (this.#copy.get(key)?.value as Row | undefined)
    const isShown = this.#shown.has(key)
    if (value) {
      this.#shown.add(key)
      return { type: isShown ? 'update' : 'insert', value }
    }
    this.#shown.delete(key)
    return isShown ? { type: 'delete', key: key.slice(this.#name.length + 1) } : undefined
  }
}
