import { type Query, withQuery } from '../base/query.ts'
import type {
  Conflict,
  ConflictSide,
  ConflictsReply,
  Entry,
  ResolveReply,
  ResolveRequest,
} from '../base/wire.ts'
import { readHistory } from './history.ts'
import { Refusal, request } from './request.ts'
import { actOn, askSpace } from './space-session.ts'

/** Versions before a conflict among which its base is looked for. */
const SEARCHED = 20
/** By how much each step of the search for the newest conflict is longer than the one before. */
const STRIDE = 4

/** Lists conflicts after an id, oldest first. */
export function listConflicts(space: string, query: Query, signal?: AbortSignal): Promise<ConflictsReply> {
  return askSpace(space, withQuery('/api/conflicts', query), { signal })
}

/**
 * Finds an id after which no conflict exists yet. The service lists them from the oldest on: this looks further and
 * further ahead, and then halves. It takes three requests if there is one conflict, and about ten if there are 20.
 */
export async function newestConflict(space: string): Promise<number> {
  let low = 0
  let high = Number.POSITIVE_INFINITY
  for (let step = 0; low < high; step = step * STRIDE || 1) {
    const middle = Math.min(low + step, Math.floor((low + high) / 2))
    // A page of one has a next one if it found a conflict, even one that it cannot show any more.
    const { next } = await listConflicts(space, { after: middle, limit: 1 })
    if (next === null) high = middle
    else low = next
  }
  return low
}

/** A conflict, with the versions around it. */
export interface Surroundings {
  /** The conflict with the values of both sides, which a long list leaves out. */
  readonly conflict: Conflict
  readonly base: Entry | undefined
  /** The current entry; undefined if the key is absent or deleted. */
  readonly current: Entry | undefined
}

export async function readSurroundings(space: string, listed: Conflict): Promise<Surroundings> {
  const isOmitted = listed.winner.omitted || listed.loser.omitted
  const [again] = isOmitted ? (await listConflicts(space, { after: listed.id - 1, limit: 1 })).conflicts : []
  const conflict = again ?? listed
  const [base, current] = await Promise.all([baseOf(space, conflict), currentEntry(space, conflict.key)])
  return { conflict, base, current }
}

/** Decides an open conflict. */
export async function resolve(space: string, { id }: Conflict, body: ResolveRequest): Promise<void> {
  await actOn(space, ['sync:read', 'sync:write'], (credential) =>
    request<ResolveReply>(`/api/conflicts/${id}/resolve`, { method: 'POST', credential, body }),
  )
}

/** Reads the current entry of a key; undefined if it is absent or deleted. */
async function currentEntry(space: string, key: string): Promise<Entry | undefined> {
  try {
    return await askSpace<Entry>(space, withQuery('/api/entries', { key }))
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return undefined
    throw error
  }
}

/**
 * Finds the base of a conflict: the newest version of the key that is older than both sides. Returns undefined
 * if there is no such version, or if it is no longer kept.
 */
async function baseOf(space: string, { key, winner, loser }: Conflict): Promise<Entry | undefined> {
  if (winner.version === undefined) return undefined
  const { versions } = await readHistory(space, key, { before: winner.version, limit: SEARCHED })
  const before = Math.min(timeOf(winner), timeOf(loser))
  return versions.find(({ version, timestamp }) => version !== loser.version && timestamp <= before)
}

function timeOf(side: ConflictSide): number {
  return 'timestamp' in side && side.timestamp !== undefined ? side.timestamp : Number.POSITIVE_INFINITY
}
