/** What is forgotten once its time is up. */
export interface AgeingRows {
  /** Forgets settled conflicts from before a time, at most so many; how many it were. */
  dropConflicts(time: number, limit: number): number
  /** Whether a conflict speaks of a version between two sequence numbers, or of one of some. */
  isRangeContested(first: number, last: number): boolean
  isContested(seqs: readonly number[]): boolean
  /** Forgets the verdicts of batches that came before a time, at most so many; how many it were. */
  dropVerdicts(time: number, limit: number): number
  /** Forgets whose some clients are: those that numbered no batch, last came before a time, and wrote nothing current. */
  dropClaims(time: number, limit: number): void
  /** When the oldest batch came whose verdicts are kept, ms; null without one. */
  oldestVerdicts(): number | null
  /** The last sequence number that arrived before a time, as far as rows tell. */
  lastBefore(time: number): number
  /** Forgets deletions up to a sequence number, at most so many; their own numbers. */
  dropTombstones(seq: number, limit: number): readonly number[]
  putFloor(floor: number): void
  /** Whether anything is kept that will be dropped one day. */
  ages(): boolean
}

export function ageingRows(sql: SqlStorage): AgeingRows {
  return { ...conflictAges(sql), ...clientAges(sql), ...deletionAges(sql) }
}

/**
 * The version of a conflict that is not named by its id: a conflict has the id of the change that caused it, and a merge
 * of that change comes right after it.
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

function deletionAges(
  sql: SqlStorage,
): Pick<AgeingRows, 'lastBefore' | 'dropTombstones' | 'putFloor' | 'ages'> {
  return {
    lastBefore(time) {
      const [row] = sql
        .exec<{ last: number }>('SELECT last FROM segment WHERE at < ? ORDER BY first DESC LIMIT 1', time)
        .toArray()
      return row?.last ?? 0
    },

    dropTombstones(seq, limit) {
      const rows = sql.exec<{ seq: number }>(
        `DELETE FROM head WHERE key IN (SELECT key FROM head WHERE deleted = 1 AND seq <= ? LIMIT ?)
         RETURNING seq`,
        seq,
        limit,
      )
      return Array.from(rows, ({ seq }) => seq)
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

/** Whether a query finds anything. */
function isFound(sql: SqlStorage, query: string, bindings: readonly SqlStorageValue[]): boolean {
  return sql.exec<{ found: number }>(`SELECT EXISTS (${query}) AS found`, ...bindings).one().found === 1
}
