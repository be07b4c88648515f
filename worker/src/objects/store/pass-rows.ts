import type { Packed } from '../../core/log/rows.ts'
import { type LastPass, NO_PASS, type Weight } from '../../core/log/upkeep.ts'
import { lastWithin, MAX_RANGE_ROWS, type RowSize } from './row-range.ts'

/** A whole row of the log. */
export interface SegmentRow extends Packed {
  /** Running counts, carried by the newest row. */
  readonly entries: number
  readonly superseded: number
}

/** A compaction pass over the log: it has dealt with rows up to `after`, and ends at the sequence number `to`. */
export interface Pass {
  readonly after: number
  readonly to: number
  /** The newest generation of the master key when the pass began. A newer one takes a pass of its own. */
  readonly generation: number
  /** The number of chunks and rows that it could not read so far. */
  readonly unreadable: number
  /** Set while the pass is in the archive, which it reseals under a new master key. */
  readonly of?: 'archive'
}

/** The last finished pass over a space's log, and the current one. */
export interface Passes {
  readonly last: LastPass
  /** The pass that is under way. */
  readonly now: Pass | null
}

/** The rows that a pass over the log reads and writes. */
export interface PassRows {
  passes(): Passes
  putPasses(passes: Passes): void
  /** Rows of the log that begin after `after` and up to `to`, about `bytes` of them. */
  segments(pass: Pass, bytes: number): readonly SegmentRow[]
  /** Replaces all rows that begin from `first` to `last`. */
  replaceSegments(range: Pick<Packed, 'first' | 'last'>, rows: readonly SegmentRow[]): void
  /** Writes into the newest row how many versions of the log are live entries, and how many are superseded. */
  putCounts(counts: Weight): void
}

export function passRows(sql: SqlStorage): PassRows {
  return { ...progressRows(sql), ...rewritingRows(sql) }
}

const NEVER: Passes = { last: NO_PASS, now: null }

/**
 * Reads the passes from `meta`. Layout 5 had fewer fields. A pass begun under it starts over, because its first part
 * neither counted unreadable chunks nor wrote the newest form.
 */
export function passesIn(stored: SqlStorageValue | undefined): Passes {
  if (stored === undefined) return NEVER
  const { last, now } = JSON.parse(String(stored)) as { last: Partial<LastPass>; now: Pass | null }
  const form = last.form ?? 1
  return { last: { ...NO_PASS, ...last, form }, now: now?.unreadable === undefined ? null : now }
}

function progressRows(sql: SqlStorage): Pick<PassRows, 'passes' | 'putPasses'> {
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

function rewritingRows(sql: SqlStorage): Pick<PassRows, 'segments' | 'replaceSegments' | 'putCounts'> {
  return {
    segments({ after, to }, bytes) {
      const end = lastWithin(
        bytes,
        sql.exec<RowSize>(
          `SELECT first, length(body) AS bytes FROM segment WHERE first > ? AND first <= ?
           ORDER BY first LIMIT ?`,
          after,
          to,
          MAX_RANGE_ROWS,
        ),
      )
      return sql
        .exec<Omit<SegmentRow, 'body'> & { body: ArrayBuffer }>(
          `SELECT first, last, entries, at, body, superseded FROM segment
           WHERE first > ? AND first <= ? ORDER BY first`,
          after,
          end ?? after,
        )
        .toArray()
        .map((row) => ({ ...row, body: new Uint8Array(row.body) }))
    },

    replaceSegments({ first, last }, rows) {
      sql.exec('DELETE FROM segment WHERE first BETWEEN ? AND ?', first, last)
      for (const { first, last, entries, at, body, superseded } of rows) {
        sql.exec(
          'INSERT INTO segment (first, last, entries, at, body, superseded) VALUES (?, ?, ?, ?, ?, ?)',
          first,
          last,
          entries,
          at,
          body,
          superseded,
        )
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
