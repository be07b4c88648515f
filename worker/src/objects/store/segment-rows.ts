/** A row of the log: its chunks, and their first and last sequence number. */
export interface Segment {
  readonly first: number
  readonly last: number
  readonly body: Uint8Array
}

/** The chunks that one write adds to one row of the log. */
export interface Append {
  /** The first sequence number of the newest segment, which takes the chunks; null begins a new segment. */
  readonly into: number | null
  readonly first: number
  readonly last: number
  readonly entries: number
  readonly superseded: number
  readonly at: number
  readonly body: Uint8Array
  /** The rows that this one holds for their tables, as JSON; null without any. */
  readonly pending: string | null
}

/** The log: rows of chunks, each with the counts of the space at its end. */
export interface SegmentRows {
  append(append: Append): void
  /** Replaces the pending rows of the newest segment; null if they are in their tables. */
  putPending(pending: string | null): void
  /** The segment that holds a sequence number, or the next segment after it. */
  segmentAt(seq: number): Segment | undefined
}

export function segmentRows(sql: SqlStorage): SegmentRows {
  return {
    append({ into, first, last, entries, superseded, at, body, pending }) {
      if (into === null) {
        sql.exec(
          'INSERT INTO segment (first, last, entries, superseded, at, body, pending) VALUES (?, ?, ?, ?, ?, ?, ?)',
          first,
          last,
          entries,
          superseded,
          at,
          body,
          pending,
        )
      } else {
        sql.exec(
          `UPDATE segment SET last = ?, entries = ?, superseded = ?, at = ?, body = CAST(body || ? AS BLOB), pending = ?
           WHERE first = ?`,
          last,
          entries,
          superseded,
          at,
          body,
          pending,
          into,
        )
      }
    },

    putPending(pending) {
      sql.exec('UPDATE segment SET pending = ? WHERE first = (SELECT max(first) FROM segment)', pending)
    },

    segmentAt(seq) {
      const [row] = sql.exec<Omit<Segment, 'body'> & { body: ArrayBuffer }>(
        `SELECT first, last, body FROM segment
         WHERE first >= coalesce((SELECT max(first) FROM segment WHERE first <= ?1), 0) AND last >= ?1
         ORDER BY first LIMIT 1`,
        seq,
      )
      return row && { ...row, body: new Uint8Array(row.body) }
    },
  }
}
