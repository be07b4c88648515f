import type { EntryState } from '../../core/batch/stance.ts'
import { ENTRY_STATES_AT_ONCE } from '../../core/values/limits.ts'
import { mergedNumber, mergedOf, rootNumber, runOf } from './entry-columns.ts'
import { valuesOfRows } from './json-rows.ts'
import type { KeyNames } from './key-names.ts'

/** The entry rows: the state of the latest version of each key. */
export interface EntryRows {
  entryStates(keys: readonly string[]): ReadonlyMap<string, EntryState>
  putEntryStates(states: ReadonlyMap<string, EntryState>): void
  /** Writes entries by the names of their keys. */
  putEntries(entries: EntriesByName): void
  /** Returns entries by the names of their keys. */
  named(states: ReadonlyMap<string, EntryState>): EntriesByName
}

/** Entries by the names of their keys in the rows. */
export type EntriesByName = ReadonlyMap<string, EntryState>

export type EntryRow = readonly [
  name: string,
  seq: number,
  root: number,
  at: number,
  by: string,
  deleted: 0 | 1,
  merged: number,
]

export function toEntryRow(name: string, entry: EntryState): EntryRow {
  const { seq, at, by, deleted, merged } = entry
  return [name, seq, rootNumber(entry), at, by, deleted ? 1 : 0, mergedNumber(merged)]
}

export function toEntryState([, seq, root, at, by, deleted, merged]: EntryRow): EntryState {
  const { root: base, vacant } = runOf(root)
  return { seq, root: base, vacant, at, by, deleted: deleted === 1, merged: mergedOf(merged) }
}

/** `pending` gives the entries that are laid over those of the table. */
export function entryRows(sql: SqlStorage, keyNames: KeyNames, pending: () => EntriesByName): EntryRows {
  function readRows(names: readonly string[]): readonly EntryRow[] {
    // The result is one row of JSON: the platform passes rows one by one, at several microseconds each.
    const { rows } = sql
      .exec<{ rows: string }>(
        `SELECT json_group_array(json_array(key, seq, root, at, "by", deleted, merged)) AS rows
         FROM (SELECT head.* FROM json_each(?) AS wanted JOIN head ON head.key = wanted.value)`,
        JSON.stringify(names),
      )
      .one()
    return JSON.parse(rows)
  }

  function named(states: ReadonlyMap<string, EntryState>): EntriesByName {
    return new Map(Array.from(states, ([key, entry]) => [keyNames(key), entry]))
  }

  function putEntries(entries: EntriesByName): void {
    const rows = Array.from(entries, ([name, entry]) => toEntryRow(name, entry))
    for (let start = 0; start < rows.length; start += ENTRY_STATES_AT_ONCE) {
      sql.exec(
        `INSERT OR REPLACE INTO head (key, seq, root, at, "by", deleted, merged) ${valuesOfRows(7)}`,
        JSON.stringify(rows.slice(start, start + ENTRY_STATES_AT_ONCE)),
      )
    }
  }

  return {
    entryStates(keys) {
      const entries = pending()
      const found = new Map<string, EntryState>()
      const keysByName = new Map<string, string>()
      for (const key of keys) {
        const name = keyNames(key)
        const entry = entries.get(name)
        if (entry === undefined) keysByName.set(name, key)
        else found.set(key, entry)
      }
      const names = [...keysByName.keys()]
      for (let start = 0; start < names.length; start += ENTRY_STATES_AT_ONCE) {
        for (const row of readRows(names.slice(start, start + ENTRY_STATES_AT_ONCE)))
          found.set(keysByName.get(row[0]) ?? '', toEntryState(row))
      }
      return found
    },

    putEntryStates: (states) => putEntries(named(states)),
    putEntries,
    named,
  }
}
