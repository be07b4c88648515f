import { OPERATOR } from '../../core/access/session.ts'
import { NOTHING } from '../../core/values/version.ts'

/** Where a device stands: the last position that the space knows its copy to have reached. */
export interface DeviceRow {
  readonly client: string
  readonly subject: string
  readonly seq: number
  /** When the device last read, ms. */
  readonly at: number
  readonly version: string | null
}

/** A device of a list, with its record as a writer. */
export interface KnownDevice {
  readonly client: string
  readonly subject: string | null
  /** Null for a device that has not read. */
  readonly seq: number | null
  readonly at: number | null
  readonly version: string | null
  /** The last numbered batch, or 0; null for a device that has not written. */
  readonly batch: number | null
  readonly arrived: number | null
  readonly skew: number | null
}

/** The entries that a device has yet to read. */
export interface Lack {
  readonly client: string
  readonly count: number
  /** When the oldest of them was written, ms. */
  readonly since: number
}

export interface DeviceRows {
  /** When some devices were last stored, ms. */
  storedAt(clients: readonly string[]): ReadonlyMap<string, number>
  /**
   * Stores some devices, and forgets all but the `most` devices that read last. A writer's client id is its subject's, so
   * nothing is stored of another subject that reads under it.
   */
  put(rows: readonly DeviceRow[], most: number): void
  /** The devices after a client, in the order of their ids. `others`: clients that may have no row. */
  list(after: string, limit: number, others: readonly string[]): readonly KnownDevice[]
  /** Counts the entries of other clients that each device lacks. A device that lacks nothing is left out. */
  lacks(devices: readonly Pick<KnownDevice, 'client' | 'seq'>[]): readonly Lack[]
}

export function deviceRows(sql: SqlStorage): DeviceRows {
  return {
    storedAt(clients) {
      const rows = sql.exec<{ client: string; at: number }>(
        'SELECT client, at FROM device WHERE client IN (SELECT value FROM json_each(?))',
        JSON.stringify(clients),
      )
      return new Map(Array.from(rows, ({ client, at }) => [client, at]))
    },

    put(rows, most) {
      sql.exec(
        `INSERT OR REPLACE INTO device (client, subject, seq, at, version)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)
         WHERE NOT EXISTS (SELECT 1 FROM client WHERE id = value ->> 0 AND subject <> value ->> 1)`,
        JSON.stringify(
          rows.map(({ client, subject, seq, at, version }) => [client, subject, seq, at, version]),
        ),
      )
      sql.exec(
        'DELETE FROM device WHERE client IN (SELECT client FROM device ORDER BY at DESC LIMIT -1 OFFSET ?)',
        most,
      )
    },

    list(after, limit, others) {
      return sql
        .exec<KnownDevice & Record<string, SqlStorageValue>>(
          `SELECT named.client, ifnull(client.subject, device.subject) AS subject, device.seq, device.at, device.version,
             client.batch, client.arrived, client.skew
           FROM (SELECT id AS client FROM client WHERE subject NOT GLOB '${OPERATOR}*'
             UNION SELECT client FROM device UNION SELECT value FROM json_each(?3)) AS named
           LEFT JOIN client ON client.id = named.client LEFT JOIN device
             ON device.client = named.client AND device.subject = ifnull(client.subject, device.subject)
           WHERE named.client > ?1 ORDER BY named.client LIMIT ?2`,
          after,
          limit,
          JSON.stringify(others),
        )
        .toArray()
    },

    lacks(devices) {
      const lacks = devices
        .map(({ client, seq }) => ({
          client,
          seq: seq ?? NOTHING,
          count: 0,
          since: Number.POSITIVE_INFINITY,
        }))
        .toSorted((one, other) => one.seq - other.seq)
      const [first] = lacks
      if (first === undefined) return []
      // One scan serves all devices. A join of them with the entry rows would scan for each.
      const unread = sql
        .exec('SELECT seq, at, "by", deleted FROM head WHERE seq > ?', first.seq)
        .raw<[seq: number, at: number, by: string, deleted: number]>()
      for (const [seq, at, by, deleted] of unread) {
        for (const lack of lacks) {
          if (lack.seq >= seq) break
          // A device that has not read lacks no deletion.
          if (by === lack.client || (deleted === 1 && lack.seq === NOTHING)) continue
          lack.count += 1
          lack.since = Math.min(lack.since, at)
        }
      }
      return lacks.filter(({ count }) => count > 0)
    },
  }
}
