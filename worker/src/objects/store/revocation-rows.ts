/** The end of what goes by one id, ms since 1970. */
export interface Revocation {
  /** What was issued after it counts. */
  readonly issuedBy: number
  /** Until then, all of it counts; 0: it has ended. */
  readonly since: number
  /** Nothing that is ended could have lasted longer. */
  readonly until: number
}

/** The ends of tokens and sessions. */
export interface RevocationRows {
  revoke(id: string, revocation: Revocation): void
  revoked(): ReadonlyMap<string, Revocation>
  forgetRevoked(before: number): void
}

/** What is no longer valid. */
export function revocationRows(sql: SqlStorage): RevocationRows {
  return {
    revoke(id, { until, issuedBy, since }) {
      sql.exec(
        'INSERT OR REPLACE INTO revoked (id, until, issued_by, since) VALUES (?, ?, ?, ?)',
        id,
        until,
        issuedBy,
        since,
      )
    },

    revoked() {
      const rows = sql.exec<{ id: string } & Row>(
        'SELECT id, until, issued_by AS issuedBy, since FROM revoked',
      )
      return new Map(
        Array.from(rows, ({ id, until, issuedBy, since }) => [
          id,
          { until: Number(until), issuedBy: Number(issuedBy), since: Number(since) },
        ]),
      )
    },

    forgetRevoked(before) {
      sql.exec('DELETE FROM revoked WHERE until < ?', before)
    },
  }
}

type Row = Record<string, SqlStorageValue>
