import type { Base, Found, Outcome, QueuedEdit, ReplicaState, StoredEntry, Writes } from '../store/store.ts'
import type { Conflict, FeedEntry, Json, Result, SyncReply } from '../values/wire.ts'
import { compares, compareWithCopy, detached, restartOf } from './restart.ts'
import { stateInTerm } from './state.ts'

/** The answer to one edit. */
export interface Answer {
  readonly id: number
  readonly result: Result
  /** The conflict that the edit caused, won or lost. */
  readonly conflict?: Conflict
}

export interface Received extends Writes {
  readonly state: ReplicaState
  readonly answers: readonly Answer[]
}

/** The part of a reply that changes the device. A frame of a socket has no results. */
export type Reply = Pick<
  SyncReply,
  'results' | 'conflicts' | 'changes' | 'cursor' | 'more' | 'replayed' | 'reset' | 'resetReason'
>

/** A request and its reply. */
export interface Exchange {
  readonly term: number
  readonly sent: readonly QueuedEdit[]
  readonly reply: Reply
  /** The filter of the request, if it has one: a result of another collection changes no copy (FE11). */
  readonly collections: readonly string[] | undefined
  readonly now: number
}

/** Takes a reply: the edits are answered, later edits of their keys are rebased, and the page goes into the copy. */
export function takeReply(found: Found, exchange: Exchange): Received {
  const before = stateInTerm(found, exchange.term)
  const { sent, reply, now } = exchange
  const state = {
    ...before,
    ...(sent.length > 0 && numbersAfter(before)),
    ...restartOf(before, reply),
    lastSync: now,
  }
  const answers = answersTo(sent, reply)
  const ids = new Set(sent.map(({ id }) => id))
  const later = found.edits.filter(({ id }) => !ids.has(id))
  const kept = compares(reply) ? detached({ ...found, edits: later }) : { edits: later, outcomes: [] }
  const page = pageOf(found, exchange, state)
  const nextEdit = state.nextEdit + page.offers.length + page.orphans.length
  return {
    state: { ...state, nextEdit, cursor: reply.cursor ?? before.cursor },
    ...page.copy,
    edits: [...rebased(kept.edits, answers, sent), ...page.offers],
    answered: sent.map(({ id }) => id),
    outcomes: [...kept.outcomes, ...troubles(answers, sent), ...page.orphans],
    answers,
  }
}

function numbersAfter({ batch, outgoing }: ReplicaState): Pick<ReplicaState, 'batch' | 'outgoing'> {
  return { batch: outgoing?.number ?? batch, outgoing: null }
}

function answersTo(sent: readonly QueuedEdit[], { results, conflicts }: Reply): Answer[] {
  const byId = new Map(conflicts.map((conflict) => [conflict.id, conflict]))
  return sent.map(({ id }, index) => {
    const result = results[index]
    if (result === undefined) throw new Error('the reply has fewer results than the batch has changes')
    const conflict =
      'conflict' in result && result.conflict !== undefined ? byId.get(result.conflict) : undefined
    return { id, result, ...(conflict && { conflict }) }
  })
}

/** Results come before the page, which is newer. In a replay they are old, and the page leaves nothing out (FE11). */
function pageOf(found: Found, { sent, reply, collections }: Exchange, state: ReplicaState) {
  const own = reply.replayed ? [] : sent.flatMap((edit, index) => ownEntry(edit, reply.results[index]))
  const rows: readonly Row[] = [
    ...own.filter(({ key }) => !collections || collections.includes(collectionOf(key))),
    ...reply.changes,
  ]
  const copy = copyOf(rows, state.reading)
  if (state.restart === null || state.restart === 'drop') return { copy, offers: [], orphans: [] }
  return { copy, ...compareWithCopy(found, reply.changes, state) }
}

/** A version of a key, as the feed brings it. */
type Row = Pick<FeedEntry, 'key' | 'version' | 'timestamp'> & {
  readonly value?: unknown
  readonly deleted?: boolean
}

function ownEntry(edit: QueuedEdit, result: Result | undefined): Row[] {
  if (result?.status !== 'applied' && result?.status !== 'merged') return []
  const value = result.status === 'merged' ? (result.value as Json | undefined) : edit.value
  // A merged value that the reply left out comes with the page.
  if (result.status === 'merged' && value === undefined) return []
  const content = value === undefined ? { deleted: true } : { value }
  const timestamp = result.effectiveTimestamp ?? edit.timestamp
  return [{ key: edit.key, ...content, version: result.version, timestamp }]
}

/** The newest of several versions of a key is the last one. */
function copyOf(rows: readonly Row[], reading: number): Pick<Writes, 'entries' | 'gone'> {
  const entries = new Map<string, StoredEntry>()
  const gone = new Set<string>()
  for (const { key, version, timestamp, value, deleted } of rows) {
    entries.delete(key)
    gone.delete(key)
    if (deleted) gone.add(key)
    else entries.set(key, { key, value: value as Json, version, timestamp, reading })
  }
  return { entries: [...entries.values()], gone: [...gone] }
}

/**
 * Moves the base of waiting edits to the version that the edit before them has become. After a merge, a loss or a
 * refusal the user has not seen the current version, so the base stays, and the service sees a concurrent edit.
 */
function rebased(
  waiting: readonly QueuedEdit[],
  answers: readonly Answer[],
  sent: readonly QueuedEdit[],
): QueuedEdit[] {
  const bases = new Map<string, { readonly base: Base; readonly after: number }>()
  for (const [index, { id, result }] of answers.entries()) {
    const key = sent[index]?.key ?? ''
    if (result.status === 'applied') bases.set(key, { base: { version: result.version }, after: id })
    else if (result.status === 'noop')
      bases.set(key, { base: { version: result.version ?? null }, after: id })
    else bases.delete(key)
  }
  return waiting.map((edit) => {
    const on = bases.get(edit.key)
    return on && edit.id > on.after && !edit.pinned ? { ...edit, base: on.base } : edit
  })
}

function troubles(answers: readonly Answer[], sent: readonly QueuedEdit[]): Outcome[] {
  return answers.flatMap(({ id, result, conflict }, index): Outcome[] => {
    const edit = sent[index]
    if (edit === undefined) return []
    const { status } = result
    if (status === 'rejected') {
      const { code, path } = result
      return [{ id, key: edit.key, status, edit, code, ...(path !== undefined && { path }) }]
    }
    if (status !== 'superseded' && status !== 'conflict') return []
    return [{ id, key: edit.key, status, edit, ...(conflict && { conflict }) }]
  })
}

/** The part of a key before its first slash. */
function collectionOf(key: string): string {
  const slash = key.indexOf('/')
  return slash === -1 ? 'default' : key.slice(0, slash)
}
