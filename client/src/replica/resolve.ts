import type { Found, Outcome, QueuedEdit, StoredEntry, TroubleStatus, Writes } from '../store/store.ts'
import type { Json } from '../values/wire.ts'
import { stateInTerm } from './state.ts'

interface Decided {
  readonly term: number
  readonly edit: QueuedEdit
}

/**
 * Takes the reply to the decision of a conflict: the entry has the chosen content under this version. A reply that is
 * repeated says what was true when the conflict was decided, and the copy may be newer (CF6).
 */
export function answeredChoice(
  found: Found,
  decided: Decided & { version: string | null; replayed?: boolean },
): Writes {
  const { term, edit, version, replayed } = decided
  const state = stateInTerm(found, term)
  const { key, value, timestamp, id } = edit
  if (replayed) return { answered: [id] }
  const isGone = version === null || value === undefined
  const entry = { key, value: value as Json, version: version ?? '', timestamp, reading: state.reading }
  return {
    ...(isGone ? { gone: [key] } : { entries: [entry satisfies StoredEntry] }),
    answered: [id],
  }
}

const TROUBLES: { readonly [code in string]?: TroubleStatus } = {
  'stale-base': 'conflict',
  'already-resolved': 'superseded',
  'not-found': 'superseded',
}

/** Takes a refusal of a decision: the entry has changed, or somebody has decided otherwise. The user is asked again. */
export function changedMind(found: Found, { term, edit, code }: Decided & { code: string }): Writes {
  stateInTerm(found, term)
  const status = TROUBLES[code] ?? 'rejected'
  const { conflict } = edit.resolves ?? {}
  const outcome: Outcome = { id: edit.id, key: edit.key, status, edit, code, ...(conflict && { conflict }) }
  return { answered: [edit.id], outcomes: [outcome] }
}
