import type { Packed } from '../core/repack.ts'
import { type LastPass, NO_PASS, type Weight } from '../core/upkeep.ts'

/** A row of the log, whole. */
export interface SegmentRow extends Packed {
  /** Running counts, carried by the newest row. */
  readonly entries: number
  readonly superseded: number
}

/** A pass over the log: what it has dealt with, and the last sequence number that it is for. */
export interface Pass {
  readonly after: number
  readonly to: number
  /** Of the master key that was the newest when it began; a newer one takes a pass of its own. */
  readonly generation: number
  /** How many chunks and rows it could not read so far. */
  readonly unreadable: number
  /** Under a new master key it goes on with the archive, in the same way. */
  readonly of?: 'archive'
}

/** What is known of the passes over a space's log. */
export interface Passes {
  readonly last: LastPass
  /** The one that is under way. */
  readonly now: Pass | null
}

export interface ArchiveRow {
  readonly first: number
  readonly last: number
  readonly body: Uint8Array
}

/** How much one step looks at. */
export interface Bound {
  readonly rows: number
  readonly bytes: number
}

/** The rows that age: replaced versions, deletions, settled conflicts. */
export interface UpkeepRows {
  passes(): Passes
  putPasses(passes: Passes): void
  /** Rows of the log that begin after one sequence number and not after another, up to about so many bytes. */
  segments(pass: Pass, bytes: number): readonly SegmentRow[]
  /** Puts rows in the place of all that begin from `first` to `last`. */
  replaceSegments(range: Pick<Packed, 'first' | 'last'>, rows: readonly SegmentRow[]): void
  /** Notes in the newest row how much of the log is current, and how much is not. */
  putCounts(counts: Weight): void
  /** Keeps superseded versions apart from the log. */
  archive(rows: readonly Packed[], now: number): void
  /** The rows that may hold a superseded version, the nearest first; each is read when it is asked for. */
  archivesOf(seq: number): Iterable<ArchiveRow>
  /** Rows that were archived before a time, the oldest first, at most about so much. */
  archivedBefore(time: number, bound: Bound): readonly ArchiveRow[]
  dropArchives(firsts: readonly number[]): void
  /** Dates rows of the archive anew: their time is up, and a conflict still speaks of them. */
  keepArchives(firsts: readonly number[], now: number): void
  /** Rows of the archive after one, up to about so many bytes. */
  archives(after: number, bytes: number): readonly ArchiveRow[]
  /** Puts another body in the place of a row's. */
  replaceArchive(row: Pick<ArchiveRow, 'first' | 'body'>): void
  /** Forgets settled conflicts from before a time, at most so many; how many it were. */
  dropConflicts(time: number, limit: number): number
  /** Whether a conflict speaks of a version between two sequence numbers, or of one of some. */
  isRangeContested(first: number, last: number): boolean
  isContested(seqs: readonly number[]): boolean
  /** Forgets the verdicts of batches that came before a time, at most so many; how many it were. */
  dropVerdicts(time: number, limit: number): number
  /** Forgets whose the clients are that numbered no batch, came before a time, and wrote nothing that is current. */
  dropClaims(time: number): void
  /** When the oldest batch came whose verdicts are kept, ms; null without one. */
  oldestVerdicts(): number | null
  /** The last sequence number that arrived before a time, as far as rows tell. */
  lastBefore(time: number): number
  /** Forgets deletions up to a sequence number, at most so many; their own numbers. */
  dropTombstones(seq: number, limit: number): readonly number[]
  putFloor(floor: number): void
  /** Whether anything is kept that will be dropped one day. */
  ages(): boolean
}

type Body = { body: ArrayBuffer }

export function upkeepRows(sql: SqlStorage): UpkeepRows {
  return { ...passRows(sql), ...rewriting(sql), ...archiveRows(sql), ...forgetting(sql) }
}

const NEVER: Passes = { last: NO_PASS, now: null }

/**
 * The passes as `meta` holds them. Layout 5 knew fewer fields; a pass that it began is begun again, because its first part
 * neither counted what it could not read nor wrote the newest form.
 */
