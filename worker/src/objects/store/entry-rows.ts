import type { EntryState } from '../../core/batch/stance.ts'
import { mergedNumber, mergedOf, rootNumber, runOf } from './head-row.ts'
import { valuesOfRows } from './json-rows.ts'
import type { KeyNames } from './key-names.ts'

/** The row of each key: its latest version. */
export interface EntryRows {
  entryStates(keys: readonly string[]): ReadonlyMap<string, EntryState>
  putEntryStates(heads: ReadonlyMap<string, EntryState>): void
}

type HeadRow = readonly [
  name: string,
  seq: number,
  root: number,
  at: number,
  by: string,
  deleted: 0 | 1,
  merged: number,
]

/** Where each key stands. */
export function entryRows(sql: SqlStorage, names: KeyNames): EntryRows {
  return {
    entryStates(keys) {
      const keysByName = new Map(keys.map((key) => [names(key), key]))
      // One row of JSON: the platform hands over rows one by one, at several microseconds each.
      const { rows } = sql
        .exec<{ rows: string }>(
          `SELECT json_group_array(json_array(key, seq, root, at, "by", deleted, merged)) AS rows
           FROM (SELECT head.* FROM json_each(?) AS wanted JOIN head ON head.key = wanted.value)`,
          JSON.stringify([...keysByName.keys()]),
        )
        .one()
      const found = new Map<string, EntryState>()
      for (const [name, seq, root, at, by, deleted, merged] of JSON.parse(rows) as readonly HeadRow[]) {
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

    putEntryStates(heads) {
      const rows = Array.from(heads, ([key, head]) => [
        names(key),
        head.seq,
        rootNumber(head),
        head.at,
        head.by,
        Number(head.deleted),
        mergedNumber(head.merged),
      ])
      sql.exec(
        `INSERT OR REPLACE INTO head (key, seq, root, at, "by", deleted, merged) ${valuesOfRows(7)}`,
        JSON.stringify(rows),
      )
    },
  }
}
