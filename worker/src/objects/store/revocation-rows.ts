/** The revocation of a token, session, or ticket. Times are ms since 1970. */
export interface Revocation {
  /** Credentials issued later stay valid. */
  readonly issuedBy: number
  /** The revocation takes effect at this time; 0: at once. */
  readonly since: number
  /** By this time every revoked credential has expired, so the row can be deleted. */
  readonly until: number
}

/** The revocations of tokens, sessions, and tickets. */
export interface RevocationRows {
  revoke(id: string, revocation: Revocation): void
  revoked(): ReadonlyMap<string, Revocation>
  forgetRevoked(before: number): void
}

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
