import type { Found, Outgoing, QueuedEdit, Writes } from '../store/store.ts'
import type { Change } from '../values/wire.ts'
import { stateInTerm } from './state.ts'

/** The most changes of a batch, and about its most bytes: half a request, so that a slow network moves on. */
export interface BatchSize {
  readonly changes: number
  readonly bytes: number
}

/** The batch that the leader sends next. */
export interface Sending extends Writes {
  /** The edits of the batch, in their order; empty for a pull. */
  readonly sent: readonly QueuedEdit[]
}

/** Takes the batch that is not answered, or makes one of the first edits. `isFull`: the space takes only deletions. */
export function nextBatch(
  found: Found,
  options: { term: number; size: BatchSize; isFull: boolean },
): Sending {
  const state = stateInTerm(found, options.term)
  if (state.outgoing) return { sent: editsIn(found, state.outgoing) }
  const waiting = options.isFull ? firstDeletions(found.edits) : found.edits
  const sent = firstOf(waiting, options.size)
  if (sent.length === 0 || sent[0]?.resolves) return { sent }
  return { state: { ...state, outgoing: { number: state.batch + 1, edits: sent.map(({ id }) => id) } }, sent }
}

function editsIn({ edits }: Found, outgoing: Outgoing): QueuedEdit[] {
  const ids = new Set(outgoing.edits)
  return edits.filter(({ id }) => ids.has(id))
}

/** Deletions that no earlier edit of the same key waits before. */
function firstDeletions(edits: readonly QueuedEdit[]): QueuedEdit[] {
  const busy = new Set<string>()
  return edits.filter((edit) => {
    const isFirst = !busy.has(edit.key)
    busy.add(edit.key)
    return isFirst && edit.value === undefined && !edit.resolves
  })
}

/**
 * Edits that decide a conflict go alone, to a route of their own. Edits that repeat a time of the space are not mixed
 * with others, whose times are corrected by the clock of this device.
 */
function firstOf(edits: readonly QueuedEdit[], size: BatchSize): QueuedEdit[] {
  const first = edits[0]
  if (first === undefined) return []
  if (first.resolves) return [first]
  const sent: QueuedEdit[] = []
  const keys = new Set<string>()
  let bytes = 0
  for (const edit of edits) {
    bytes += bytesOf(edit)
    const isFull = sent.length === size.changes || (bytes > size.bytes && sent.length > 0)
    // Within a batch edits of one key are one run, whatever their bases (SY12).
    const isSplit = edit.pinned && keys.has(edit.key)
    if (isFull || isSplit || edit.resolves || edit.repeats !== first.repeats) break
    keys.add(edit.key)
    sent.push(edit)
  }
  return sent
}

const encoder = new TextEncoder()

function bytesOf(edit: QueuedEdit): number {
  return encoder.encode(JSON.stringify(changeOf(edit))).length
}

/** The change as it is sent. The same edit gives the same bytes until it is rebased, which happens only between batches. */
export function changeOf({ key, value, timestamp, base }: QueuedEdit): Change {
  const content = value === undefined ? { deleted: true as const } : { value }
  return { key, ...content, timestamp, ...wordsOf(base) } as Change
}

function wordsOf(base: QueuedEdit['base']) {
  if ('version' in base) return { base: base.version }
  if ('value' in base) return { baseValue: base.value }
  return 'none' in base ? { baseDeleted: true as const } : {}
}
