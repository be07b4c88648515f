import type { Edit } from '../batch/change.ts'
import type { EntryState } from '../batch/stance.ts'
import { NOTHING } from '../values/version.ts'

/** How far the import of one export has come. */
export interface Progress {
  /** The export's header, as text. */
  readonly source: string
  /** How many of its lines are in. */
  readonly line: number
  readonly finished: boolean
  /** The last sequence number that it gave. Absent: a release that did not keep it took the lines. */
  readonly seq?: number
}

/** An entry of an export, made ready. */
export interface Imported {
  readonly edit: Edit
  /** The client that wrote it. */
  readonly by: string
}

/** Entries by one client. */
export type ClientGroup = readonly [Imported, ...Imported[]]

/** A version that an import stores. */
export interface ImportedVersion {
  readonly seq: number
  readonly previous: number
}

/** What a stretch of an import does, as data. */
export interface ImportPlan {
  readonly placed: readonly ImportedVersion[]
  readonly states: ReadonlyMap<string, EntryState>
  /** Keys that were there, and are deleted without a trace: no device has seen them. */
  readonly gone: readonly string[]
  /** By how many the live entries, and the superseded versions of the log, grow or shrink. */
  readonly entries: number
  readonly superseded: number
}

/** Of entries that come one after the other the last one of each key, in their order. */
export function lastOfEach(entries: readonly Imported[]): readonly Imported[] {
  const last = new Map(entries.map((entry) => [entry.edit.key, entry]))
  return entries.filter((entry) => last.get(entry.edit.key) === entry)
}

/** Plans entries of different keys behind a sequence number, onto what earlier lines of the export have left. */
export function planImport(
  entries: readonly Imported[],
  seq: number,
  states: ReadonlyMap<string, EntryState>,
): ImportPlan {
  const kept = entries.filter(({ edit }) => !edit.deleted)
  const placed = kept.map(({ edit }, index) => {
    return { seq: seq + index + 1, previous: states.get(edit.key)?.seq ?? NOTHING }
  })
  const gone = entries.filter(({ edit }) => edit.deleted && states.has(edit.key)).map(({ edit }) => edit.key)
  const replaced = placed.filter(({ previous }) => previous !== NOTHING).length
  return {
    placed,
    states: new Map(kept.map((entry, index) => [entry.edit.key, headOf(entry, seq + index + 1)])),
    gone,
    entries: kept.length - replaced - gone.length,
    superseded: replaced + gone.length,
  }
}

/** No run of writes is known, so a base from before the import is never taken for the writer's own. */
function headOf({ edit, by }: Imported, seq: number): EntryState {
  return { seq, root: seq, vacant: false, at: edit.at, by, deleted: false, merged: NOTHING }
}

/** Stretches of entries by the same client: each is sealed under its name. */
export function groupByClient(entries: readonly Imported[]): readonly ClientGroup[] {
  const runs: [Imported, ...Imported[]][] = []
  for (const entry of entries) {
    const run = runs.at(-1)
    if (run?.[0].by === entry.by) run.push(entry)
    else runs.push([entry])
  }
  return runs
}
