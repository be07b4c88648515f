import { seenIn } from '../replica/queue.ts'
import type { Found, Outcome, QueuedEdit, StoredEntry } from '../store/store.ts'
import type { Json } from '../values/wire.ts'

/**
 * How far the newest edit of a row has come. `pending`: safe on this device. `synced`: the service has it. `rejected`:
 * the service refused an edit, and the row shows what the service has. `superseded`: an edit lost to another one.
 * `conflict`: somebody has to decide between two edits.
 */
export type RowStatus = 'pending' | 'synced' | 'rejected' | 'superseded' | 'conflict'

export interface RowMeta {
  /** The name of the row in its collection. */
  readonly $id: string
  readonly $status: RowStatus
  /** The version that an edit of this row is based on; null for a row that the service does not have yet. */
  readonly $version: string | null
}

/**
 * A value with three fields of the client, which are not enumerable: `{ ...row }`, `JSON.stringify(row)` and `put`
 * take the value only. A value that is no object is in `$value`.
 */
export type Row<T> = Readonly<T> & RowMeta

/** All that this device knows of a key. */
export interface Known {
  readonly entry: StoredEntry | undefined
  readonly edit: QueuedEdit | undefined
  readonly outcome: Outcome | undefined
}

/** Groups what was read by key. The last edit and the last outcome of a key count. */
export function knownOf({ entries, edits, outcomes }: Found, keys: Iterable<string>): Map<string, Known> {
  const lastEdit = new Map(edits.map((edit) => [edit.key, edit]))
  // An orphan is of another space, and says nothing of the row.
  const ownOutcomes = outcomes.filter(({ status }) => status !== 'orphaned')
  const lastOutcome = new Map(ownOutcomes.map((outcome) => [outcome.key, outcome]))
  return new Map(
    Array.from(keys, (key) => [
      key,
      { entry: entries.get(key), edit: lastEdit.get(key), outcome: lastOutcome.get(key) },
    ]),
  )
}

export function contentOf({ entry, edit }: Known): Json | undefined {
  return edit ? edit.value : entry?.value
}

/**
 * Names the content and the status of a row: the row is the same as long as this is. A space that was set back gives
 * out a version again, so the reading counts too.
 */
export function stampOf(known: Known): string {
  const { entry, edit } = known
  return `${edit?.id ?? ''}|${versionOf(known)}|${entry?.version}|${entry?.reading}|${statusOf(known)}`
}

/** The version that the content of a row was made on. */
function versionOf({ entry, edit }: Known): string | null {
  return edit ? seenIn(edit.base) : (entry?.version ?? null)
}

function statusOf({ edit, outcome }: Known): RowStatus {
  if (edit) return 'pending'
  // There are no orphans among them.
  return (outcome?.status ?? 'synced') as RowStatus
}

export function rowOf<T>(id: string, value: Json, known: Known): Row<T> {
  const isObject = typeof value === 'object' && value !== null
  const row = isObject ? value : {}
  const fields = {
    $id: hidden(id),
    $status: hidden(statusOf(known)),
    $version: hidden(versionOf(known)),
    ...(!isObject && { $value: hidden(value) }),
  }
  const copy = Array.isArray(row) ? [...row] : { ...row }
  return frozen(Object.defineProperties(copy, fields)) as Row<T>
}

/** A field of the value with the same name would stay enumerable. */
function hidden(value: Json): PropertyDescriptor {
  return { value, enumerable: false }
}

/** A row that an app changed by accident would show what is saved nowhere. */
function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) frozen(part)
  return Object.freeze(value)
}
