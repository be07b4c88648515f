import type { EntryState } from '../../core/batch/stance.ts'
import { mergedNumber, mergedOf, rootNumber, runOf } from './entry-columns.ts'
import { valuesOfRows } from './json-rows.ts'
import type { KeyNames } from './key-names.ts'

/** The entry rows: the state of the latest version of each key. */
export interface EntryRows {
  entryStates(keys: readonly string[]): ReadonlyMap<string, EntryState>
  putEntryStates(states: ReadonlyMap<string, EntryState>): void
}

type EntryRow = readonly [
  name: string,
  seq: number,
  root: number,
  at: number,
  by: string,
  deleted: 0 | 1,
  merged: number,
]

export function entryRows(sql: SqlStorage, keyNames: KeyNames): EntryRows {
  return {
    entryStates(keys) {
      const keysByName = new Map(keys.map((key) => [keyNames(key), key]))
      // The result is one row of JSON: the platform passes rows one by one, at several microseconds each.
      const { rows } = sql
        .exec<{ rows: string }>(
          `SELECT json_group_array(json_array(key, seq, root, at, "by", deleted, merged)) AS rows
           FROM (SELECT head.* FROM json_each(?) AS wanted JOIN head ON head.key = wanted.value)`,
          JSON.stringify([...keysByName.keys()]),
        )
        .one()
      const found = new Map<string, EntryState>()
      for (const [name, seq, root, at, by, deleted, merged] of JSON.parse(rows) as readonly EntryRow[]) {
        found.set(keysByName.get(name) ?? '', {
          seq,
          ...runOf(root),
          at,
          by,
          deleted: deleted === 1,
          merged: mergedOf(merged),
        })
      }
      return found
    },

    putEntryStates(states) {
      const rows = Array.from(states, ([key, entry]) => [
        keyNames(key),
        entry.seq,
        rootNumber(entry),
        entry.at,
        entry.by,
        Number(entry.deleted),
        mergedNumber(entry.merged),
      ])
      sql.exec(
        `INSERT OR REPLACE INTO head (key, seq, root, at, "by", deleted, merged) ${valuesOfRows(7)}`,
        JSON.stringify(rows),
      )
    },
  }
}
