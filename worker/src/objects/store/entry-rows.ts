import type { EntryState } from '../../core/batch/stance.ts'
import { ENTRY_STATES_AT_ONCE } from '../../core/values/limits.ts'
import { FOREIGN, NOTHING } from '../../core/values/version.ts'
import { valuesOfRows } from './json-rows.ts'
import type { KeyNames } from './key-names.ts'
import { recentEntries } from './recent-entries.ts'

/** The entry rows: the state of the latest version of each key. */
export interface EntryRows {
  /** Returns the entries of some keys, in a map of the caller's own. */
  entryStates(keys: readonly string[]): Map<string, EntryState>
  /** Whether the rows hold the keys themselves. If not, `namesAfter` has no meaning. */
  namesAreKeys(): boolean
  /** The names of entries that begin with a prefix and follow another name, in the order of their bytes. */
  namesAfter(prefix: string, name: string, limit: number): readonly string[]
  putEntryStates(states: ReadonlyMap<string, EntryState>): void
  /** Writes entries by the names of their keys. */
  putEntries(entries: Iterable<NamedEntry>): void
  /** Deletes entries without a tombstone. */
  dropEntries(keys: readonly string[]): void
  /** Deletes the tombstones up to a sequence number, at most `limit`. Returns their sequence numbers. */
  dropTombstones(seq: number, limit: number): readonly number[]
  /** Forgets the rows that are in memory: call it when a transaction has failed, or the tables were founded again. */
  forgetEntries(): void
  /** Returns entries by the names of their keys. */
  named(states: ReadonlyMap<string, EntryState>): Iterable<NamedEntry>
}

type NamedEntry = readonly [name: string, entry: EntryState]

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

/** The column `root`: negated if the run began on a version and the key had no value at some moment since. */
export function rootNumber({ root, vacant }: Pick<EntryState, 'root' | 'vacant'>): number {
  return vacant && root > NOTHING ? FOREIGN - root : root
}

export function runOf(stored: number): Pick<EntryState, 'root' | 'vacant'> {
  return stored < FOREIGN
    ? { root: FOREIGN - stored, vacant: true }
    : { root: stored, vacant: stored <= NOTHING }
}

/** In rows from before layout 7, a 1 in the column `merged` means that the version was merged, but not with which one. */
const MERGED = 1

export function mergedNumber(merged: number): number {
  return merged === NOTHING ? 0 : Math.max(merged, NOTHING) + MERGED
}

export function mergedOf(stored: number): number {
  if (stored === 0) return NOTHING
  return stored === MERGED ? FOREIGN : stored - MERGED
}

/** `pending` gives the entries that are laid over those of the table. */
export function entryRows(sql: SqlStorage, keyNames: KeyNames, pending: () => EntriesByName): EntryRows {
  const recent = recentEntries()

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

  function* named(states: ReadonlyMap<string, EntryState>): Generator<NamedEntry> {
    for (const [key, entry] of states) yield [keyNames(key), entry]
  }

  function putEntries(entries: Iterable<NamedEntry>): void {
    const rows: EntryRow[] = []
    for (const [name, entry] of entries) {
      rows.push(toEntryRow(name, entry))
      recent.put(name, entry)
    }
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
        const entry = entries.get(name) ?? recent.get(name)
        if (entry === undefined) keysByName.set(name, key)
        else found.set(key, entry)
      }
      const names = [...keysByName.keys()]
      for (let start = 0; start < names.length; start += ENTRY_STATES_AT_ONCE) {
        for (const row of readRows(names.slice(start, start + ENTRY_STATES_AT_ONCE))) {
          const entry = toEntryState(row)
          recent.put(row[0], entry)
          found.set(keysByName.get(row[0]) ?? '', entry)
        }
      }
      return found
    },

    ...nameLists(sql, keyNames, pending),
    putEntryStates: (states) => putEntries(named(states)),
    putEntries,

    dropEntries(keys) {
      const dropped = JSON.stringify(keys.map(keyNames))
      sql.exec('DELETE FROM head WHERE key IN (SELECT value FROM json_each(?))', dropped)
      recent.forget()
    },

    dropTombstones(seq, limit) {
      const rows = sql.exec<{ seq: number }>(
        `DELETE FROM head WHERE key IN (SELECT key FROM head WHERE deleted = 1 AND seq <= ? LIMIT ?)
         RETURNING seq`,
        seq,
        limit,
      )
      const dropped = Array.from(rows, ({ seq }) => seq)
      if (dropped.length > 0) recent.forget()
      return dropped
    },

    forgetEntries: recent.forget,
    named,
  }
}

/** Sorts after every key with the same beginning: a key has at most 128 of the last character. */
const LAST = '\u{10ffff}'.repeat(128)

function nameLists(
  sql: SqlStorage,
  keyNames: KeyNames,
  pending: () => EntriesByName,
): Pick<EntryRows, 'namesAreKeys' | 'namesAfter'> {
  return {
    namesAreKeys: () => keyNames('') === '',

    namesAfter(prefix, after, limit) {
      const laid = [...pending()].filter(([name]) => name.startsWith(prefix))
      const live = laid.filter(([, { deleted }]) => !deleted)
      // SQLite merges the two, because it orders by bytes, and JavaScript by UTF-16 code units.
      const rows = sql.exec<{ key: string }>(
        `SELECT key FROM head WHERE key > ?2 AND key BETWEEN ?1 AND ?3 AND substr(key, 1, length(?1)) = ?1
           AND deleted = 0 AND key NOT IN (SELECT value FROM json_each(?5))
         UNION ALL SELECT value FROM json_each(?6) WHERE value > ?2 ORDER BY 1 LIMIT ?4`,
        prefix,
        after,
        prefix + LAST,
        limit,
        JSON.stringify(laid.map(([name]) => name)),
        JSON.stringify(live.map(([name]) => name)),
      )
      return Array.from(rows, ({ key }) => key)
    },
  }
}
