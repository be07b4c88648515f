import type { Packed } from '../../core/log/rows.ts'
import { lastWithin, MAX_RANGE_ROWS, type RowSize, rowsWithin } from './row-range.ts'

export interface ArchiveRow {
  readonly first: number
  readonly last: number
  readonly body: Uint8Array
}

/** How much one step reads at most. */
export interface Bound {
  readonly rows: number
  readonly bytes: number
}

/** The archive: superseded versions, kept apart from the log. */
export interface ArchiveRows {
  archive(rows: readonly Packed[], now: number): void
  /** The rows that may hold a superseded version, nearest first. Each row is read when the iterator reaches it. */
  archivesOf(seq: number): Iterable<ArchiveRow>
  /** The oldest rows that were archived before a time, up to about `bound`. */
  archivedBefore(time: number, bound: Bound): readonly ArchiveRow[]
  dropArchives(firsts: readonly number[]): void
  /** Sets the archive time of rows to `now`: they are past their retention, but a conflict still refers to them. */
  keepArchives(firsts: readonly number[], now: number): void
  /** Rows that begin after a sequence number, up to about `bytes`. */
  archives(after: number, bytes: number): readonly ArchiveRow[]
  /** Replaces the body of a row. */
  replaceArchive(row: Pick<ArchiveRow, 'first' | 'body'>): void
}

export function archiveRows(sql: SqlStorage): ArchiveRows {
  return {
    archive(rows, now) {
      for (const { first, last, body } of rows) {
        sql.exec('INSERT INTO archive VALUES (?, ?, ?, ?)', first, last, now, body)
      }
    },

    *archivesOf(seq) {
      // The widest row bounds how far before the version a row that holds it can begin.
      const firsts = sql
        .exec<{ first: number }>(
          `SELECT first FROM archive
           WHERE first BETWEEN ?1 - (SELECT max(last - first) FROM archive) AND ?1 AND last >= ?1
           ORDER BY first DESC`,
          seq,
        )
        .toArray()
      for (const { first } of firsts) {
        const rows = sql.exec<StoredRow>('SELECT first, last, body FROM archive WHERE first = ?', first)
        yield* rows.toArray().map(toArchiveRow)
      }
    },

    archivedBefore(time, { rows, bytes }) {
      const sizes = sql.exec<RowSize>(
        `SELECT first, length(body) AS bytes FROM archive WHERE archived < ?
         ORDER BY archived, first LIMIT ?`,
        time,
        rows,
      )
      const wanted = rowsWithin(bytes, sizes).map(({ first }) => first)
      return sql
        .exec<StoredRow>(
          `SELECT first, last, body FROM archive WHERE first IN (SELECT value FROM json_each(?)) ORDER BY first`,
          JSON.stringify(wanted),
        )
        .toArray()
        .map(toArchiveRow)
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
      const end = lastWithin(
        bytes,
        sql.exec<RowSize>(
          'SELECT first, length(body) AS bytes FROM archive WHERE first > ? ORDER BY first LIMIT ?',
          after,
          MAX_RANGE_ROWS,
        ),
      )
      return sql
        .exec<StoredRow>(
          'SELECT first, last, body FROM archive WHERE first > ? AND first <= ? ORDER BY first',
          after,
          end ?? after,
        )
        .toArray()
        .map(toArchiveRow)
    },

    replaceArchive({ first, body }) {
      sql.exec('UPDATE archive SET body = ? WHERE first = ?', body, first)
    },
  }
}

type StoredRow = { first: number; last: number; body: ArrayBuffer }

function toArchiveRow({ first, last, body }: StoredRow): ArchiveRow {
  return { first, last, body: new Uint8Array(body) }
}
