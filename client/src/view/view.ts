import type { Found, Store } from '../store/store.ts'
import { notify } from '../values/readable.ts'
import type { Json } from '../values/wire.ts'
import { contentOf, type Known, knownOf, type Row, rowOf, stampOf } from './row.ts'

/** A row that has changed; absent if it is gone. */
export interface RowChange<T> {
  readonly id: string
  readonly row: Row<T> | undefined
}

interface Shown<T> {
  readonly stamp: string
  readonly row: Row<T>
}

interface ViewOptions {
  readonly store: () => Store
  /** The name of the collection and a slash. */
  readonly prefix: string
  readonly open: (value: Json, key: string) => Promise<Json>
  /** A read has failed. */
  readonly onFailure: (reason: unknown) => void
}

/** Rows of one collection: the copy with the queue laid over it. Read from the store once, and then as it changes. */
export class View<T> {
  readonly #store: () => Store
  readonly #prefix: string
  readonly #open: (value: Json, key: string) => Promise<Json>
  readonly #rows = new Map<string, Shown<T>>()
  readonly #listeners = new Set<(changes: readonly RowChange<T>[]) => void>()
  #loading: Promise<void> | undefined
  #isLoaded = false
  #revision = 0
  #isHidden = false
  /** Reads one after the other, so that an older read does not overtake a newer one. */
  #work: Promise<void> = Promise.resolve()

  readonly #onFailure: (reason: unknown) => void

  constructor({ store, prefix, open, onFailure }: ViewOptions) {
    this.#store = store
    this.#prefix = prefix
    this.#open = open
    this.#onFailure = onFailure
  }

  get isLoaded(): boolean {
    return this.#isLoaded
  }

  /** Grows with each change. */
  get revision(): number {
    return this.#revision
  }

  /** The row as it was read. */
  at(id: string): Row<T> | undefined {
    return this.#rows.get(id)?.row
  }

  /** The rows by id, in no order. */
  *rows(): IterableIterator<Row<T>> {
    for (const { row } of this.#rows.values()) yield row
  }

  /** Reads the collection from the store, the first time. */
  load(): Promise<void> {
    this.#loading ??= this.#enqueue(async () => {
      const found = await this.#store().read({ prefix: this.#prefix })
      await this.#show(found, keysOf(found))
    })
    return this.#loading
  }

  /** Resolves when the rows show, and listeners know, all that was saved before the call. */
  settled(): Promise<void> {
    void this.load()
    return this.#work
  }

  /** Reads these keys again, or all of them. */
  refresh(keys: readonly string[] | null): Promise<void> {
    if (this.#loading === undefined) return Promise.resolve()
    const own = keys?.filter((key) => key.startsWith(this.#prefix))
    if (own?.length === 0) return Promise.resolve()
    return this.#enqueue(async () => {
      // Where the first read has failed, all rows are missing.
      const read = this.#isLoaded ? own : undefined
      const found = await this.#store().read(read ? { keys: read } : { prefix: this.#prefix })
      const shown = Array.from(this.#rows.keys(), (id) => this.#prefix + id)
      await this.#show(found, read ?? [...keysOf(found), ...shown])
    })
  }

  /** Reads one row. */
  async get(id: string): Promise<{
    readonly row: Row<T> | undefined
    readonly content: Json | undefined
    readonly stamp: string
  }> {
    const key = this.#prefix + id
    const found = await this.#store().read({ keys: [key] })
    const known = knownOf(found, [key]).get(key) as Known
    const content = await this.#contentOf(key, known)
    return {
      row: content === undefined ? undefined : rowOf<T>(id, content, known),
      content,
      stamp: stampOf(known),
    }
  }

  /** Shows nothing, because the data is of another user, or shows the rows again. */
  hide(isHidden: boolean): void {
    this.#isHidden = isHidden
    const changes = Array.from(this.#rows.keys(), (id) => ({ id, row: undefined }))
    this.#rows.clear()
    this.#tell(changes)
    if (!isHidden) void this.refresh(null)
  }

  /** Calls back with the rows that change. */
  observe(listener: (changes: readonly RowChange<T>[]) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #enqueue(job: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(job).catch(this.#onFailure)
    return this.#work
  }

  async #show(found: Found, keys: Iterable<string>): Promise<void> {
    const changes: RowChange<T>[] = []
    for (const [key, known] of knownOf(found, keys)) {
      const id = key.slice(this.#prefix.length)
      const stamp = stampOf(known)
      const before = this.#rows.get(id)
      if (before?.stamp === stamp) continue
      const content = await this.#contentOf(key, known)
      const row = content === undefined ? undefined : rowOf<T>(id, content, known)
      if (row) this.#rows.set(id, { stamp, row })
      else this.#rows.delete(id)
      if (row || before) changes.push({ id, row })
    }
    if (changes.length > 0 || !this.#isLoaded) this.#tell(changes)
  }

  /** A value that cannot be opened is left out: other rows are shown all the same. */
  async #contentOf(key: string, known: Known): Promise<Json | undefined> {
    const content = contentOf(known)
    if (content === undefined || this.#isHidden) return undefined
    return this.#open(content, key).catch(() => undefined)
  }

  #tell(changes: readonly RowChange<T>[]): void {
    this.#isLoaded = true
    this.#revision += 1
    notify(this.#listeners, changes)
  }
}

function keysOf({ entries, edits }: Found): Set<string> {
  return new Set([...entries.keys(), ...edits.map(({ key }) => key)])
}
