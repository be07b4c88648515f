import type { Packed } from '../../core/log/rows.ts'
import { type LastPass, NO_PASS, type Weight } from '../../core/log/upkeep.ts'
import { endOf, ROWS_AT_ONCE, type Size } from './stretch.ts'

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

/** The rows that a pass over the log reads and writes. */
export interface PassRows {
  passes(): Passes
  putPasses(passes: Passes): void
  /** Rows of the log that begin after one sequence number and not after another, up to about so many bytes. */
  segments(pass: Pass, bytes: number): readonly SegmentRow[]
  /** Puts rows in the place of all that begin from `first` to `last`. */
  replaceSegments(range: Pick<Packed, 'first' | 'last'>, rows: readonly SegmentRow[]): void
  /** Notes in the newest row how much of the log is current, and how much is not. */
  putCounts(counts: Weight): void
}

type Body = { body: ArrayBuffer }

export function passRows(sql: SqlStorage): PassRows {
  return { ...progressRows(sql), ...rewriting(sql) }
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

function rewriting(sql: SqlStorage): Pick<PassRows, 'segments' | 'replaceSegments' | 'putCounts'> {
  return {
    segments({ after, to }, bytes) {
      const end = endOf(
        bytes,
        sql.exec<Size>(
          `SELECT first, length(body) AS bytes FROM segment WHERE first > ? AND first <= ?
           ORDER BY first LIMIT ?`,
          after,
          to,
          ROWS_AT_ONCE,
        ),
      )
      return sql
        .exec<Omit<SegmentRow, 'body'> & Body>(
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