export function passesIn(stored: SqlStorageValue | undefined): Passes {
  if (stored === undefined) return NEVER
  const { last, now } = JSON.parse(String(stored)) as { last: Partial<LastPass>; now: Pass | null }
  const form = last.form ?? 1
  return { last: { ...NO_PASS, ...last, form }, now: now?.unreadable === undefined ? null : now }
}

function passRows(sql: SqlStorage): Pick<UpkeepRows, 'passes' | 'putPasses'> {
  return {
    passes() {
      const [row] = sql.exec<{ value: string }>(`SELECT value FROM meta WHERE name = 'passes'`).toArray()
      return passesIn(row?.value)
    },

    putPasses(passes) {
      sql.exec(`INSERT OR REPLACE INTO meta VALUES ('passes', ?)`, JSON.stringify(passes))
    },
  }
}

function rewriting(sql: SqlStorage): Pick<UpkeepRows, 'segments' | 'replaceSegments' | 'putCounts'> {
  return {
    segments({ after, to }, bytes) {
      const rows: SegmentRow[] = []
      let size = 0
      for (const row of sql.exec<Omit<SegmentRow, 'body'> & Body>(
        `SELECT first, last, entries, at, body, superseded FROM segment
         WHERE first > ? AND first <= ? ORDER BY first`,
        after,
        to,
      )) {
        rows.push({ ...row, body: new Uint8Array(row.body) })
        size += row.body.byteLength
        if (size >= bytes) break
      }
      return rows
    },

    replaceSegments({ first, last }, rows) {
      sql.exec('DELETE FROM segment WHERE first BETWEEN ? AND ?', first, last)
      for (const { first, last, entries, at, body, superseded } of rows) {
        sql.exec('INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?)', first, last, entries, at, body, superseded)
      }
    },

    putCounts({ entries, superseded }) {
      sql.exec(
        'UPDATE segment SET entries = ?, superseded = ? WHERE first = (SELECT max(first) FROM segment)',
        entries,
        superseded,
      )
    },
  }
}

function archiveRows(
  sql: SqlStorage,
): Pick<
  UpkeepRows,
  | 'archive'
  | 'archivesOf'
  | 'archivedBefore'
  | 'dropArchives'
  | 'keepArchives'
  | 'archives'
  | 'replaceArchive'
> {
  return {
    archive(rows, now) {
      for (const { first, last, body } of rows) {
        sql.exec('INSERT INTO archive VALUES (?, ?, ?, ?)', first, last, now, body)
      }
    },

    *archivesOf(seq) {
      // No row spans more than the widest, so none that begins earlier can reach the version.
      for (const row of sql.exec<Archived>(
        `SELECT first, last, body FROM archive
         WHERE first BETWEEN ?1 - (SELECT max(last - first) FROM archive) AND ?1 AND last >= ?1
         ORDER BY first DESC`,
        seq,
      )) {
        yield toArchiveRow(row)
      }
    },

    archivedBefore(time, bound) {
      return upTo(
        bound,
        sql.exec<Archived>(
          'SELECT first, last, body FROM archive WHERE archived < ? ORDER BY archived, first LIMIT ?',
          time,
          bound.rows,
        ),
      )
    },

    dropArchives(firsts) {
      sql.exec('DELETE FROM archive WHERE first IN (SELECT value FROM json_each(?))', JSON.stringify(firsts))
    },

    keepArchives(firsts, now) {
      sql.exec(
        'UPDATE archive SET archived = ? WHERE first IN (SELECT value FROM json_each(?))',
        now,
        JSON.stringify(firsts),
      )
    },

    archives(after, bytes) {
      return upTo(
        { rows: Number.POSITIVE_INFINITY, bytes },
        sql.exec<Archived>('SELECT first, last, body FROM archive WHERE first > ? ORDER BY first', after),
      )
    },

    replaceArchive({ first, body }) {
      sql.exec('UPDATE archive SET body = ? WHERE first = ?', body, first)
    },
  }
}

type Archived = { first: number; last: number } & Body

function toArchiveRow({ first, last, body }: Archived): ArchiveRow {
  return { first, last, body: new Uint8Array(body) }
}

