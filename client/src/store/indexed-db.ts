import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb'
import { isDomException } from '../values/errors.ts'
import type { Found, Outcome, QueuedEdit, ReplicaState, Store, StoredEntry, Wanted, Writes } from './store.ts'

/** Grows with each change of the tables. A step never drops the queue: it copies it first. */
const LAYOUT = 1

interface Tables extends DBSchema {
  state: { key: 'state'; value: ReplicaState }
  entries: { key: string; value: StoredEntry }
  edits: { key: number; value: QueuedEdit; indexes: { key: string } }
  outcomes: { key: number; value: Outcome; indexes: { key: string } }
}

const TABLES = ['state', 'entries', 'edits', 'outcomes'] as const
type Mode = 'readonly' | 'readwrite'
type Transaction<M extends Mode> = IDBPTransaction<Tables, typeof TABLES, M>

/** Opens the store of this name, which all tabs of the origin share. Rejects where the browser has no IndexedDB. */
export async function openIndexedDb(name: string): Promise<Store> {
  try {
    return await open(name)
  } catch (thrown) {
    // The browser aborts what it opens while it clears the data of the origin.
    if (!isDomException(thrown) || thrown.name !== 'AbortError') throw thrown
    return open(name)
  }
}

async function open(name: string): Promise<Store> {
  let onLost = () => {}
  const database = await openDB<Tables>(name, LAYOUT, {
    upgrade(created) {
      created.createObjectStore('state')
      created.createObjectStore('entries', { keyPath: 'key' })
      created.createObjectStore('edits', { keyPath: 'id' }).createIndex('key', 'key')
      created.createObjectStore('outcomes', { keyPath: 'id' }).createIndex('key', 'key')
    },
    // A tab of a newer release waits for this one.
    blocking() {
      database.close()
      onLost()
    },
    terminated: () => onLost(),
  })
  return new IndexedDbStore(database, (listener) => {
    onLost = listener
  })
}

class IndexedDbStore implements Store {
  readonly kind = 'indexeddb'
  readonly onLost: Store['onLost']
  readonly #database: IDBPDatabase<Tables>

  constructor(database: IDBPDatabase<Tables>, onLost: Store['onLost']) {
    this.#database = database
    this.onLost = onLost
  }

  async read(wanted: Wanted): Promise<Found> {
    const transaction = this.#database.transaction(TABLES, 'readonly')
    // A database that the browser closes fails the reads, and this promise too.
    transaction.done.catch(() => {})
    return find(transaction, wanted)
  }

  async update<T extends Writes>(wanted: Wanted, decide: (found: Found) => T): Promise<T> {
    // `strict` waits for the disk: an edit is promised to be safe.
    const transaction = this.#database.transaction(TABLES, 'readwrite', { durability: 'strict' })
    // The rejection is the one of `done`, if a step fails too.
    const done = transaction.done.then(
      () => null,
      (reason: unknown) => ({ reason }),
    )
    let writes: T
    try {
      writes = decide(await find(transaction, wanted))
      write(transaction, writes)
    } catch (thrown) {
      abort(transaction)
      await done
      throw thrown
    }
    const failure = await done
    if (failure) throw failure.reason
    return writes
  }

