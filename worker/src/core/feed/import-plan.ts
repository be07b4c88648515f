import type { Edit } from '../batch/change.ts'
import type { EntryState } from '../batch/stance.ts'
import { NOTHING } from '../values/version.ts'

/** The progress of importing one export. */
export interface Progress {
  /** The export's header, as text. */
  readonly source: string
  /** The number of its lines that are stored. */
  readonly line: number
  readonly finished: boolean
  /** The last sequence number that the import assigned. Absent if a release that did not record it stored the lines. */
  readonly seq?: number
}

/** An entry of an export, validated. */
export interface Imported {
  readonly edit: Edit
  /** The client that wrote the entry. */
  readonly by: string
}

/** Entries by one client. */
export type ClientGroup = readonly [Imported, ...Imported[]]

/** A version that an import stores. */
export interface ImportedVersion {
  readonly seq: number
  readonly previous: number
}

/** The effects of one slice of an import, as data. */
export interface ImportPlan {
  readonly versions: readonly ImportedVersion[]
  readonly states: ReadonlyMap<string, EntryState>
  /** Keys that existed and are deleted without a tombstone, because no device has seen them. */
  readonly gone: readonly string[]
  /** The changes in the number of live entries and of superseded versions. */
  readonly entries: number
  readonly superseded: number
}

/** The last entry of each key, in their order. */
export function lastOfEach(entries: readonly Imported[]): readonly Imported[] {
  const last = new Map(entries.map((entry) => [entry.edit.key, entry]))
  return entries.filter((entry) => last.get(entry.edit.key) === entry)
}

/**
 * Plans the import of entries with distinct keys after a sequence number, on top of what earlier lines of the export
 * stored.
 */
export function planImport(
  entries: readonly Imported[],
  seq: number,
  states: ReadonlyMap<string, EntryState>,
): ImportPlan {
  const kept = entries.filter(({ edit }) => !edit.deleted)
  const versions = kept.map(({ edit }, index) => {
    return { seq: seq + index + 1, previous: states.get(edit.key)?.seq ?? NOTHING }
  })
  const gone = entries.filter(({ edit }) => edit.deleted && states.has(edit.key)).map(({ edit }) => edit.key)
  const replaced = versions.filter(({ previous }) => previous !== NOTHING).length
  return {
    versions,
    states: new Map(kept.map((entry, index) => [entry.edit.key, stateOf(entry, seq + index + 1)])),
    gone,
    entries: kept.length - replaced - gone.length,
    superseded: replaced + gone.length,
  }
}

/** An imported entry has no run, so a base from before the import never counts as the writer's own. */
function stateOf({ edit, by }: Imported, seq: number): EntryState {
  return { seq, root: seq, vacant: false, at: edit.at, by, deleted: false, merged: NOTHING }
}

/** Groups consecutive entries by client: each group is sealed under the client's name. */
export function groupByClient(entries: readonly Imported[]): readonly ClientGroup[] {
  const runs: [Imported, ...Imported[]][] = []
  for (const entry of entries) {
    const run = runs.at(-1)
    if (run?.[0].by === entry.by) run.push(entry)
    else runs.push([entry])
  }
  return runs
}
