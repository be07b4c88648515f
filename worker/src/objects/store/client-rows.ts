/** What is known of a client's last batch: enough to answer it again. */
export interface ClientRecord {
  readonly id: string
  readonly subject: string
  readonly batch: number
  /** Of the master key that the digest was made with. */
  readonly generation: number
  readonly digest: Uint8Array
  readonly arrived: number
  readonly skew: number
  readonly verdicts: string
}

/** The idempotency records. */
export interface ClientRows {
  client(id: string): ClientRecord | undefined
  putClient(record: ClientRecord): void
}

type ClientRow = Omit<ClientRecord, 'digest'> & { digest: ArrayBuffer }

/** The idempotency records. */
export function clientRows(sql: SqlStorage): ClientRows {
  return {
    client(id) {
      const [row] = sql.exec<ClientRow>('SELECT * FROM client WHERE id = ?', id)
      return row && { ...row, digest: new Uint8Array(row.digest) }
    },

    putClient({ id, subject, batch, generation, digest, arrived, skew, verdicts }) {
      sql.exec(
        'INSERT OR REPLACE INTO client VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        id,
        subject,
        batch,
        digest,
        arrived,
        skew,
        verdicts,
        generation,
      )
    },
  }
}
