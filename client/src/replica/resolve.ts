import type { Found, Outcome, QueuedEdit, StoredEntry, Writes } from '../store/store.ts'
import type { Json } from '../values/wire.ts'
import { stateInTerm } from './state.ts'

interface Decided {
  readonly term: number
  readonly edit: QueuedEdit
}

/** Takes the reply to the decision of a conflict: the entry has the chosen content under this version. */
export function answeredChoice(found: Found, decided: Decided & { version: string | null }): Writes {
  const { term, edit, version } = decided
  const state = stateInTerm(found, term)
  const { key, value, timestamp, id } = edit
  const isGone = version === null || value === undefined
  const entry = { key, value: value as Json, version: version ?? '', timestamp, reading: state.reading }
  return {
    ...(isGone ? { gone: [key] } : { entries: [entry satisfies StoredEntry] }),
    answered: [id],
  }
}

/** Takes a refusal of a decision: the entry has changed, or somebody has decided otherwise. The user is asked again. */
export function changedMind(found: Found, { term, edit, code }: Decided & { code: string }): Writes {
  stateInTerm(found, term)
  const status = code === 'stale-base' ? 'conflict' : 'superseded'
  const { conflict } = edit.resolves ?? {}
  const outcome: Outcome = { id: edit.id, key: edit.key, status, edit, ...(conflict && { conflict }) }
  return { answered: [edit.id], outcomes: [outcome] }
}
