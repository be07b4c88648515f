import type { CollectionConfig, SyncConfig } from '@tanstack/db'
import type { Chronicle } from './chronicle.ts'
import type { Validated } from './collection.ts'
import { isSame } from './values/same.ts'
import type { Json } from './values/wire.ts'
import type { Row, RowMeta } from './view/row.ts'
import type { RowChange } from './view/view.ts'

/**
 * A row as TanStack DB has it: a plain value, with two fields of this client that queries can use and that are not saved.
 * While TanStack DB waits for an edit to be saved on this device (`$hasPendingWrites`), they are those of the row before,
 * and absent in a new row.
 */
export type ChronicleRow<T extends object> = T & Partial<Pick<RowMeta, '$status' | '$version'>>

/** Schema of any library that follows the Standard Schema. It must not be asynchronous. */
export interface RowSchema<In = unknown, Out = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly types?: { readonly input: In; readonly output: Out } | undefined
    readonly validate: (value: unknown) => Validated<Out> | Promise<Validated<Out>>
  }
}

type Types<S extends RowSchema> = NonNullable<S['~standard']['types']>
type Input<S extends RowSchema> = Types<S>['input']
type Output<S extends RowSchema> = Types<S>['output'] extends object ? Types<S>['output'] : never

export interface ChronicleUtils {
  /**
   * Saves the changes of this collection that a transaction made by hand has, for its `mutationFn`. Resolves when they
   * are safe on this device.
   */
  readonly save: (transaction: Saving['transaction']) => Promise<void>
}

type Passed =
  | 'id'
  | 'gcTime'
  | 'startSync'
  | 'compare'
  | 'autoIndex'
  | 'defaultIndexType'
  | 'defaultStringCollation'

/** Options of a collection. Those of TanStack DB that are not named here are passed on. */
export interface ChronicleCollectionOptions<T extends object, K extends string | number>
  extends Pick<CollectionConfig<ChronicleRow<T>, K>, Passed> {
  readonly db: Pick<Chronicle, 'collection'>
  /** The name of the collection in the space. It is also the default of `id`. */
  readonly name: string
  /**
   * Returns the id of a row: the text of its key after `name/`, or a number that is written so. Rows that other clients
   * have stored under another id than this are left out.
   */
  readonly getKey: (row: T) => K
}

type Config<T extends object, K extends string | number, S extends RowSchema = never> = CollectionConfig<
  ChronicleRow<T>,
  K,
  S,
  ChronicleUtils
> & { readonly utils: ChronicleUtils }

/** A change of one row, as TanStack DB tells it. */
interface Mutation {
  readonly type: 'insert' | 'update' | 'delete'
  readonly key: string | number
  readonly original: object
  readonly modified: object
  readonly collection: unknown
}

interface Saving {
  readonly transaction: { readonly mutations: readonly Mutation[] }
}

/**
 * Options for `createCollection` of TanStack DB: a collection that holds the rows of this device. It is ready when they
 * are read, and does not wait for the network; `db.status` tells whether the space may hold more.
 *
 * A transaction is persisted when its edits are safe on this device, online or not. A refusal comes later: the row is
 * again what the service has, and the edit is in `db.troubles`. Each row tells how far its newest edit has come in
 * `$status`. An insert, update or delete rejects, and is rolled back, if the device cannot save it.
 *
 * Values must be JSON: a schema may change what is inserted, but no row that is read goes through it. Names of fields
 * that TanStack DB reserves, such as `$key`, are not saved.
 */
export function chronicleCollection<S extends RowSchema, K extends string | number = string>(
  options: ChronicleCollectionOptions<Output<S>, K> & { readonly schema: S },
): Config<Output<S>, K, RowSchema<Input<S>, ChronicleRow<Output<S>>>> & {
  schema: RowSchema<Input<S>, ChronicleRow<Output<S>>>
}
export function chronicleCollection<T extends object, K extends string | number = string>(
  options: ChronicleCollectionOptions<T, K> & { readonly schema?: never },
): Config<T, K> & { schema?: never }
export function chronicleCollection<T extends object, K extends string | number>({
  db,
  name,
  getKey,
  schema,
  ...passed
}: ChronicleCollectionOptions<T, K> & { readonly schema?: RowSchema }): object {
  const rows = db.collection<T>(name)
  let own: unknown
  /** The rows of this device. The app may not see the newest yet: TanStack DB holds rows back while it saves edits. */
  let known = new Map<string, ChronicleRow<T>>()

  const sync: SyncConfig<ChronicleRow<T>, K>['sync'] = ({ collection, begin, write, commit, markReady }) => {
    const shown = new Map<string, ChronicleRow<T>>()
    own = collection
    known = shown

    function show({ id, row }: RowChange<T>): void {
      const before = shown.get(id)
      if (row && String(getKey(row)) === id) {
        const value = plainRow(row)
        shown.set(id, value)
        write({ type: before ? 'update' : 'insert', value })
      } else if (before) {
        shown.delete(id)
        write({ type: 'delete', key: getKey(before) })
      }
    }

    return rows.observe((changes) => {
      begin()
      changes.forEach(show)
      commit()
      markReady()
    })
  }

  function edit({ type, key, original, modified }: Mutation): Promise<void> {
    const id = String(key)
    const options = baseOf(known.get(id), type === 'insert' ? undefined : (original as ChronicleRow<T>))
    return type === 'delete' ? rows.delete(id, options) : rows.put(id, withoutMeta(modified) as T, options)
  }

  /** Resolves when the edits are saved and have come back through `sync`, so that no row flickers. */
  async function save(mutations: readonly Mutation[]): Promise<void> {
    await Promise.all(mutations.map(edit))
    await rows.settled()
  }

  const handler = ({ transaction }: Saving) => save(transaction.mutations)
  return {
    id: name,
    ...passed,
    getKey,
    ...(schema && { schema: valueSchema(schema) }),
    sync: { rowUpdateMode: 'full' as const, sync },
    onInsert: handler,
    onUpdate: handler,
    onDelete: handler,
    utils: {
      save: ({ mutations }: Saving['transaction']) =>
        save(mutations.filter(({ collection }) => collection === own)),
    },
  }
}

function plainRow<T extends object>(row: Row<T>): ChronicleRow<T> {
  return { ...row, $status: row.$status, $version: row.$version }
}

/** Fields of this client and of TanStack DB, which an app may copy from one row into another. */
const META = ['$status', '$version', '$key', '$origin', '$synced', '$collectionId', '$hasPendingWrites']

function withoutMeta(row: object): Json {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !META.includes(name)))
}

/**
 * Returns the version that the user saw, if this device has another content now. The service then sees a concurrent
 * edit. If the content is the same, it is the user's own edit that has come further, and the newest version is the base.
 */
function baseOf<T extends object>(
  known: ChronicleRow<T> | undefined,
  seen: ChronicleRow<T> | undefined,
): { readonly base?: string | null } {
  if (isSame(known && withoutMeta(known), seen && withoutMeta(seen))) return {}
  const base = seen ? seen.$version : null
  return base === undefined ? {} : { base }
}

/** Checks the value of a row, which does not have the fields of this client. */
function valueSchema({ '~standard': standard }: RowSchema): RowSchema {
  const validate = (value: unknown) => standard.validate(withoutMeta(value as object))
  return { '~standard': { ...standard, validate } }
}
