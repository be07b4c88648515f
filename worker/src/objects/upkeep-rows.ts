import type { Packed } from '../core/repack.ts'
import type { LastPass, Weight } from '../core/upkeep.ts'

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
  /** Under a new master key it goes on with the archive, in the same way. */
  readonly of?: 'archive'
  /** How many chunks it could not read so far. Absent: a release that did not count them began the pass. */
  readonly unreadable?: number
}

/** What is known of the passes over a space's log. */
export interface Passes {
  readonly last: LastPass
  /** The one that is under way. */
  readonly now: Pass | null
}

export interface ArchiveRow {
  readonly first: number
  readonly body: Uint8Array
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
  /** The rows that may hold a superseded version. */
  archivesOf(seq: number): readonly ArchiveRow[]
  /** What was kept apart before a time, oldest version first; read while it is walked. */
  archivedBefore(time: number): Iterable<ArchiveRow>
  dropArchives(firsts: readonly number[]): void
  /** Rows of the archive after one, up to about so many bytes. */
  archives(after: number, bytes: number): readonly ArchiveRow[]
  /** Puts another body in the place of a row's. */
  replaceArchive(row: ArchiveRow): void
  /** Forgets settled conflicts from before a time, at most so many; how many it were. */
  dropConflicts(time: number, limit: number): number
  /** The versions that conflicts speak of. */
  contested(): ReadonlySet<number>
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

const NEVER: Passes = { last: { at: 0, generation: 0 }, now: null }

function passRows(sql: SqlStorage): Pick<UpkeepRows, 'passes' | 'putPasses'> {
  return {
    passes() {
      const [row] = sql.exec<{ value: string }>(`SELECT value FROM meta WHERE name = 'passes'`).toArray()
      return row === undefined ? NEVER : JSON.parse(row.value)
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
  'archive' | 'archivesOf' | 'archivedBefore' | 'dropArchives' | 'archives' | 'replaceArchive'
> {
  return {
    archive(rows, now) {
      for (const { first, last, body } of rows) {
        sql.exec('INSERT INTO archive VALUES (?, ?, ?, ?)', first, last, now, body)
      }
    },

    archivesOf(seq) {
      return sql
        .exec<{ first: number } & Body>(
          'SELECT first, body FROM archive WHERE first <= ?1 AND last >= ?1 ORDER BY first DESC',
          seq,
        )
        .toArray()
        .map(toArchiveRow)
    },

    *archivedBefore(time) {
      for (const row of sql.exec<{ first: number } & Body>(
        'SELECT first, body FROM archive WHERE archived < ? ORDER BY first',
        time,
      )) {
        yield toArchiveRow(row)
      }
    },

    dropArchives(firsts) {
      sql.exec('DELETE FROM archive WHERE first IN (SELECT value FROM json_each(?))', JSON.stringify(firsts))
    },

    archives(after, bytes) {
      const rows: ArchiveRow[] = []
      let size = 0
      for (const row of sql.exec<{ first: number } & Body>(
        'SELECT first, body FROM archive WHERE first > ? ORDER BY first',
        after,
      )) {
        rows.push(toArchiveRow(row))
        size += row.body.byteLength
        if (size >= bytes) break
      }
      return rows
    },

    replaceArchive({ first, body }) {
      sql.exec('UPDATE archive SET body = ? WHERE first = ?', body, first)
    },
  }
}

function toArchiveRow({ first, body }: { first: number } & Body): ArchiveRow {
  return { first, body: new Uint8Array(body) }
}

type Forgetting = 'dropConflicts' | 'contested' | 'lastBefore' | 'dropTombstones' | 'putFloor' | 'ages'

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

    contested() {
      const rows = sql.exec<{ seq: number }>(
        'SELECT winner AS seq FROM conflict UNION SELECT loser FROM conflict',
      )
      return new Set(Array.from(rows, ({ seq }) => seq))
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