/** The rows of a cursor until a step has enough. */
function upTo({ rows, bytes }: Bound, cursor: Iterable<Archived>): readonly ArchiveRow[] {
  const taken: ArchiveRow[] = []
  let size = 0
  for (const row of cursor) {
    taken.push(toArchiveRow(row))
    size += row.body.byteLength
    if (size >= bytes || taken.length >= rows) break
  }
  return taken
}

type Forgetting =
  | 'dropConflicts'
  | 'isRangeContested'
  | 'isContested'
  | 'dropVerdicts'
  | 'dropClaims'
  | 'oldestVerdicts'
  | 'lastBefore'
  | 'dropTombstones'
  | 'putFloor'
  | 'ages'

/**
 * The version of a conflict that is not named by its id: a conflict has the id of the change that caused it, and a merge
 * of that change comes right after it.
 */
const OTHER = 'iif(conflict.winner IN (conflict.id, conflict.id + 1), conflict.loser, conflict.winner)'

function forgetting(sql: SqlStorage): Pick<UpkeepRows, Forgetting> {
  return {
    dropConflicts(time, limit) {
      return sql
        .exec(
          `DELETE FROM conflict WHERE id IN (SELECT id FROM conflict WHERE open = 0 AND at < ? LIMIT ?)
           RETURNING id`,
          time,
          limit,
        )
        .toArray().length
    },

    isRangeContested(first, last) {
      return isFound(
        sql,
        `SELECT 1 FROM conflict WHERE id BETWEEN ?1 - 1 AND ?2
         UNION ALL SELECT 1 FROM conflict WHERE ${OTHER} BETWEEN ?1 AND ?2`,
        [first, last],
      )
    },

    isContested(seqs) {
      return isFound(
        sql,
        `SELECT 1 FROM json_each(?1) AS version JOIN conflict
           ON conflict.id IN (version.value - 1, version.value) AND version.value IN (winner, loser)
         UNION ALL SELECT 1 FROM json_each(?1) AS version JOIN conflict ON ${OTHER} = version.value`,
        [JSON.stringify(seqs)],
      )
    },

    dropVerdicts(time, limit) {
      return sql
        .exec(
          `UPDATE client SET verdicts = '' WHERE id IN
             (SELECT id FROM client WHERE verdicts <> '' AND arrived < ? LIMIT ?)
           RETURNING id`,
          time,
          limit,
        )
        .toArray().length
    },

    dropClaims(time) {
      sql.exec(
        'DELETE FROM client WHERE batch = 0 AND arrived < ? AND id NOT IN (SELECT "by" FROM head)',
        time,
      )
    },

    oldestVerdicts() {
      return sql
        .exec<{ arrived: number | null }>(`SELECT min(arrived) AS arrived FROM client WHERE verdicts <> ''`)
        .one().arrived
    },

    lastBefore(time) {
      const [row] = sql
        .exec<{ last: number }>('SELECT last FROM segment WHERE at < ? ORDER BY first DESC LIMIT 1', time)
        .toArray()
      return row?.last ?? 0
    },

    dropTombstones(seq, limit) {
      const rows = sql.exec<{ seq: number }>(
        `DELETE FROM head WHERE key IN (SELECT key FROM head WHERE deleted = 1 AND seq <= ? LIMIT ?)
         RETURNING seq`,
        seq,
        limit,
      )
      return Array.from(rows, ({ seq }) => seq)
    },

    putFloor(floor) {
      sql.exec(`UPDATE meta SET value = ? WHERE name = 'floor'`, floor)
    },

    ages() {
      return (
        sql
          .exec<{ found: number }>(
            `SELECT EXISTS (SELECT 1 FROM archive) OR EXISTS (SELECT 1 FROM conflict)
               OR EXISTS (SELECT 1 FROM head WHERE deleted = 1) AS found`,
          )
          .one().found === 1
      )
    },
  }
}

/** Whether a query finds anything. */
function isFound(sql: SqlStorage, query: string, bindings: readonly SqlStorageValue[]): boolean {
  return sql.exec<{ found: number }>(`SELECT EXISTS (${query}) AS found`, ...bindings).one().found === 1
}
