export interface Segment {
  readonly first: number
  readonly last: number
  readonly body: Uint8Array
}

/** What one batch writes to one row of the log. */
export interface Append {
  /** The newest segment, to which it is added; null begins one. */
  readonly into: number | null
  readonly first: number
  readonly last: number
  readonly entries: number
  readonly superseded: number
  readonly at: number
  readonly body: Uint8Array
}

/** The log: rows of chunks, each with the counts of the space at its end. */
export interface SegmentRows {
  append(append: Append): void
  /** The segment that holds a sequence number, or the next one after it. */
  segmentAt(seq: number): Segment | undefined
}

type SegmentRow = { first: number; last: number; body: ArrayBuffer }

/** The log. */
export function segmentRows(sql: SqlStorage): SegmentRows {
  return {
    append({ into, first, last, entries, superseded, at, body }) {
      if (into === null) {
        sql.exec(
          'INSERT INTO segment (first, last, entries, superseded, at, body) VALUES (?, ?, ?, ?, ?, ?)',
          first,
          last,
          entries,
          superseded,
          at,
          body,
        )
      } else {
        sql.exec(
          `UPDATE segment SET last = ?, entries = ?, superseded = ?, at = ?, body = CAST(body || ? AS BLOB)
           WHERE first = ?`,
          last,
          entries,
          superseded,
          at,
          body,
          into,
        )
      }
    },

    segmentAt(seq) {
      const [row] = sql.exec<SegmentRow>(
        `SELECT first, last, body FROM segment
         WHERE first >= coalesce((SELECT max(first) FROM segment WHERE first <= ?1), 0) AND last >= ?1
         ORDER BY first LIMIT 1`,
        seq,
      )
      return row && { ...row, body: new Uint8Array(row.body) }
    },
  }
}
