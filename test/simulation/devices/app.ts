import type { Edit } from '../../../client/src/editor.ts'
import type { QueuedEdit } from '../../../client/src/store/store.ts'
import type { Trouble } from '../../../client/src/troubles.ts'
import type { Json } from '../../../client/src/values/wire.ts'
import type { Random } from '../values/random.ts'
import { isGranted, sameJson } from '../values/wire.ts'
import type { Browser } from './browser.ts'
import { follow, type Made } from './made.ts'
import type { Tab } from './tab.ts'

const KEYS = ['notes/1', 'notes/2', 'notes/3', 'tasks/1', 'tasks/2', 'tasks/a/b'] as const
const COMMON: readonly Json[] = [{ a: 1, b: [true] }, { b: [true], a: 1 }, {}]
const FIELDS = ['a', 'b', 'c', 'd'] as const

/** The user and the app of a device: edits rows, and deals with the edits that need attention. */
export class App {
  readonly #random: Random
  #values = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** Makes a few edits at once, often several of one row. */
  edit(browser: Browser, tab: Tab): void {
    const random = this.#random
    const sticks = random.chance(0.4)
    let key = this.#keyFor(browser)
    for (let edits = random.between(1, 3); edits > 0; edits--) {
      this.#make(tab, key)
      if (!sticks) key = this.#keyFor(browser)
    }
  }

  /** Ends one of the edits that need attention, in one of the ways that there are. Returns it. */
  attend(tab: Tab): Trouble | undefined {
    const random = this.#random
    const troubles = tab.chronicle?.troubles.getSnapshot() ?? []
    if (troubles.length === 0) return undefined
    const trouble = random.pick(troubles)
    const way = random.between(0, trouble.status === 'conflict' ? 3 : 1)
    const value = this.#fields()
    if (way === 0) void trouble.discard().catch(() => {})
    else if (way === 1) this.#follow(tab, trouble.key, { edit: trouble.retry(value), fits: equals(value) })
    else {
      const choice = random.pick(['mine', 'theirs', { value }] as const)
      const fits = ({ resolves }: QueuedEdit) => resolves !== undefined
      this.#follow(tab, trouble.key, { edit: trouble.resolve(choice), fits })
    }
    return trouble
  }

  #keyFor({ user, collections }: Browser): string {
    const isWanted = (key: string) => isGranted(collections, key)
    const isFine = (key: string) => isWanted(key) && isGranted(user.granted, key)
    return this.#random.pick(KEYS.filter(this.#random.chance(0.04) ? isWanted : isFine))
  }

  #make(tab: Tab, key: string): void {
    const random = this.#random
    const [name = '', ...rest] = key.split('/')
    const id = rest.join('/')
    const rows = tab.chronicle?.collection<{ [field: string]: Json }>(name)
    if (rows === undefined) return
    const way = random.next()
    const value = this.#value()
    if (way < 0.35) {
      const fields = this.#fields()
      const edit = rows.update(id, (row) => void Object.assign(row, fields))
      this.#follow(tab, key, { edit, fits: includes(fields) })
    } else if (way < 0.55) this.#follow(tab, key, { edit: rows.delete(id), fits: equals(undefined) })
    else if (way < 0.58) {
      // Such a key is refused.
      this.#follow(tab, `${name}/\n`, { edit: rows.put('\n', value), fits: equals(value) })
    } else {
      const isNew = way < 0.62 && { base: null }
      this.#follow(tab, key, { edit: rows.put(id, value, { ...isNew }), fits: equals(value) })
    }
  }

  #follow(tab: Tab, key: string, { edit, fits }: Pick<Made, 'fits'> & { readonly edit: Edit }): void {
    tab.made.push(follow({ key, fits }, edit))
  }

  /** A value that others may write too, or one that nobody else writes. */
  #value(): { readonly [field: string]: Json } {
    const random = this.#random
    return random.chance(0.1) ? (random.pick(COMMON) as { readonly [field: string]: Json }) : this.#fields()
  }

  #fields(): { readonly [field: string]: Json } {
    this.#values += 1
    const random = this.#random
    return Object.fromEntries(
      Array.from({ length: random.between(1, 2) }, () => [random.pick(FIELDS), `${this.#values}`]),
    )
  }
}

function equals(value: Json | undefined): Made['fits'] {
  return (edit) => sameJson(edit.value, value)
}

function includes(fields: { readonly [field: string]: Json }): Made['fits'] {
  return ({ value }) => sameJson(value, { ...(value as object), ...fields })
}
