import type { Edit } from './editor.ts'
import type { Choice, Outcome, Store, Trouble as TroubleStatus } from './store/store.ts'
import { type Readable, Variable } from './values/readable.ts'
import type { Conflict, Json } from './values/wire.ts'

/**
 * An edit that needs attention. It outlives reloads, until one of its methods has ended it.
 *
 * - `rejected`: the service refused it for good, for the reason `code`.
 * - `superseded`: it lost to the edit `theirs`, and is kept in the conflict.
 * - `conflict`: the service keeps both edits until somebody decides (policy `manual`).
 * - `orphaned`: the service had taken it, and was then erased or restored: only this device has the value now.
 */
export interface Trouble {
  readonly status: TroubleStatus
  readonly key: string
  /** The value of the edit; undefined for a deletion. */
  readonly mine: Json | undefined
  /** The value that won, or that is current in an open conflict; undefined for a deletion, or if it is not known. */
  readonly theirs: Json | undefined
  /** The value that the edit was made on; undefined if there was none. */
  readonly base: Json | undefined
  readonly code: string | undefined
  /** The place of the fault in the value, a JSON pointer. */
  readonly path: string | undefined
  readonly conflict: Conflict | undefined
  /** When the edit was made, ms since 1970. */
  readonly timestamp: number
  /** Makes the edit again on the current version, with another value if one is given. */
  retry(value?: Json): Edit
  /** Decides an open conflict: for one of the two sides, or for another value. Works offline. */
  resolve(choice: 'mine' | 'theirs' | { readonly value: Json }): Edit
  /** Ends the trouble. What the service has stays. */
  discard(): Promise<void>
}

/** An edit that ends a trouble. */
export interface Ending {
  readonly ends: Outcome
  readonly resolves?: Choice
}

interface TroublesOptions {
  readonly store: () => Store
  readonly open: (value: Json, key: string) => Promise<Json>
  readonly write: (key: string, value: Json | undefined, ending: Ending) => Edit
  readonly discard: (outcome: Outcome) => Promise<void>
}

/** The edits of this device that need attention. */
export class Troubles {
  readonly list: Readable<readonly Trouble[]>
  readonly #options: TroublesOptions
  readonly #variable = new Variable<readonly Trouble[]>([])
  #known = new Map<number, Trouble>()
  readonly #listeners = new Set<(trouble: Trouble) => void>()
  #work: Promise<void> = Promise.resolve()

  constructor(options: TroublesOptions) {
    this.#options = options
    this.list = this.#variable
  }

  /** Reads the outcomes again, and tells those that are new. */
  refresh(): Promise<void> {
    this.#work = this.#work.then(() => this.#read()).catch(() => {})
    return this.#work
  }

  /** Calls back with each trouble of this status: those there are, and each new one. */
  on(status: TroubleStatus, listener: (trouble: Trouble) => void): () => void {
    const hear = (trouble: Trouble) => {
      if (trouble.status === status) listener(trouble)
    }
    const known = this.#variable.getSnapshot()
    this.#listeners.add(hear)
    queueMicrotask(() => this.#listeners.has(hear) && known.forEach(hear))
    return () => void this.#listeners.delete(hear)
  }

  async #read(): Promise<void> {
    const { outcomes } = await this.#options.store().read({ outcomes: true })
    const before = this.#known
    if (outcomes.length === before.size && outcomes.every(({ id }) => before.has(id))) return
    const now = outcomes.map(
      async (outcome) => [outcome.id, before.get(outcome.id) ?? (await this.#of(outcome))] as const,
    )
    this.#known = new Map(await Promise.all(now))
    this.#variable.set([...this.#known.values()])
    for (const [id, trouble] of this.#known)
      if (!before.has(id)) for (const listener of [...this.#listeners]) listener(trouble)
  }

  async #of(outcome: Outcome): Promise<Trouble> {
    const { key, status, edit, code, path, conflict } = outcome
    const { open, write, discard } = this.#options
    const read = async (value: unknown) => (value === undefined ? undefined : open(value as Json, key))
    const winner = conflict?.winner
    const theirs = await read(winner && 'value' in winner ? winner.value : undefined)
    const mine = await read(edit.value)
    const base = await read(edit.before)
    const decide = (choice: Choice['choice'], value: Json | undefined) => {
      if (!conflict) throw new TypeError('only a trouble with the status "conflict" can be resolved')
      return write(key, value, { ends: outcome, resolves: { conflict, choice } })
    }
    return {
      ...{ status, key, mine, theirs, base, code, path, conflict, timestamp: edit.timestamp },
      retry: (value = mine) => write(key, value, { ends: outcome }),
      resolve(choice) {
        if (choice === 'mine') return decide('loser', mine)
        if (choice === 'theirs') return decide('winner', theirs)
        return decide('value', choice.value)
      },
      discard: () => discard(outcome),
    }
  }
}
