import type { Found, ReplicaState, Store, Wanted, Writes } from '../../../client/src/store/store.ts'
import type { Tab } from './tab.ts'

/** A transaction that was committed. */
export interface Commit {
  readonly tab: Tab
  readonly before: ReplicaState | undefined
  readonly writes: Writes
  /** All rows after it. */
  readonly rows: Found
}

interface Access {
  readonly tab: Tab
  readonly isWrite: boolean
  readonly run: () => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

/** The store of a device. Its tabs share it, and the history decides when a transaction runs. */
export class Disk {
  /** Counts how often the store was cleared, or lost. */
  life = 0
  #connection = 0
  #store: Store
  readonly #empty: () => Store
  #queue: Access[] = []
  readonly #kind: string
  readonly #onCommit: (commit: Commit) => void
  readonly #losers = new Map<Tab, () => void>()

  constructor(empty: () => Store, kind: string, onCommit: (commit: Commit) => void) {
    this.#empty = empty
    this.#store = empty()
    this.#kind = kind
    this.#onCommit = onCommit
  }

  get isReady(): boolean {
    return this.#queue.some(({ tab }) => tab.runs)
  }

  get hasWrite(): boolean {
    return this.#queue.some(({ tab, isWrite }) => tab.runs && isWrite)
  }

  rows(): Promise<Found> {
    return this.#store.read({ prefix: '', outcomes: true })
  }

  /** The store as one tab has it open. */
  openFor(tab: Tab): Store {
    const connection = this.#connection
    let isClosed = false
    const enqueue = <T>(isWrite: boolean, run: () => Promise<T>): Promise<T> => {
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      const guarded = () =>
        isClosed || this.#connection !== connection
          ? Promise.reject(new DOMException('closed', 'InvalidStateError'))
          : run()
      this.#queue.push({ tab, isWrite, run: guarded, resolve: resolve as Access['resolve'], reject })
      return promise
    }
    return {
      kind: this.#kind,
      read: (wanted) => enqueue(false, () => this.#store.read(wanted)),
      count: () => enqueue(false, () => this.#store.count()),
      update: (wanted, decide) => enqueue(true, () => this.#update(tab, wanted, decide)),
      onLost: (listener) => void this.#losers.set(tab, listener),
      close: async () => {
        isClosed = true
      },
      reset: (state) =>
        enqueue(true, async () => {
          await this.#store.reset(state)
          this.life += 1
        }),
    }
  }

  /** Runs the next transaction of a tab that runs. Returns the tab. */
  async step(): Promise<Tab> {
    const { tab, run, resolve, reject } = this.#take(() => true)
    await run().then(
      (value) => tab.queue('disk', () => resolve(value)),
      (reason: unknown) => {
        if (reason instanceof Error && reason.name === 'Violation') throw reason
        tab.queue('disk', () => reject(reason))
      },
    )
    return tab
  }

  /** Lets the next transaction that writes fail, as on a full disk. */
  fail(): void {
    const { tab, reject } = this.#take(({ isWrite }) => isWrite)
    tab.queue('disk', () => reject(new DOMException('the disk is full', 'QuotaExceededError')))
  }

  /** The browser removes everything. `isTold`: open tabs lose their connection, and otherwise find an empty store. */
  clear(isTold: boolean): void {
    this.#store = this.#empty()
    this.life += 1
    if (!isTold) return
    this.#connection += 1
    for (const [tab, loser] of this.#losers) tab.queue('page', loser)
    this.#losers.clear()
  }

  drop(tab: Tab): void {
    this.#queue = this.#queue.filter((access) => access.tab !== tab)
    this.#losers.delete(tab)
  }

  #take(isWanted: (access: Access) => boolean): Access {
    const index = this.#queue.findIndex((access) => access.tab.runs && isWanted(access))
    const [access] = this.#queue.splice(index, 1)
    if (access === undefined) throw new Error('no transaction waits')
    return access
  }

  async #update<T extends Writes>(tab: Tab, wanted: Wanted, decide: (found: Found) => T): Promise<T> {
    let before: ReplicaState | undefined
    const writes = await this.#store.update(wanted, (found) => {
      before = found.state
      return decide(found)
    })
    this.#onCommit({ tab, before, writes, rows: await this.rows() })
    return writes
  }
}
