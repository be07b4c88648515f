import type { Drafted, Edit } from './editor.ts'
import type { Found } from './store/store.ts'
import { ChronicleError } from './values/errors.ts'
import { jsonOf } from './values/json.ts'
import type { Readable } from './values/readable.ts'
import type { Json } from './values/wire.ts'
import { knownOf, type Row, stampOf } from './view/row.ts'
import type { RowChange, View } from './view/view.ts'

/** Schema of any library that follows the Standard Schema. */
export interface Schema<T> {
  readonly '~standard': {
    readonly validate: (value: unknown) => Validated<T> | Promise<Validated<T>>
  }
}

export type Validated<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] }

export interface EditOptions {
  /**
   * The `$version` of the row that the user saw, as in a form that was open for long. Otherwise an edit is made on the
   * newest version that this device has.
   */
  readonly base?: string | null
}

export interface Selection {
  /** Only rows whose id begins with this text. */
  readonly prefix?: string
}

/** Rows of a collection that are in a selection, by id in ascending order. Undefined until they are read. */
export type Query<T> = Readable<readonly Row<T>[] | undefined>

/** What a collection needs of the client. */
export interface Workshop {
  readonly now: () => number
  edit(make: () => Drafted | Promise<Drafted>, options?: { readonly reads: boolean }): Edit
  seal(value: Json, key: string): Promise<Json>
}

/** Entries of one collection: reads are of this device, and edits are saved on it before they are sent. */
export class Collection<T extends object> {
  readonly name: string
  /** Checks what is put. */
  readonly schema: Schema<T> | undefined
  readonly #view: View<T>
  readonly #workshop: Workshop

  constructor(name: string, view: View<T>, schema: Schema<T> | undefined, workshop: Workshop) {
    this.name = name
    this.#view = view
    this.schema = schema
    this.#workshop = workshop
  }

