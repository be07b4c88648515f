/** The layout of the registry's tables. Each change takes the next number and a step. */
const STEPS: readonly string[] = [
  `
  CREATE TABLE space (
    name TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    most_entries INTEGER NOT NULL,
    most_bytes INTEGER NOT NULL,
    open INTEGER NOT NULL,
    devices INTEGER NOT NULL,
    synced INTEGER,
    failures INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,
    reports INTEGER NOT NULL,
    erased INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE counted (
    what TEXT PRIMARY KEY,
    count INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // A report of a space that stands writes no row of this index.
  'CREATE INDEX erased_space ON space (at) WHERE erased = 1',
]

/** Creates the tables of a new object, or brings those of an older release up to date. */
export function createTables(storage: DurableObjectStorage): void {
  const { sql } = storage
  const layout = sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'counted'`).toArray().length
  const { count } =
    layout === 0
      ? { count: 0 }
      : sql.exec<{ count: number }>(`SELECT count FROM counted WHERE what = 'layout'`).one()
  if (count >= STEPS.length) return
  storage.transactionSync(() => {
    for (const step of STEPS.slice(count)) sql.exec(step)
    sql.exec(`INSERT OR REPLACE INTO counted VALUES ('layout', ?)`, STEPS.length)
  })
}
