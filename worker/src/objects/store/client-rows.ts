/** The record of a client's last batch: enough to reply to it again. */
export interface ClientRecord {
  readonly id: string
  readonly subject: string
  readonly batch: number
  /** The generation of the master key that the digest was made with. */
  readonly generation: number
  readonly digest: Uint8Array
  /** When the batch arrived, ms. */
  readonly arrived: number
  /** How far the client's clock was behind, ms. */
  readonly skew: number
  readonly verdicts: string
}

/** The idempotency records of clients. */
export interface ClientRows {
  client(id: string): ClientRecord | undefined
  /** Returns the records of some clients, in a map of the caller's own. */
  clients(ids: readonly string[]): Map<string, ClientRecord>
  putClients(records: Iterable<ClientRecord>): void
}

/** A record in JSON, which has no bytes: the digest is hexadecimal text. */
export type ClientRow = readonly [
  id: string,
  subject: string,
  batch: number,
  digest: string,
  arrived: number,
  skew: number,
  verdicts: string,
  generation: number,
]

export function toClientRow(record: ClientRecord): ClientRow {
  const { id, subject, batch, digest, arrived, skew, verdicts, generation } = record
  return [id, subject, batch, toHex(digest), arrived, skew, verdicts, generation]
}

export function toClientRecord(row: ClientRow): ClientRecord {
  const [id, subject, batch, digest, arrived, skew, verdicts, generation] = row
  return { id, subject, batch, digest: fromHex(digest), arrived, skew, verdicts, generation }
}

/** `pending` gives the records that are laid over those of the table. */
export function clientRows(sql: SqlStorage, pending: () => ReadonlyMap<string, ClientRecord>): ClientRows {
  function clients(ids: readonly string[]): Map<string, ClientRecord> {
    const records = pending()
    const found = new Map<string, ClientRecord>()
    const missing: string[] = []
    for (const id of ids) {
      const record = records.get(id)
      if (record === undefined) missing.push(id)
      else found.set(id, record)
    }
    if (missing.length === 0) return found
    const rows = sql.exec<Omit<ClientRecord, 'digest'> & { digest: ArrayBuffer }>(
      'SELECT client.* FROM json_each(?) AS wanted JOIN client ON client.id = wanted.value',
      JSON.stringify(missing),
    )
    for (const row of rows) found.set(row.id, { ...row, digest: new Uint8Array(row.digest) })
    return found
  }

  return {
    client: (id) => clients([id]).get(id),
    clients,

    putClients(records) {
      sql.exec(
        `INSERT OR REPLACE INTO client (id, subject, batch, digest, arrived, skew, verdicts, generation)
         SELECT value ->> 0, value ->> 1, value ->> 2, unhex(value ->> 3), value ->> 4, value ->> 5, value ->> 6,
           value ->> 7 FROM json_each(?)`,
        JSON.stringify(Array.from(records, toClientRow)),
      )
    },
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte]
  return text
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(2 * index, 2 * index + 2), 16),
  )
}
