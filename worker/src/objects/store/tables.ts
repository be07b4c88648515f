import { LAYOUT } from '../../core/space/layout.ts'

/**
 * The migrations to the current layout, one for each layout number. docs/storage.md explains the tables. A released step
 * is never edited.
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
  // Before this layout every version was in the log, and all versions without an entry row were superseded.
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
  // Before this layout a revocation covered everything that was issued later.
  'ALTER TABLE revoked ADD COLUMN issued_by INTEGER NOT NULL DEFAULT 9007199254740991',
  // Before this layout every revocation took effect at once.
  'ALTER TABLE revoked ADD COLUMN since INTEGER NOT NULL DEFAULT 0',
  // This layout adds chunks of form 2 (core/log/chunk-header.ts), compact verdicts, and retention. Older rows stay readable.
  `
  CREATE INDEX conflict_other ON conflict (iif(winner IN (id, id + 1), loser, winner));
  CREATE INDEX conflict_age ON conflict (at) WHERE open = 0;
  CREATE INDEX archive_age ON archive (archived);
  CREATE INDEX archive_span ON archive (last - first);
  `,
  // The columns `root` and `merged` encode more (objects/store/entry-rows.ts). Older rows keep their meaning.
  // Values keep the order of their keys and may nest deeper. Rejections have new codes.
  'SELECT 1',
  // The newest row of the log holds rows of `head` and `client` that are not in their tables yet.
  'ALTER TABLE segment ADD COLUMN pending TEXT',
  // Before this layout a space knew nothing of the clients that only read.
  `
  CREATE TABLE device (
    client TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    version TEXT
  ) STRICT, WITHOUT ROWID;
  `,
]

/** Migrates a space to the current layout, and gives a new space its epoch. */
export function migrate(storage: DurableObjectStorage, epoch: string): void {
  const { sql } = storage
  // A CREATE counts as a write even if the table exists: the first reply after each wake would wait for its commit.
  if (sql.exec(`SELECT 1 FROM sqlite_master WHERE name = 'meta'`).toArray().length === 0) {
    sql.exec('CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID')
  }
  const [row] = sql.exec<{ value: number }>(`SELECT value FROM meta WHERE name = 'step'`).toArray()
  const done = row?.value ?? 0
  if (done === LAYOUT) return
  if (done > LAYOUT) {
    throw new Error(
      `the space has layout ${done}, and this version knows ${LAYOUT}: deploy the newer version again`,
    )
  }
  storage.transactionSync(() => {
    for (const step of STEPS.slice(done, LAYOUT)) sql.exec(step)
    foundSpace(sql, epoch)
  })
}

/** Writes the layout, and the epoch and floor of a new space. */
function foundSpace(sql: SqlStorage, epoch: string): void {
  sql.exec(`INSERT OR REPLACE INTO meta VALUES ('step', ?)`, LAYOUT)
  sql.exec(`INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('floor', 0)`, epoch)
}

/**
 * Deletes every row of a space and founds it again with a new epoch, the time of the erasure, and the name under which
 * the registry has yet to forget the space, in one transaction.
 * `deleteAll()` would take effect before that time is written, and a runtime that dies in between would make the ended
 * sessions valid again. Tables are emptied, not dropped, because SQLite cannot drop a table while a query of it is open.
 */
export function foundAgain(
  storage: DurableObjectStorage,
  { epoch, now, space }: { epoch: string; now: number; space: string },
): void {
  const { sql } = storage
  storage.transactionSync(() => {
    for (const { name } of tablesOf(sql)) sql.exec(`DELETE FROM ${name}`)
    foundSpace(sql, epoch)
    sql.exec(`INSERT INTO meta VALUES ('erased-at', ?)`, now)
    sql.exec(`INSERT INTO meta VALUES ('unforgotten', ?)`, space)
  })
}

/** The tables of the product, without those of SQLite and of the platform. */
function tablesOf(sql: SqlStorage): readonly { readonly name: string }[] {
  return sql
    .exec<{ name: string }>(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'`,
    )
    .toArray()
}

/** A new identity for the data of a space: 48 random bits in base 36. */
export function newEpoch(): string {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2))
  return (high * 0x10000 + (low & 0xffff)).toString(36)
}
