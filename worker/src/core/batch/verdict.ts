import type { Json } from '../values/json.ts'
import { NOTHING } from '../values/version.ts'

/**
 * The reason why one change is rejected while the rest of its batch is stored. Final: the same change is rejected
 * again.
 */
export type Rejection =
  | 'invalid-key'
  | 'invalid-timestamp'
  | 'missing-value'
  | 'value-too-large'
  | 'forbidden-key'
  | 'too-deep'
  | 'lone-surrogate'
  | 'number-out-of-range'

/**
 * The outcome of one change, in sequence numbers: compact enough to keep for a replay. `at` is the raised time in ms,
 * present only if the space raised it.
 */
export type Verdict =
  | { readonly status: 'applied'; readonly seq: number; readonly conflict: boolean; readonly at?: number }
  | { readonly status: 'noop'; readonly seq: number }
  | { readonly status: 'merged'; readonly seq: number; readonly conflict: number; readonly at?: number }
  | { readonly status: 'superseded' | 'conflict'; readonly seq: number; readonly winner: number }
  | { readonly status: 'rejected'; readonly code: Rejection }

/** One item of a reply's `results`, in the order of the request's changes. */
export interface ChangeResult {
  readonly key: string
  readonly status: Verdict['status']
  /** The current version of the key after this change. Absent for a rejection, and if the key never existed. */
  readonly version?: string
  /** The value of a merge, null included. Left out if the reply would grow too long; the feed has it too. */
  readonly value?: Json
  /** Present only if it differs from the timestamp that was sent. */
  readonly effectiveTimestamp?: number
  /** The id of the conflict that the change caused, as in the reply's `conflicts`. */
  readonly conflict?: number
  readonly code?: Rejection
  /** The location of the fault inside `value` or `baseValue`, as a JSON pointer into the change. */
  readonly path?: string
}

/**
 * Encodes verdicts as a short text for the idempotency record. Runs are counted, so a batch that is wholly applied or
 * wholly rejected takes a few bytes.
 */
export function encodeVerdicts(verdicts: readonly Verdict[]): string {
  const items: Item[] = []
  for (const verdict of verdicts) {
    const code = encodeVerdict(verdict)
    const run = runWith(items.at(-1), code)
    if (run === null) items.push(code)
    else items[items.length - 1] = run
  }
  return JSON.stringify(items)
}

/** One verdict: a bare number for the most common one, a bare letter for a rejection. */
type Code =
  | number
  | Letter
  | readonly ['c' | 'n', number]
  | readonly ['m' | 'o' | 's', number, number]
  // The rejection format of layout 5.
  | readonly ['r', Rejection]

type Item =
  | Code
  /** A run of `count` applied changes, from one sequence number on. */
  | readonly ['+', seq: number, count: number]
  /** A run of equal rejections. */
  | readonly ['*', letter: Letter, count: number]
  /** A change whose time was raised to `at`. */
  | readonly ['t', at: number, code: Code]

const LETTERS = {
  'invalid-key': 'k',
  'invalid-timestamp': 't',
  'missing-value': 'v',
  'value-too-large': 'l',
  'forbidden-key': 'f',
  'too-deep': 'd',
  'lone-surrogate': 's',
  'number-out-of-range': 'n',
} as const satisfies Record<Rejection, string>

type Letter = (typeof LETTERS)[Rejection]

const REJECTIONS = new Map(Object.entries(LETTERS).map(([code, letter]) => [letter, code as Rejection]))

function encodeVerdict(verdict: Verdict): Item {
  const code = codeOf(verdict)
  return 'at' in verdict && verdict.at !== undefined ? ['t', verdict.at, code] : code
}

function codeOf(verdict: Verdict): Code {
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
      return LETTERS[verdict.code]
  }
}

/** Extends the last item by one more code. Returns null if they form no run. */
function runWith(last: Item | undefined, code: Item): Item | null {
  const [kind, first, count] = typeof last === 'object' ? last : [null, last, 1]
  if (typeof code === 'number' && (kind === '+' || typeof last === 'number')) {
    return code === Number(first) + Number(count) ? ['+', Number(first), Number(count) + 1] : null
  }
  if (typeof code !== 'string' || first !== code || (kind !== '*' && kind !== null)) return null
  return ['*', code, Number(count) + 1]
}

export function decodeVerdicts(text: string): readonly Verdict[] {
  return (JSON.parse(text) as readonly Item[]).flatMap(decodeItem)
}

function decodeItem(item: Item): Verdict | Verdict[] {
  if (typeof item !== 'object') return decodeVerdict(item)
  switch (item[0]) {
    case '+':
      return Array.from({ length: item[2] }, (_, index) => decodeVerdict(item[1] + index))
    case '*':
      return Array.from({ length: item[2] }, () => decodeVerdict(item[1]))
    case 't': {
      const verdict = decodeVerdict(item[2])
      return verdict.status === 'applied' || verdict.status === 'merged'
        ? { ...verdict, at: item[1] }
        : verdict
    }
    default:
      return decodeVerdict(item)
  }
}

function decodeVerdict(code: Code): Verdict {
  if (typeof code === 'number') return { status: 'applied', seq: code, conflict: false }
  if (typeof code === 'string') return { status: 'rejected', code: REJECTIONS.get(code) ?? 'invalid-key' }
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

/** The ids of the conflicts that a batch caused. A conflict has the sequence number of its change as its id. */
export function conflictIds(verdicts: readonly Verdict[]): readonly number[] {
  return verdicts.map(conflictId).filter((id) => id !== NOTHING)
}

/** The conflict of a verdict; `NOTHING` without one. */
export function conflictId(verdict: Verdict): number {
  if ('winner' in verdict) return verdict.seq
  if (verdict.status === 'merged') return verdict.conflict
  return verdict.status === 'applied' && verdict.conflict ? verdict.seq : NOTHING
}
