import type { Edit } from './editor.ts'
import type { Choice, Outcome, Store, TroubleStatus } from './store/store.ts'
import { notify, type Readable, Variable } from './values/readable.ts'
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
  /** The same as long as the trouble lasts, and not given again on this device. */
  readonly id: number
  readonly status: TroubleStatus
  /** Collection and id, such as `notes/n1`. */
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
  /** Makes the edit again on the current version, with another value if one is given. In a second tab it does nothing. */
  retry(value?: Json | object): Edit
  /** Decides an open conflict: for one of the two sides, or for another value. Works offline. */
  resolve(choice: 'mine' | 'theirs' | { readonly value: Json | object }): Edit
  /** Ends the trouble. The service keeps its version. */
  discard(): Promise<void>
}

/** An edit that ends a trouble. */
export interface Ending {
  readonly ends: Outcome
  /** The version that the user saw. */
  readonly base?: string | null
  readonly resolves?: Choice
}

interface TroublesOptions {
  readonly store: () => Store
  readonly open: (value: Json, key: string) => Promise<Json>
  readonly write: (key: string, value: Json | object | undefined, ending: Ending) => Edit
  readonly discard: (outcome: Outcome) => Promise<void>
}

/** The edits of this device that need attention. */
export class Troubles {
  readonly list: Readable<readonly Trouble[]>
  readonly #options: TroublesOptions
  readonly #variable = new Variable<readonly Trouble[]>([])
  #known = new Map<number, { readonly stamp: string; readonly trouble: Trouble }>()
  readonly #listeners = new Set<(trouble: Trouble) => void>()
  #work: Promise<void> = Promise.resolve()
  #isHidden = false

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

  /** Shows nothing, because the data is of another user, or shows the troubles again. */
  hide(isHidden: boolean): void {
    this.#isHidden = isHidden
    this.#show()
    if (!isHidden) void this.refresh()
  }

  #show(): void {
    const known = Array.from(this.#known.values(), ({ trouble }) => trouble)
    this.#variable.set(this.#isHidden ? [] : known)
  }

  async #read(): Promise<void> {
    if (this.#isHidden) return
    const before = this.#known
    const stamps = await this.#stamps()
    if (
      stamps.size === before.size &&
      [...stamps].every(([{ id }, stamp]) => before.get(id)?.stamp === stamp)
    )
      return
    const now = Array.from(stamps, async ([outcome, stamp]) => {
      const known = before.get(outcome.id)
      return [
        outcome.id,
        known?.stamp === stamp ? known : { stamp, trouble: await this.#of(outcome) },
      ] as const
    })
    this.#known = new Map(await Promise.all(now))
    this.#show()
    for (const [id, { trouble }] of this.#known) if (!before.has(id)) notify(this.#listeners, trouble)
  }

  /** The outcomes, each with the version of the entry that it is shown against, if that changes. */
  async #stamps(): Promise<Map<Outcome, string>> {
    const store = this.#options.store()
    const { outcomes } = await store.read({ outcomes: true })
    const open = outcomes.filter(isAgainstCurrent)
    if (open.length === 0) return new Map(outcomes.map((outcome) => [outcome, '']))
    const { entries } = await store.read({ keys: open.map(({ key }) => key) })
    return new Map(
      outcomes.map((outcome) => [
        outcome,
        open.includes(outcome) ? (entries.get(outcome.key)?.version ?? '') : '',
      ]),
    )
  }

  async #of(outcome: Outcome): Promise<Trouble> {
    const { key, status, edit, code, path, conflict } = outcome
    const { store, open, write, discard } = this.#options
    const read = async (value: unknown) =>
      value === undefined ? undefined : open(value as Json, key).catch(() => undefined)
    const entry = (await store().read({ keys: [key] })).entries.get(key)
    const winner = conflict?.winner
    const isKnown = !isAgainstCurrent(outcome) && winner !== undefined && !('omitted' in winner)
    const theirs = await read(isKnown ? ('value' in winner ? winner.value : undefined) : entry?.value)
    // The edit of a decision that has to be made again has the value that was chosen.
    const loser = status === 'conflict' ? conflict?.loser : undefined
    const mine = await read(loser && 'value' in loser ? loser.value : edit.value)
    const base = await read(edit.before)
    const decide = (choice: Choice['choice'], value: Json | object | undefined) => {
      if (!conflict) throw new TypeError('only a trouble with the status "conflict" can be resolved')
      return write(key, value, {
        ends: outcome,
        base: entry?.version ?? null,
        resolves: { conflict, choice },
      })
    }
    return {
      ...{ id: outcome.id, status, key, mine, theirs, base, code, path, conflict, timestamp: edit.timestamp },
      retry: (value = mine) => write(key, value, { ends: outcome }),
      resolve(choice) {
        if (choice === 'mine') return decide('loser', mine)
        if (choice !== 'theirs') return decide('value', choice.value)
        return decide(theirs === undefined ? 'winner' : 'value', theirs)
      },
      discard: () => discard(outcome),
    }
  }
}

/** An open conflict is decided against what is current now, and a late decision has lost to it. */
function isAgainstCurrent({ status, edit }: Outcome): boolean {
  return status === 'conflict' || edit.resolves !== undefined
}
