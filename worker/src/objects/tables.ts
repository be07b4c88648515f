/**
 * The tables of a space, one step per release that changed them; docs/storage.md explains the layout.
 * A step is never edited once it is released.
 */
const STEPS: readonly string[] = [
  `
  CREATE TABLE segment (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE TABLE head (
    key TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    root INTEGER NOT NULL,
    at INTEGER NOT NULL,
    "by" TEXT NOT NULL,
    deleted INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE client (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    batch INTEGER NOT NULL,
    digest BLOB NOT NULL,
    arrived INTEGER NOT NULL,
    skew INTEGER NOT NULL,
    verdicts TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE conflict (
    id INTEGER PRIMARY KEY,
    policy TEXT NOT NULL,
    resolution TEXT NOT NULL,
    winner INTEGER NOT NULL,
    loser INTEGER NOT NULL,
    open INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX open_conflict ON conflict (id) WHERE open = 1;
  CREATE TABLE revoked (
    id TEXT PRIMARY KEY,
    until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  'ALTER TABLE client ADD COLUMN generation INTEGER NOT NULL DEFAULT 1',
  // Until now every version was in the log, and all but the heads are superseded.
  `
  ALTER TABLE segment ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0;
  UPDATE segment SET superseded = last - (SELECT count(*) FROM head)
  WHERE first = (SELECT max(first) FROM segment);
  CREATE TABLE archive (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    archived INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  ALTER TABLE head ADD COLUMN merged INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE conflict ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE conflict ADD COLUMN resolved INTEGER NOT NULL DEFAULT 0;
  `,
  // Until now what was revoked was revoked for ever.
  'ALTER TABLE revoked ADD COLUMN issued_by INTEGER NOT NULL DEFAULT 9007199254740991',
  // Until now what was revoked had ended.
  'ALTER TABLE revoked ADD COLUMN since INTEGER NOT NULL DEFAULT 0',
]

/** Brings a space's tables up to date, and gives a new space its epoch. */
export function migrate(storage: DurableObjectStorage, epoch: string): void {
  const { sql } = storage
  // A CREATE counts as a write even where the table is there: the first reply after each wake would wait for its commit.
  if (sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'meta'`).toArray().length === 0) {
    sql.exec('CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID')
  }
  const [row] = sql.exec<{ value: number }>(`SELECT value FROM meta WHERE name = 'step'`).toArray()
  const done = row?.value ?? 0
  if (done === STEPS.length) return
  if (done > STEPS.length) {
    throw new Error(
      `the space has tables of step ${done}, this version knows ${STEPS.length}: deploy the newer one again`,
    )
  }
  storage.transactionSync(() => {
    for (const step of STEPS.slice(done)) sql.exec(step)
    sql.exec(`INSERT OR REPLACE INTO meta VALUES ('step', ?)`, STEPS.length)
    sql.exec(`INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('floor', 0)`, epoch)
  })
}

/** Notes when the space was erased. */
export function rememberErasure({ sql }: DurableObjectStorage, now: number): void {
  sql.exec(`INSERT OR REPLACE INTO meta VALUES ('erased-at', ?)`, now)
}
