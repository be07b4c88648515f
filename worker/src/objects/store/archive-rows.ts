import type { Packed } from '../../core/log/rows.ts'
import { endOf, ROWS_AT_ONCE, type Size, takenOf } from './stretch.ts'

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

/** Superseded versions, kept apart from the log. */
export interface ArchiveRows {
  archive(rows: readonly Packed[], now: number): void
  /** The rows that may hold a superseded version, the nearest first; each is read when it is asked for. */
  archivesOf(seq: number): Iterable<ArchiveRow>
  /** Rows that were archived before a time, the oldest first, at most about so much. */
  archivedBefore(time: number, bound: Bound): readonly ArchiveRow[]
  dropArchives(firsts: readonly number[]): void
  /** Dates rows again: their time is up, and a conflict still speaks of them. */
  keepArchives(firsts: readonly number[], now: number): void
  /** Rows after one, up to about so many bytes. */
  archives(after: number, bytes: number): readonly ArchiveRow[]
  /** Puts another body in the place of a row's. */
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
      // No row spans more than the widest, so none that begins earlier can reach the version.
      const firsts = sql
        .exec<{ first: number }>(
          `SELECT first FROM archive
           WHERE first BETWEEN ?1 - (SELECT max(last - first) FROM archive) AND ?1 AND last >= ?1
           ORDER BY first DESC`,
          seq,
        )
        .toArray()
      for (const { first } of firsts) {
        const rows = sql.exec<Archived>('SELECT first, last, body FROM archive WHERE first = ?', first)
        yield* rows.toArray().map(toArchiveRow)
      }
    },

    archivedBefore(time, { rows, bytes }) {
      const sizes = sql.exec<Size>(
        `SELECT first, length(body) AS bytes FROM archive WHERE archived < ?
         ORDER BY archived, first LIMIT ?`,
        time,
        rows,
      )
      const wanted = takenOf(bytes, sizes).map(({ first }) => first)
      return sql
        .exec<Archived>(
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
      const end = endOf(
        bytes,
        sql.exec<Size>(
          'SELECT first, length(body) AS bytes FROM archive WHERE first > ? ORDER BY first LIMIT ?',
          after,
          ROWS_AT_ONCE,
        ),
      )
      return sql
        .exec<Archived>(
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

type Archived = { first: number; last: number; body: ArrayBuffer }

function toArchiveRow({ first, last, body }: Archived): ArchiveRow {
  return { first, last, body: new Uint8Array(body) }
}
