import type { Outcome } from '../store/store.ts'
import type { Conflict } from '../values/wire.ts'
import type { Answer } from './reply.ts'

/** How the service took an edit. */
export interface Synced {
  /**
   * `applied`: it is current. `merged`: it is part of a value that the service merged. `noop`: the value was there
   * already. `superseded`: it lost to another edit, and is kept as the loser of `conflict`. `conflict`: somebody has to
   * decide. `answered`: one of these, while this tab slept.
   */
  readonly status: 'applied' | 'merged' | 'noop' | 'superseded' | 'conflict' | 'answered'
  /** The current version of the entry; absent if there is none, or if this device no longer knows. */
  readonly version?: string
  /** The conflict that the edit caused, won or lost. */
  readonly conflict?: Conflict
}

/** How an edit was settled, as one tab tells it to the others. */
export interface Settlement {
  readonly id: number
  readonly key: string
  readonly answer?: Synced
  /** The code of a rejection. */
  readonly code?: string
}

/** Tells what the record of an edit says that has left the queue. */
export function settlementOf(id: number, outcome: Outcome | undefined): Settlement {
  if (outcome === undefined) return { id, key: '', answer: { status: 'answered' } }
  const { key, status, code, conflict } = outcome
  if (status === 'rejected') return { id, key, code: code ?? 'rejected' }
  const isOpen = status === 'conflict' ? 'conflict' : 'superseded'
  return { id, key, answer: { status: isOpen, ...(conflict && { conflict }) } }
}

/** Tells how the edits of a reply were settled. */
export function settlementsOf(
  answers: readonly Answer[],
  { answered = [], outcomes = [] }: { answered?: readonly number[]; outcomes?: readonly Outcome[] },
): Settlement[] {
  const byId = new Map(answers.map((answer) => [answer.id, answer]))
  const ended = new Map(outcomes.map((outcome) => [outcome.id, outcome]))
  return answered.map((id) => {
    const answer = byId.get(id)
    if (answer === undefined || answer.result.status === 'rejected') return settlementOf(id, ended.get(id))
    const { status, key, version } = answer.result
    const { conflict } = answer
    return {
      id,
      key,
      answer: { status, ...(version !== undefined && { version }), ...(conflict && { conflict }) },
    }
  })
}
