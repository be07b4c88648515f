import type { Json } from './json.ts'
import { NOTHING } from './version.ts'

/** Why one change is rejected while its neighbours go on. Final: sent again it gets the same answer. */
export type Rejection =
  | 'invalid-key'
  | 'invalid-timestamp'
  | 'missing-value'
  | 'value-too-large'
  | 'forbidden-key'

/** What became of one change, in sequence numbers: compact enough to be kept for a replay. */
export type Verdict =
  | { readonly status: 'applied'; readonly seq: number; readonly conflict: boolean }
  | { readonly status: 'noop'; readonly seq: number }
  | { readonly status: 'merged'; readonly seq: number; readonly conflict: number }
  | { readonly status: 'superseded' | 'conflict'; readonly seq: number; readonly winner: number }
  | { readonly status: 'rejected'; readonly code: Rejection }

/** One line of a reply's `results`, in the order of the request's changes. */
export interface ChangeResult {
  readonly key: string
  readonly status: Verdict['status']
  /** Where the key stands after this change; none for a rejection, or where there never was anything. */
  readonly version?: string
  /** What a merge made: null JSON and all; left out where a reply would grow too long, the feed has it too. */
  readonly value?: Json
  /** Only where it differs from the timestamp that was sent. */
  readonly effectiveTimestamp?: number
  readonly code?: Rejection
}

/** Verdicts as a short text for the idempotency record: the commonest is a bare number. */
export function encodeVerdicts(verdicts: readonly Verdict[]): string {
  return JSON.stringify(verdicts.map(encodeVerdict))
}

type Code =
  | number
  | readonly ['c' | 'n', number]
  | readonly ['m' | 'o' | 's', number, number]
  | readonly ['r', Rejection]

function encodeVerdict(verdict: Verdict): Code {
  switch (verdict.status) {
    case 'applied':
      return verdict.conflict ? ['c', verdict.seq] : verdict.seq
    case 'noop':
      return ['n', verdict.seq]
    case 'merged':
      return ['m', verdict.seq, verdict.conflict]
    case 'superseded':
      return ['s', verdict.seq, verdict.winner]
    case 'conflict':
      return ['o', verdict.seq, verdict.winner]
    case 'rejected':
      return ['r', verdict.code]
  }
}

export function decodeVerdicts(text: string): readonly Verdict[] {
  return (JSON.parse(text) as readonly Code[]).map(decodeVerdict)
}

function decodeVerdict(code: Code): Verdict {
  if (typeof code === 'number') return { status: 'applied', seq: code, conflict: false }
  switch (code[0]) {
    case 'c':
      return { status: 'applied', seq: code[1], conflict: true }
    case 'n':
      return { status: 'noop', seq: code[1] }
    case 'm':
      return { status: 'merged', seq: code[1], conflict: code[2] }
    case 's':
      return { status: 'superseded', seq: code[1], winner: code[2] }
    case 'o':
      return { status: 'conflict', seq: code[1], winner: code[2] }
    case 'r':
      return { status: 'rejected', code: code[1] }
  }
}

/** The ids of the conflicts that a batch made: a conflict is named by the change that caused it. */
export function conflictIds(verdicts: readonly Verdict[]): readonly number[] {
  return verdicts.map(conflictId).filter((id) => id !== NOTHING)
}

/** The conflict that a verdict speaks of; `NOTHING` without one. */
export function conflictId(verdict: Verdict): number {
  if ('winner' in verdict) return verdict.seq
  if (verdict.status === 'merged') return verdict.conflict
  return verdict.status === 'applied' && verdict.conflict ? verdict.seq : NOTHING
}
