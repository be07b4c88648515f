import type { Conflict } from '../../core/batch/conflict.ts'
import { valuesOfRows } from './json-rows.ts'

/** Settled and open conflicts. */
export interface ConflictRows {
  /** `at`: when they came to be, ms. */
  putConflicts(conflicts: readonly Conflict[], at: number): void
  conflicts(ids: readonly number[]): readonly Conflict[]
  conflictsAfter(id: number, page: { readonly limit: number; readonly open: boolean }): readonly Conflict[]
  /** Closes an open conflict. `by`: the version that settled it. */
  resolveConflict(id: number, settled: { readonly by: number; readonly at: number }): void
  openConflicts(): number
}

const CONFLICT = `SELECT id, policy, resolution, winner, loser, resolved AS resolvedBy FROM conflict`

/** Settled and open conflicts. */
export function conflictRows(sql: SqlStorage): ConflictRows {
  return {
    putConflicts(conflicts, at) {
      const rows = conflicts.map(({ id, policy, resolution, winner, loser }) => [
        id,
        policy,
        resolution,
        winner,
        loser,
        Number(resolution === 'open'),
        at,
      ])
      sql.exec(
        `INSERT INTO conflict (id, policy, resolution, winner, loser, open, at) ${valuesOfRows(7)}`,
        JSON.stringify(rows),
      )
    },

    conflicts(ids) {
      const wanted = `${CONFLICT} WHERE id IN (SELECT value FROM json_each(?))`
      return sql.exec<Conflict & Row>(wanted, JSON.stringify(ids)).toArray()
    },

    conflictsAfter(id, { limit, open }) {
      const among = open ? 'open = 1 AND' : ''
      return sql
        .exec<Conflict & Row>(`${CONFLICT} WHERE ${among} id > ? ORDER BY id LIMIT ?`, id, limit)
        .toArray()
    },

    resolveConflict(id, { by, at }) {
      sql.exec(
        `UPDATE conflict SET resolution = 'resolved', open = 0, resolved = ?, at = ? WHERE id = ?`,
        by,
        at,
        id,
      )
    },

    openConflicts() {
      return sql.exec<{ open: number }>('SELECT count(*) AS open FROM conflict WHERE open = 1').one().open
    },
  }
}

type Row = Record<string, SqlStorageValue>
