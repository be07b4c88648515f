import type { Found, ReplicaState, Writes } from '../store/store.ts'
import { ChronicleError } from '../values/errors.ts'
import type { AuthReply, Problem } from '../values/wire.ts'
import { detached } from './restart.ts'
import { stateInTerm } from './state.ts'

/** The answer of the device to a refused request (docs/codes.md). */
export type Remedy =
  /** Sends the same again, later. */
  | 'retry'
  | 'sign-in'
  /** Sends fewer edits, or sets a single one aside. */
  | 'split'
  /** Sends deletions first. */
  | 'free'
  /** The batch took effect: drops it. */
  | 'drop'
  /** Gives the batch the number that the service expects. */
  | 'renumber'
  /** Becomes another client: the store is a copy, or an older state of itself. */
  | 'rename'
  /** Keeps everything and tells the app. */
  | 'stop'

const REMEDIES: { readonly [code in string]?: Remedy } = {
  'batch-gap': 'renumber',
  'batch-forgotten': 'drop',
  'batch-too-old': 'rename',
  'batch-mismatch': 'rename',
  'quota-exceeded': 'free',
}

export function remedyOf({ status, code }: Problem): Remedy {
  const remedy = REMEDIES[code]
  if (remedy) return remedy
  if (status === 401) return 'sign-in'
  if (status === 403) return 'stop'
  if (status === 413) return 'split'
  // Something else than the service has answered, such as a proxy.
  const isForeign = code.startsWith('http-')
  return isForeign || status >= 500 || status === 408 || status === 429 ? 'retry' : 'split'
}

/** Whether the decision of a conflict cannot be sent again as it is. */
export function isFinal({ status, code }: Problem): boolean {
  if (code.startsWith('http-')) return false
  return (status < 500 && ![401, 408, 429].includes(status)) || status === 507
}

/** Gives the batch the expected number. In a new space numbers begin at 1 again, and versions mean nothing. */
export function renumbered(found: Found, term: number, problem: Problem): Writes {
  const state = stateInTerm(found, term)
  const { expected = 1, reset, epoch = state.epoch } = problem
  return { state: { ...state, batch: expected - 1, outgoing: null, epoch }, ...(reset && detached(found)) }
}

/** Drops a batch that took effect so long ago that its results are forgotten. */
export function dropped(found: Found, term: number, { expected }: Problem): Writes {
  const state = stateInTerm(found, term)
  const { outgoing } = state
  const batch = expected === undefined ? (outgoing?.number ?? state.batch) : expected - 1
  return { state: { ...state, batch, outgoing: null }, answered: outgoing?.edits ?? [] }
}

/** Continues as another client, which sends the whole queue under its own numbers. */
export function renamed(found: Found, term: number, clientId: string): Writes {
  const state = stateInTerm(found, term)
  return { state: { ...state, clientId, batch: 0, outgoing: null } }
}

/** Halves the batch, or sets its only edit aside, so that what is behind it is sent. */
export function split(
  found: Found,
  term: number,
  problem: Problem,
): Writes & { readonly state: ReplicaState } {
  const state = stateInTerm(found, term)
  const ids = state.outgoing?.edits ?? []
  const number = state.batch + 1
  if (ids.length > 1)
    return { state: { ...state, outgoing: { number, edits: ids.slice(0, ids.length >> 1) } } }
  const refused = found.edits.filter(({ id }) => ids.includes(id))
  return {
    state: { ...state, outgoing: null },
    answered: ids,
    outcomes: refused.map((edit) => ({
      id: edit.id,
      key: edit.key,
      status: 'rejected',
      edit,
      code: problem.code,
    })),
  }
}

/** Gives up the batch of a full space, whose number is not used up, so that deletions go first. */
export function released(found: Found, term: number): Writes {
  return { state: { ...stateInTerm(found, term), outgoing: null } }
}

/** Binds the store to the space of the session. In a new epoch batches and bases start over (RE4, RE5). */
export function admitted(found: Found, term: number, reply: AuthReply): Writes {
  const state = stateInTerm(found, term)
  checkUser(state, reply)
  const { space, epoch = state.epoch, lastBatch = state.batch } = reply
  const subject: string | null = reply.subject ?? state.subject
  const known = { ...state, space, subject, epoch }
  const isSame = state.epoch === epoch && lastBatch >= state.batch
  if (state.epoch === null || isSame) return { state: known }
  // The space is another one, or was set back, and its versions may name other contents.
  return { state: { ...known, batch: lastBatch, outgoing: null }, ...detached(found) }
}

/** A service of an older release does not name the subject. */
export function checkUser(
  state: ReplicaState,
  { space, subject }: Pick<AuthReply, 'space'> & { subject?: string },
): void {
  const isOther = (state.subject ?? subject) !== subject && subject !== undefined
  if ((state.space ?? space) !== space || isOther)
    throw new ChronicleError('other-user', 'this device holds the data of another user: call logout() first')
}
