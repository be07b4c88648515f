import type { Base, Choice, Found, QueuedEdit, ReplicaState, StoredEntry, Writes } from '../store/store.ts'
import { ChronicleError } from '../values/errors.ts'
import type { Json } from '../values/wire.ts'
import { stateOf } from './state.ts'

/** An edit that the app makes. */
export interface Draft {
  readonly key: string
  /** Absent in a deletion. */
  readonly value?: Json
  readonly timestamp: number
  /** The version that the user saw, if it is not the newest that this device has. */
  readonly base?: string | null
  readonly resolves?: Choice
  /** The outcome that this edit ends. */
  readonly ends?: number
}

export interface Queued extends Writes {
  readonly edits: readonly QueuedEdit[]
}

/** Appends edits to the queue, each on the newest version that this device has, or on the edit before it. */
export function queueEdits(found: Found, drafts: readonly Draft[]): Queued {
  const state = stateOf(found)
  const ended = drafts.flatMap(({ ends }) => (ends === undefined ? [] : [ends]))
  const standing = new Set(found.outcomes.map(({ id }) => id))
  if (!ended.every((id) => standing.delete(id)))
    throw new ChronicleError('trouble-ended', 'the trouble has been dealt with already')
  const latest = new Map(found.edits.map((edit) => [edit.key, edit]))
  const edits = drafts.map((draft, index) => {
    const edit = editOf(draft, state.nextEdit + index, baseOf(draft, latest.get(draft.key), found))
    latest.set(draft.key, edit)
    return edit
  })
  // A new edit of an entry says that the user has seen how the one before it ended.
  const keys = new Set(drafts.map(({ key }) => key))
  const seen = found.outcomes.filter(({ key, status }) => status === 'superseded' && keys.has(key))
  const dismissed = [...new Set([...ended, ...seen.map(({ id }) => id)])]
  return { state: { ...state, nextEdit: state.nextEdit + drafts.length }, edits, dismissed }
}

type OnBase = Pick<QueuedEdit, 'base' | 'before' | 'pinned'>

/** The edits that a client makes before it gets a reply have one base, that of the first (SY5). */
function baseOf(draft: Draft, previous: QueuedEdit | undefined, found: Found): OnBase {
  const { entries } = found
  const state = stateOf(found)
  const entry = entries.get(draft.key)
  const before = previous ? previous.value : entry?.value
  const seen = before === undefined ? {} : { before }
  const newest = previous?.base ?? versionOf(entry, state)
  const { base } = draft
  const shown = previous ? seenIn(newest) : (entry?.version ?? null)
  if (base === undefined || base === shown) return { base: newest, ...seen }
  return { base: { version: base }, ...seen, pinned: true }
}

/** The version that a row shows which has this base. */
export function seenIn(base: Base): string | null {
  return 'version' in base ? base.version : null
}

/** An entry of a space that was erased or set back has a version that the space may give out again (RE4). */
function versionOf(entry: StoredEntry | undefined, { restart, reading }: ReplicaState): Base {
  if (entry === undefined) return { version: null }
  const isOfOtherSpace = restart !== null && restart !== 'drop' && entry.reading < reading
  return isOfOtherSpace ? { value: entry.value } : { version: entry.version }
}

function editOf({ key, value, timestamp, resolves }: Draft, id: number, on: OnBase): QueuedEdit {
  const content = value === undefined ? {} : { value }
  return { id, key, ...content, timestamp, ...on, ...(resolves && { resolves }) }
}