  /**
   * Writes a row. Resolves when it is saved on this device.
   *
   * Rejects with `invalid-value` if the value does not fit the schema, and with a `TypeError` if it has no JSON. Fields
   * that JSON does not have (`undefined`, functions) are left out.
   */
  put(id: string, value: T, { base }: EditOptions = {}): Edit {
    const key = `${this.name}/${id}`
    const timestamp = this.#workshop.now()
    const on = base === undefined ? {} : { base }
    // The value is copied now, because the app may change it afterwards.
    const copied = attempt(() => [checkId(id), jsonOf(value, key)] as const)
    return this.#workshop.edit(async () => {
      const [, copy] = copied()
      const sealed = await this.#workshop.seal(await this.#checked(copy, key), key)
      return { draft: { key, value: sealed, timestamp, ...on } }
    })
  }

  /**
   * Changes a row: `change` alters the copy that it gets, or returns another value. It may be called again if the row
   * has changed meanwhile. Resolves when the edit is saved on this device; rejects with `row-missing` if there is no row.
   */
  update(id: string, change: (value: T) => T | undefined): Edit {
    const key = `${this.name}/${id}`
    const timestamp = this.#workshop.now()
    const make = async (): Promise<Drafted> => {
      checkId(id)
      const { content, stamp } = await this.#view.get(id)
      if (content === undefined)
        throw new ChronicleError('row-missing', `${key} does not exist: create it with put()`)
      const copy = jsonOf(content, key) as T
      const changed = change(copy) ?? copy
      if (typeof changed !== 'object' || changed instanceof Promise)
        throw new TypeError(
          `the update of ${key} must return an object, or nothing: use braces, and no await`,
        )
      const value = await this.#checked(jsonOf(changed, key), key)
      const draft = { key, value: await this.#workshop.seal(value, key), timestamp }
      return { draft, isCurrent: (found) => stampIn(found, key) === stamp }
    }
    return this.#workshop.edit(make, { reads: true })
  }

  /** Deletes a row, if there is one. Resolves when that is saved on this device. */
  delete(id: string, { base }: EditOptions = {}): Edit {
    const timestamp = this.#workshop.now()
    const on = base === undefined ? {} : { base }
    return this.#workshop.edit(() => ({ draft: { key: `${this.name}/${checkId(id)}`, timestamp, ...on } }))
  }

  /** Reads a row of this device. */
  async get(id: string): Promise<Row<T> | undefined> {
    return (await this.#view.get(id)).row
  }

  /** Reads all rows of this device that are in the selection, by id in ascending order. */
  async all(selection: Selection = {}): Promise<readonly Row<T>[]> {
    await this.#view.settled()
    return selected(this.#view, selection)
  }

  /** Calls back with the rows of the selection, now and whenever one changes. Returns a function that ends this. */
  subscribe(selection: Selection, listener: (rows: readonly Row<T>[]) => void): () => void {
    const query = this.query(selection)
    const stop = query.subscribe((rows) => rows && listener(rows))
    const rows = query.getSnapshot()
    if (rows) listener(rows)
    return stop
  }

  /** Returns the rows of a selection as a value that changes. It is read while somebody subscribes. */
  query(selection: Selection = {}): Query<T> {
    const view = this.#view
    const { prefix = '' } = selection
    let rows: readonly Row<T>[] | undefined
    let revision = -1
    const isOf = ({ id }: RowChange<T>) => id.startsWith(prefix)
    const getSnapshot = () => {
      if (view.isLoaded && revision !== view.revision) rows = selected(view, selection)
      revision = view.revision
      return rows
    }
    return {
      getSnapshot,
      subscribe(listener) {
        const stop = view.observe((changes) => {
          const isSame = rows !== undefined && revision === view.revision - 1 && !changes.some(isOf)
          if (isSame) revision = view.revision
          else listener(getSnapshot())
        })
        void view.load()
        return stop
      },
    }
  }

  /** Returns a row as a value that changes: undefined until it is read, and null if it does not exist. */
  row(id: string): Readable<Row<T> | null | undefined> {
    const view = this.#view
    const getSnapshot = () => (view.isLoaded ? (view.at(id) ?? null) : undefined)
    return {
      getSnapshot,
      subscribe(listener) {
        let last = getSnapshot()
        const stop = view.observe(() => {
          const row = getSnapshot()
          if (row !== last) listener(row)
          last = row
        })
        void view.load()
        return stop
      },
    }
  }

  /**
   * Calls back with single rows: all that this device has at first, at once if they are read already, then those that
   * change. A row may come twice. For adapters.
   */
  observe(listener: (changes: readonly RowChange<T>[]) => void): () => void {
    const view = this.#view
    const stop = view.observe(listener)
    if (view.isLoaded) listener(Array.from(view.rows(), (row) => ({ id: row.$id, row })))
    else void view.load()
    return stop
  }

  /** Resolves when observers know all that was saved on this device before the call. For adapters. */
  settled(): Promise<void> {
    return this.#view.settled()
  }

  async #checked(value: Json, key: string): Promise<Json> {
    if (this.schema === undefined) return value
    const checked = await this.schema['~standard'].validate(value)
    const { issues } = checked
    if (issues)
      throw new ChronicleError(
        'invalid-value',
        `${key}: ${issues.map(({ message }) => message).join('; ')}`,
        { issues },
      )
    return jsonOf(checked.value, key)
  }
}

function selected<T>(view: View<T>, { prefix = '' }: Selection): readonly Row<T>[] {
  const rows = [...view.rows()] as Row<T>[]
  const inSelection = prefix === '' ? rows : rows.filter(({ $id }) => $id.startsWith(prefix))
  return inSelection.sort((one, other) => (one.$id < other.$id ? -1 : 1))
}

function stampIn(found: Found, key: string): string {
  const known = knownOf(found, [key]).get(key)
  return known ? stampOf(known) : ''
}

function checkId(id: string): string {
  if (typeof id !== 'string' || id === '') throw new TypeError('the id of a row must be a text')
  return id
}

/** Does it now, and returns the result, or throws what it has thrown, when it is called for. */
function attempt<R>(work: () => R): () => R {
  try {
    const result = work()
    return () => result
  } catch (thrown) {
    return () => {
      throw thrown
    }
  }
}
