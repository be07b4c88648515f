import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/** Observes the use of a database, and may throw to abort it. */
export interface Watch {
  /** Before each statement; `writes` if it may change something. */
  statement(writes: boolean): void
  /** Before a transaction is committed. */
  committing?(): void
  /** After a transaction was committed. */
  committed(): void
}

/** The methods of a storage that return promises. The alarm outlives the process. */
export interface AsyncStorage {
  getAlarm(): Promise<number | null>
  setAlarm(at: number): Promise<void>
  deleteAlarm(): Promise<void>
  sync(): Promise<void>
}

type Value = ArrayBuffer | string | number | null

/** The platform's storage API on Node's own SQLite, as far as a space uses it. */
export function storageOn(db: DatabaseSync, watch: Watch, rest: AsyncStorage): DurableObjectStorage {
  const statements = new Map<string, StatementSync>()

  function exec(query: string, ...bindings: SQLInputValue[]): Rows {
    watch.statement(!/^\s*SELECT/i.test(query))
    if (bindings.length === 0 && /^\s*(CREATE|ALTER)/i.test(query)) {
      db.exec(query)
      return new Rows([])
    }
    const statement = statements.get(query) ?? db.prepare(query)
    statements.set(query, statement)
    return new Rows(statement.all(...bindings).map(fromNode))
  }

  function transactionSync<T>(work: () => T): T {
    // The platform nests transactions. An error rolls back the outermost one.
    if (db.isTransaction) return work()
    db.exec('BEGIN')
    try {
      const result = work()
      watch.committing?.()
      db.exec('COMMIT')
      watch.committed()
      return result
    } catch (cause) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw cause
    }
  }

  const size = db.prepare(
    `SELECT (page_count - freelist_count) * page_size AS bytes
     FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
  )
  const sql = {
    exec,
    get databaseSize() {
      return Number(size.get()?.['bytes'])
    },
  }
  // A space does not use the rest of the platform's storage.
  return { sql, transactionSync, ...rest } as unknown as DurableObjectStorage
}

/** A cursor that has read everything. */
class Rows {
  readonly #rows: readonly Record<string, Value>[]

  constructor(rows: readonly Record<string, Value>[]) {
    this.#rows = rows
  }

  [Symbol.iterator](): Iterator<Record<string, Value>> {
    return this.#rows[Symbol.iterator]()
  }

  toArray(): readonly Record<string, Value>[] {
    return this.#rows
  }

  one(): Record<string, Value> {
    const [row] = this.#rows
    if (row === undefined || this.#rows.length > 1)
      throw new Error(`one row expected, not ${this.#rows.length}`)
    return row
  }
}

/** Node returns blobs as views, and the platform as buffers. */
function fromNode(row: Record<string, unknown>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? new Uint8Array(value).buffer : (value as Value),
    ]),
  )
}

/** The content of a database as one text, without the operator's configuration, which is re-read at any time. */
export function dump(db: DatabaseSync): string {
  const tables = db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`).all()
  return tables
    .map(({ name }) => {
      const rows = db
        .prepare(`SELECT * FROM "${name}"`)
        .all()
        .filter((row) => row['name'] !== 'config')
      return `${name}\n${rows.map((row) => JSON.stringify(Object.values(row).map(readable))).join('\n')}`
    })
    .join('\n')
}

function readable(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
