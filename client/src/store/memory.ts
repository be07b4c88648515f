import type { Found, Outcome, QueuedEdit, ReplicaState, Store, StoredEntry, Wanted, Writes } from './store.ts'

/** Store that lives as long as this object: for tests, for Node, and where a browser has no IndexedDB. */
export class MemoryStore implements Store {
  readonly kind = 'memory'
  #state: ReplicaState | undefined
  readonly #entries = new Map<string, StoredEntry>()
  readonly #edits = new Map<number, QueuedEdit>()
  readonly #outcomes = new Map<number, Outcome>()

  async read(wanted: Wanted): Promise<Found> {
    return this.#find(wanted)
  }

  async update<T extends Writes>(wanted: Wanted, decide: (found: Found) => T): Promise<T> {
    const writes = decide(this.#find(wanted))
    this.#write(writes)
    return writes
  }

  async count() {
    return { entries: this.#entries.size, edits: this.#edits.size, outcomes: this.#outcomes.size }
  }

  onLost(): void {}

  async close(): Promise<void> {}

  async reset(state: ReplicaState): Promise<void> {
    this.#state = state
    for (const rows of [this.#entries, this.#edits, this.#outcomes]) rows.clear()
  }

  #find(wanted: Wanted): Found {
    const { keys = [], prefix, ids = [], first = 0 } = wanted
    const asked = new Set(keys)
    const isAsked = (key: string) => asked.has(key) || (prefix !== undefined && key.startsWith(prefix))
    const byId = new Set(ids)
    const edits = inOrder(this.#edits).filter(
      ({ id, key }, index) => wanted.edits || index < first || byId.has(id) || isAsked(key),
    )
    const entries = prefix === undefined ? this.#entriesAt(asked) : this.#entriesThat(isAsked)
    const outcomes = inOrder(this.#outcomes).filter(({ key }) => wanted.outcomes || isAsked(key))
    return { state: this.#state, entries, edits, outcomes }
  }

  #entriesAt(keys: ReadonlySet<string>): Map<string, StoredEntry> {
    const found = new Map<string, StoredEntry>()
    for (const key of keys) {
      const entry = this.#entries.get(key)
      if (entry) found.set(key, entry)
    }
    return found
  }

  #entriesThat(isAsked: (key: string) => boolean): Map<string, StoredEntry> {
    return new Map([...this.#entries].filter(([key]) => isAsked(key)))
  }

  #write(writes: Writes): void {
    const {
      state,
      entries = [],
      gone = [],
      edits = [],
      answered = [],
      outcomes = [],
      dismissed = [],
    } = writes
    if (state) this.#state = state
    for (const entry of entries) this.#entries.set(entry.key, entry)
    for (const key of gone) this.#entries.delete(key)
    for (const edit of edits) this.#edits.set(edit.id, edit)
    for (const id of answered) this.#edits.delete(id)
    for (const outcome of outcomes) this.#outcomes.set(outcome.id, outcome)
    for (const id of dismissed) this.#outcomes.delete(id)
  }
}

function inOrder<T extends { readonly id: number }>(rows: ReadonlyMap<number, T>): T[] {
  return [...rows.values()].sort((one, other) => one.id - other.id)
}
