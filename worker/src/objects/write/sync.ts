import type { Session } from '../../core/access/session.ts'
import { syncedKeys } from '../../core/batch/results.ts'
import type { Fault } from '../../core/fault.ts'
import type { Tally } from '../../core/tally.ts'
import { clockOf } from '../../core/values/clock.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import { formatVersion } from '../../core/values/version.ts'
import { parseSync, type SyncRequest } from '../../schema/request/sync.ts'
import { pull } from '../read/pull.ts'
import { withTexts } from '../read/reply.ts'
import { checkCollections, checkScope, checkSession } from '../space/admission.ts'
import { serve, weightOfPush } from '../space/serve.ts'
import type { Space } from '../space/space.ts'
import { arrangeUpkeep, type UpkeepNeeds } from '../upkeep/upkeep.ts'
import { acceptBatch, type BatchOutcome, writes } from './accept.ts'
import { report } from './report.ts'

/** The reply as JSON text, and the counts of the batch. */
export interface Synced {
  readonly text: string
  readonly tally: Tally
  /** The cursor in the reply; null if the request had none. */
  readonly cursor: string | null
}

/** `POST /api/sync`. */
export async function sync(
  space: Space,
  session: Session,
  body: { readonly text: string; readonly now: number },
): Promise<Result<Synced, Fault>> {
  const { text, now } = body
  const known = checkSession(space, session, now)
  if (!known.ok) return known
  return serve(space, { session, weight: weightOfPush(text), now }, async () => {
    const parsed = parseSync(text)
    return parsed.ok ? push(space, session, { request: parsed.value, now }) : parsed
  })
}

/** Pushes a batch, then pulls a page if the request has a cursor. `now`: when the request arrived, ms. */
export async function push(
  space: Space,
  session: Session,
  { request, now }: { readonly request: SyncRequest; readonly now: number },
): Promise<Result<Synced, Fault>> {
  const allowed = checkRequest(session, request)
  if (!allowed.ok) return allowed
  const outcome = await acceptBatch(space, { session, request, clock: clockOf(now, request.clientTime) })
  if (!outcome.ok) return outcome
  await arrangeUpkeep(space, now, upkeepNeedsOf(outcome.value, request))
  const reply = await replyTo(space, { session, request, outcome: outcome.value, now })
  return accepted({ ...reply, tally: tallyOf(outcome.value) })
}

function checkRequest(session: Session, request: SyncRequest): Result<true, Fault> {
  if (request.clientId !== undefined && request.clientId !== session.client) {
    return refused({ code: 'foreign-client', detail: 'clientId is not the one this session was opened for' })
  }
  const isWrite = writes(request)
  const written = isWrite ? checkScope(session, 'sync:write') : accepted(true as const)
  if (!written.ok || (isWrite && request.cursor === undefined)) return written
  const reads = checkScope(session, 'sync:read')
  return reads.ok ? checkCollections(session, request.collections) : reads
}

function upkeepNeedsOf({ conflicts, replayed }: BatchOutcome, { batch }: SyncRequest): UpkeepNeeds {
  return { conflicts: conflicts.length > 0, verdicts: batch !== undefined && !replayed }
}

/** Counts a batch for the metrics. The changes of a replayed batch were counted when it first arrived. */
function tallyOf({ verdicts, conflicts, replayed }: BatchOutcome): Tally {
  if (replayed) return { changes: 0, conflicts: 0, rejected: 0, replays: 1 }
  const rejected = verdicts.filter(({ status }) => status === 'rejected').length
  return { changes: verdicts.length, conflicts: conflicts.length, rejected, replays: 0 }
}

interface ReplyInput {
  readonly session: Session
  readonly request: SyncRequest
  readonly outcome: BatchOutcome
  readonly now: number
}

async function replyTo(
  space: Space,
  { session, request, outcome, now }: ReplyInput,
): Promise<Omit<Synced, 'tally'>> {
  const { cursor } = request
  const pulled =
    cursor === undefined
      ? null
      : await pull(space, session, { query: { ...request, cursor }, wrote: outcome.wrote })
  const { epoch } = space.state
  const { results, conflicts } = await report(space, session, outcome)
  const reply = {
    success: results.every(({ status }) => status !== 'rejected'),
    synced: syncedKeys(results),
    conflicts,
    results,
    ...pulled?.fields,
    head: formatVersion(epoch, space.state.seq),
    replayed: outcome.replayed,
    serverTime: now,
  }
  return { text: withTexts(reply, 'changes', pulled?.entries ?? []), cursor: pulled?.fields.cursor ?? null }
}
