import type {
  Base,
  Found,
  Outcome,
  QueuedEdit,
  ReplicaState,
  StoredEntry,
  Wanted,
  Writes,
} from '../store/store.ts'
import { isSame } from '../values/same.ts'
import type { FeedEntry, Json, ResetReason, SyncReply } from '../values/wire.ts'
import { stateInTerm } from './state.ts'

/**
 * Reads the feed from its start beside the copy (RE1 to RE4). Each reading has a number, and an entry with an older
 * number was not read again. Until the end of the feed such entries are still shown.
 */
type Restart = NonNullable<ReplicaState['restart']>

const RESTARTS: { readonly [reason in ResetReason]: Restart } = {
  filter: 'drop',
  floor: 'drop',
  cursor: 'drop',
  // The space was set back: what it lost is pushed again.
  head: 'offer',
  // The space was erased or restored. An erasure may be wanted, so the user decides.
  epoch: 'ask',
}

/** Begins a reading from the start if the page does. */
export function restartOf(
  state: ReplicaState,
  reply: Pick<SyncReply, 'reset' | 'resetReason'>,
): Pick<ReplicaState, 'reading' | 'restart'> {
  const { reading, restart } = state
  if (!reply.reset) return { reading, restart }
  const reason = RESTARTS[reply.resetReason ?? 'cursor']
  // A comparison that was cut off goes on: the copy may still hold the only remains of a write.
  return { reading: reading + 1, restart: reason === 'drop' && restart !== null ? restart : reason }
}

/** Whether a reply begins a reading that compares, for which it has to find all edits and entries. */
export function compares({
  reset,
  resetReason = 'cursor',
}: Pick<SyncReply, 'reset' | 'resetReason'>): boolean {
  return reset === true && RESTARTS[resetReason] !== 'drop'
}

interface Remains {
  readonly offers: readonly QueuedEdit[]
  readonly orphans: readonly Outcome[]
}

/** The rows that a reply changes or is compared with. `own`: the keys of the batch. */
export function wantedFor(
  { restart }: ReplicaState,
  reply: Pick<SyncReply, 'reset' | 'resetReason' | 'changes'>,
  own: readonly string[],
): Wanted {
  if (compares(reply)) return { prefix: '' }
  const read = restart === 'offer' || restart === 'ask' ? reply.changes.map(({ key }) => key) : []
  return { keys: [...new Set([...own, ...read])] }
}

/** Finds the entries of the copy that are later than those of the page, before the page replaces them (RE3). */
export function compareWithCopy(found: Found, page: readonly FeedEntry[], state: ReplicaState): Remains {
  const lost = page.flatMap((row): Lost[] => {
    const own = found.entries.get(row.key)
    if (own === undefined || own.reading === state.reading || own.timestamp < row.timestamp) return []
    if (own.timestamp > row.timestamp) return [{ own, base: { version: row.version } }]
    // One of two versions of equal time goes beside the other, so that the loser is kept.
    return 'value' in row && isSame(row.value as Json, own.value) ? [] : [{ own, base: { blind: true } }]
  })
  return remainsOf(found, lost, state)
}

interface Lost {
  readonly own: StoredEntry
  readonly base: Base
}

/** An entry with a waiting edit is not offered: the edit was made on it. */
function remainsOf({ edits: waiting }: Found, lost: readonly Lost[], state: ReplicaState): Remains {
  const busy = new Set(waiting.map(({ key }) => key))
  const free = lost.filter(({ own }) => !busy.has(own.key))
  const edits = free.map(({ own: { key, value, timestamp }, base }, index): QueuedEdit => {
    return { id: state.nextEdit + index, key, value, timestamp, base, repeats: true }
  })
  if (state.restart === 'offer') return { offers: edits, orphans: [] }
  const orphans = edits.map((edit): Outcome => ({ id: edit.id, key: edit.key, status: 'orphaned', edit }))
  return { offers: [], orphans }
}

/** Ends a reading from the start: entries that it did not bring are gone, or only this device has them. */
export function endRestart(found: Found, term: number): Writes {
  const state = stateInTerm(found, term)
  const old = [...found.entries.values()].filter(({ reading }) => reading < state.reading)
  const gone = old.map(({ key }) => key)
  const done = { ...state, restart: null }
  if (state.restart === 'drop') return { state: done, gone }
  const lost = old.map((own) => ({ own, base: { version: null } }))
  const { offers, orphans } = remainsOf(found, lost, state)
  const nextEdit = state.nextEdit + offers.length + orphans.length
  return { state: { ...done, nextEdit }, gone, edits: offers, outcomes: orphans }
}

interface Detached {
  readonly edits: readonly QueuedEdit[]
  readonly outcomes: readonly Outcome[]
}

/**
 * Frees edits from a space that is gone or was set back. They name the values that they were made on in place of its
 * versions (RE4), and none decides one of its conflicts: of an open one only this device has the edit.
 */
export function detached({ edits, outcomes }: Pick<Found, 'edits' | 'outcomes'>): Detached {
  const open = outcomes.filter(({ status }) => status === 'conflict')
  return {
    edits: edits.map(rebasedOnValue),
    outcomes: open.map(({ conflict: _gone, ...outcome }) => ({ ...outcome, status: 'orphaned' as const })),
  }
}

function rebasedOnValue({ resolves: _gone, ...edit }: QueuedEdit): QueuedEdit {
  if (!('version' in edit.base)) return edit
  const isNew = edit.base.version === null || edit.before === undefined
  return { ...edit, base: isNew ? { none: true } : { value: edit.before as Json } }
}
