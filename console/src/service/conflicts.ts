import type {
  Conflict,
  ConflictSide,
  ConflictsReply,
  Entry,
  HistoryReply,
  ResolveReply,
  ResolveRequest,
} from '../base/wire.ts'
import { Refusal, request } from './request.ts'
import { actOn, askSpace } from './space-session.ts'

/** Versions before a conflict among which its base is looked for. */
const SEARCHED = 20
/** The first step of the search for the newest conflict. */
const FIRST_STEP = 1_024

/** Lists conflicts after an id, oldest first. */
export function listConflicts(
  space: string,
  query: { readonly after?: number; readonly limit: number; readonly open?: '1' },
): Promise<ConflictsReply> {
  const parameters = Object.entries(query).map(([name, value]) => [name, String(value)])
  return askSpace(space, `/api/conflicts?${new URLSearchParams(parameters)}`)
}

/** Finds an id after which no conflict exists yet. The service lists them from the oldest on, so this halves. */
export async function newestConflict(space: string): Promise<number> {
  const next = async (after: number) => (await listConflicts(space, { after, limit: 1 })).conflicts[0]?.id
  let low = (await next(0)) ?? 0
  let high = low === 0 ? 0 : Number.POSITIVE_INFINITY
  for (let step = FIRST_STEP; low < high; step *= 2) {
    const middle = high === Number.POSITIVE_INFINITY ? low + step : Math.floor((low + high) / 2)
    const found = await next(middle)
    if (found === undefined) high = middle
    else low = found
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
    return await askSpace<Entry>(space, `/api/entries?${new URLSearchParams({ key })}`)
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
  const query = new URLSearchParams({ key, before: winner.version, limit: String(SEARCHED) })
  const { versions } = await askSpace<HistoryReply>(space, `/api/history?${query}`)
  const before = Math.min(timeOf(winner), timeOf(loser))
  return versions.find(({ version, timestamp }) => version !== loser.version && timestamp <= before)
}

function timeOf(side: ConflictSide): number {
  return 'timestamp' in side && side.timestamp !== undefined ? side.timestamp : Number.POSITIVE_INFINITY
}
