import { OPERATOR } from '../../core/access/session.ts'
import type { Moment } from '../../core/report/report.ts'

/** The rows that a space reports from, and its last report. */
export interface ReportRows {
  /** The last report that the registry has taken; null if there is none. */
  reported(): Moment | null
  putReported(reported: Moment): void
  /** The name under which the registry has yet to forget an erased space; null if there is none. */
  unforgotten(): string | null
  /** Notes that the registry has forgotten the space. */
  forgotten(): void
  /** The number of conflicts that arose after a sequence number. */
  countConflicts(after: number): number
  /** The number of clients that have written or read. `pending`: clients that may not be in their table yet. */
  countDevices(pending: Iterable<string>): number
  /** How often the upkeep has failed in succession. */
  upkeepFailures(): number
}

export function reportRows(sql: SqlStorage): ReportRows {
  function meta(name: string): SqlStorageValue {
    const [row] = sql
      .exec<{ value: SqlStorageValue }>('SELECT value FROM meta WHERE name = ?', name)
      .toArray()
    return row?.value ?? null
  }

  function count(rows: string, binding: string | number): number {
    return sql.exec<{ count: number }>(`SELECT count(*) AS count FROM ${rows}`, binding).one().count
  }

  return {
    reported() {
      const value = meta('reported')
      return value === null ? null : (JSON.parse(String(value)) as Moment)
    },

    putReported(reported) {
      sql.exec(`INSERT OR REPLACE INTO meta VALUES ('reported', ?)`, JSON.stringify(reported))
    },

    unforgotten() {
      const value = meta('unforgotten')
      return value === null ? null : String(value)
    },

    forgotten: () => void sql.exec(`DELETE FROM meta WHERE name = 'unforgotten'`),

    countConflicts: (after) => count('conflict WHERE id > ?', after),

    countDevices: (pending) =>
      count(
        `(SELECT id FROM client WHERE subject NOT GLOB '${OPERATOR}*'
          UNION SELECT client FROM device UNION SELECT value FROM json_each(?))`,
        JSON.stringify([...pending]),
      ),

    upkeepFailures: () => Number(meta('alarm-failures') ?? 0),
  }
}