  async count() {
    const transaction = this.#database.transaction(TABLES, 'readonly')
    transaction.done.catch(() => {})
    const [entries, edits, outcomes] = await Promise.all([
      transaction.objectStore('entries').count(),
      transaction.objectStore('edits').count(),
      transaction.objectStore('outcomes').count(),
    ])
    return { entries, edits, outcomes }
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  /** Leaves empty tables behind. Deleting the database would wait for each tab that is frozen, as would its opening. */
  async reset(state: ReplicaState): Promise<void> {
    const transaction = this.#database.transaction(TABLES, 'readwrite', { durability: 'strict' })
    for (const name of TABLES) void transaction.objectStore(name).clear()
    void transaction.objectStore('state').put(state, 'state')
    await transaction.done
  }
}

async function find<M extends Mode>(transaction: Transaction<M>, wanted: Wanted): Promise<Found> {
  const [state, entries, edits, outcomes] = await Promise.all([
    transaction.objectStore('state').get('state'),
    entriesOf(transaction, wanted),
    editsOf(transaction, wanted),
    outcomesOf(transaction, wanted),
  ])
  return { state, entries, edits, outcomes }
}

async function entriesOf<M extends Mode>(transaction: Transaction<M>, { keys = [], prefix }: Wanted) {
  const table = transaction.objectStore('entries')
  const lists = [Promise.all(keys.map((key) => table.get(key)))]
  if (prefix !== undefined) lists.push(table.getAll(startingWith(prefix)))
  const found = new Map<string, StoredEntry>()
  for (const entry of (await Promise.all(lists)).flat()) if (entry) found.set(entry.key, entry)
  return found
}

async function editsOf<M extends Mode>(transaction: Transaction<M>, wanted: Wanted): Promise<QueuedEdit[]> {
  const { keys = [], prefix, ids = [], first = 0 } = wanted
  const table = transaction.objectStore('edits')
  const lists: Promise<(QueuedEdit | undefined)[]>[] = []
  if (wanted.edits) return table.getAll()
  if (first > 0) lists.push(table.getAll(null, first))
  lists.push(Promise.all(ids.map((id) => table.get(id))), ...rowsOf(table.index('key'), keys, prefix))
  return inOrder((await Promise.all(lists)).flat())
}

async function outcomesOf<M extends Mode>(
  transaction: Transaction<M>,
  { keys = [], prefix, outcomes }: Wanted,
) {
  if (outcomes) return transaction.objectStore('outcomes').getAll()
  const index = transaction.objectStore('outcomes').index('key')
  return inOrder((await Promise.all(rowsOf(index, keys, prefix))).flat())
}

interface Index<T> {
  getAll(query?: IDBKeyRange | string | null): Promise<T[]>
  count(): Promise<number>
}

/** Reads the rows of some keys. Few tables hold more rows than a page has keys, so the smaller number of reads wins. */
function rowsOf<T extends { readonly key: string }>(
  index: Index<T>,
  keys: readonly string[],
  prefix?: string,
) {
  const lists: Promise<T[]>[] = prefix === undefined ? [] : [index.getAll(startingWith(prefix))]
  if (keys.length > 0) lists.push(rowsAt(index, keys))
  return lists
}

async function rowsAt<T extends { readonly key: string }>(
  index: Index<T>,
  keys: readonly string[],
): Promise<T[]> {
  if ((await index.count()) > keys.length)
    return (await Promise.all(keys.map((key) => index.getAll(key)))).flat()
  const asked = new Set(keys)
  return (await index.getAll()).filter(({ key }) => asked.has(key))
}

function inOrder<T extends { readonly id: number }>(rows: readonly (T | undefined)[]): T[] {
  const byId = new Map(rows.flatMap((row) => (row ? [[row.id, row] as const] : [])))
  return [...byId.values()].sort((one, other) => one.id - other.id)
}

function startingWith(prefix: string): IDBKeyRange | null {
  if (prefix === '') return null
  const last = prefix.charCodeAt(prefix.length - 1)
  return IDBKeyRange.bound(prefix, prefix.slice(0, -1) + String.fromCharCode(last + 1), false, true)
}

/** Requests are not awaited one by one: the transaction reports a failure of any. */
function write(transaction: Transaction<'readwrite'>, writes: Writes): void {
  const [state, entries, edits, outcomes] = TABLES.map((name) =>
    transaction.objectStore(name),
  ) as unknown as [
    { put(row: ReplicaState, key: 'state'): Promise<unknown> },
    Rows<StoredEntry, string>,
    Rows<QueuedEdit, number>,
    Rows<Outcome, number>,
  ]
  const requests = [
    ...(writes.state ? [state.put(writes.state, 'state')] : []),
    ...replace(entries, writes.entries, writes.gone),
    ...replace(edits, writes.edits, writes.answered),
    ...replace(outcomes, writes.outcomes, writes.dismissed),
  ]
  for (const request of requests) request.catch(() => {})
}

interface Rows<T, K> {
  put(row: T): Promise<unknown>
  delete(key: K): Promise<unknown>
}

function replace<T, K>(
  table: Rows<T, K>,
  rows: readonly T[] = [],
  keys: readonly K[] = [],
): Promise<unknown>[] {
  return [...rows.map((row) => table.put(row)), ...keys.map((key) => table.delete(key))]
}

function abort(transaction: Transaction<'readwrite'>): void {
  try {
    transaction.abort()
  } catch {
    // It has ended already.
  }
}
