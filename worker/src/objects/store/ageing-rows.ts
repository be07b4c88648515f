/** The queries that delete rows past their retention. */
export interface AgeingRows {
  /** Deletes closed conflicts from before a time, at most `limit`. Returns how many. */
  dropConflicts(time: number, limit: number): number
  /** Whether a conflict refers to a version in a range of sequence numbers, inclusive. */
  isRangeContested(first: number, last: number): boolean
  /** Whether a conflict refers to any of these versions. */
  isContested(seqs: readonly number[]): boolean
  /** Deletes the verdicts of batches that arrived before a time, at most `limit`. Returns how many. */
  dropVerdicts(time: number, limit: number): number
  /** Deletes the claims of clients that numbered no batch, last wrote before a time, and hold no current version. */
  dropClaims(time: number, limit: number): void
  /** When the oldest batch with verdicts arrived, ms; null if there is no such batch. */
  oldestVerdicts(): number | null
  /** The last sequence number of the newest log row from before a time; 0 without one. */
  lastBefore(time: number): number
  putFloor(floor: number): void
  /** Whether any row will reach the end of its retention. */
  ages(): boolean
}

export function ageingRows(sql: SqlStorage): AgeingRows {
  return { ...conflictAges(sql), ...clientAges(sql), ...deletionAges(sql) }
}

/**
 * SQL for the version of a conflict that its id does not name. A conflict has the id of the change that caused it, and a
 * merge of that change has the next sequence number.
 */
const OTHER = 'iif(conflict.winner IN (conflict.id, conflict.id + 1), conflict.loser, conflict.winner)'

function conflictAges(
  sql: SqlStorage,
): Pick<AgeingRows, 'dropConflicts' | 'isRangeContested' | 'isContested'> {
  return {
    dropConflicts(time, limit) {
      return sql
        .exec(
          `DELETE FROM conflict WHERE id IN (SELECT id FROM conflict WHERE open = 0 AND at < ? LIMIT ?)
           RETURNING id`,
          time,
          limit,
        )
        .toArray().length
    },

    isRangeContested(first, last) {
      return isFound(
        sql,
        `SELECT 1 FROM conflict WHERE id BETWEEN ?1 - 1 AND ?2
         UNION ALL SELECT 1 FROM conflict WHERE ${OTHER} BETWEEN ?1 AND ?2`,
        [first, last],
      )
    },

    isContested(seqs) {
      return isFound(
        sql,
        `SELECT 1 FROM json_each(?1) AS version JOIN conflict
           ON conflict.id IN (version.value - 1, version.value) AND version.value IN (winner, loser)
         UNION ALL SELECT 1 FROM json_each(?1) AS version JOIN conflict ON ${OTHER} = version.value`,
        [JSON.stringify(seqs)],
      )
    },
  }
}

function clientAges(sql: SqlStorage): Pick<AgeingRows, 'dropVerdicts' | 'dropClaims' | 'oldestVerdicts'> {
  return {
    dropVerdicts(time, limit) {
      return sql
        .exec(
          `UPDATE client SET verdicts = '' WHERE id IN
             (SELECT id FROM client WHERE verdicts <> '' AND arrived < ? LIMIT ?)
           RETURNING id`,
          time,
          limit,
        )
        .toArray().length
    },

    dropClaims(time, limit) {
      sql.exec(
        `DELETE FROM client WHERE id IN
           (SELECT id FROM client WHERE batch = 0 AND arrived < ? AND id NOT IN (SELECT "by" FROM head) LIMIT ?)`,
        time,
        limit,
      )
    },

    oldestVerdicts() {
      return sql
        .exec<{ arrived: number | null }>(`SELECT min(arrived) AS arrived FROM client WHERE verdicts <> ''`)
        .one().arrived
    },
  }
}

function deletionAges(sql: SqlStorage): Pick<AgeingRows, 'lastBefore' | 'putFloor' | 'ages'> {
  return {
    lastBefore(time) {
      const [row] = sql
        .exec<{ last: number }>('SELECT last FROM segment WHERE at < ? ORDER BY first DESC LIMIT 1', time)
        .toArray()
      return row?.last ?? 0
    },

    putFloor(floor) {
      sql.exec(`UPDATE meta SET value = ? WHERE name = 'floor'`, floor)
    },

    ages() {
      const kinds = [
        'SELECT 1 FROM archive',
        'SELECT 1 FROM conflict',
        'SELECT 1 FROM head WHERE deleted = 1',
      ]
      return kinds.some((kind) => isFound(sql, kind, []))
    },
  }
}

/** Whether a query finds a row. */
function isFound(sql: SqlStorage, query: string, bindings: readonly SqlStorageValue[]): boolean {
  return sql.exec<{ found: number }>(`SELECT EXISTS (${query}) AS found`, ...bindings).one().found === 1
}
