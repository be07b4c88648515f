import { isReplay } from '../core/batch.ts'
import { type Edit, toEdits } from '../core/change.ts'
import { draftChunks, type Origin } from '../core/chunk.ts'
import type { Clock } from '../core/clock.ts'
import { type Conflict, resultsOf, type Version } from '../core/outcome.ts'
import { type Plan, planBatch } from '../core/plan.ts'
import { accepted, type Result, refused } from '../core/result.ts'
import type { Session } from '../core/session.ts'
import { conflictIds, decodeVerdicts, encodeVerdicts, type Verdict } from '../core/verdict.ts'
import type { SyncRequest } from '../schema/sync.ts'
import { checkSession } from './admission.ts'
import { commit, type SealedBatch } from './commit.ts'
import { openVersions } from './log.ts'
import type { Digests } from './seal.ts'
import type { Space } from './space.ts'
import type { ClientRecord } from './store.ts'

/** What became of a batch, now or when it first came. */
export interface Outcome {
  readonly edits: readonly Edit[]
  readonly verdicts: readonly Verdict[]
  readonly conflicts: readonly Conflict[]
  /** The versions that the conflicts speak of. */
  readonly versions: ReadonlyMap<number, Version>
  readonly replayed: boolean
  /** The sequence numbers that this very request gave out, inclusive; null if none. */
  readonly wrote: readonly [from: number, to: number] | null
}

/** A request's batch, and who sent it. */
export interface Submission {
  readonly session: Session
  readonly request: SyncRequest
  readonly clock: Clock
}

/** A batch with all that can be made ready before the space is looked at. */
interface Prepared extends Submission {
  readonly edits: readonly Edit[]
  /** Empty for a batch without a number. */
  readonly digests: Digests
  readonly batch: SealedBatch
}

/** Decides a batch and stores its effects, or answers again what was decided when it first came. */
export async function acceptBatch(space: Space, submission: Submission): Promise<Result<Outcome>> {
  const { request, session, clock } = submission
  const edits = toEdits(request.changes, {
    epoch: space.standing.epoch,
    clock,
    granted: session.collections,
  })
  if (!edits.ok) return edits
  const prepared = await prepare(space, submission, edits.value)
  const opened = new Map<number, Version>()
  for (;;) {
    // From here to the commit nothing is awaited: what was read still holds when it is written.
    const known = checkSession(space, session)
    if (!known.ok) return known
    const record = recognise(space, prepared)
    if (!record.ok) return record
    if (record.value !== null) return replay(space, prepared, record.value)
    const plan = planNow(space, prepared, opened)
    if (plan.missing.length === 0) return settle(space, prepared, { plan, opened })
    for (const [seq, version] of await openVersions(space, plan.missing)) opened.set(seq, version)
  }
}

async function prepare(space: Space, submission: Submission, edits: readonly Edit[]): Promise<Prepared> {
  const { request, session, clock } = submission
  const batch = request.batch ?? null
  const drafts = draftChunks(edits)
  const keys = await space.keys()
  const [g] = keys.generations
  const origin: Origin = { g, c: session.client, b: batch, t: clock.now, k: clock.skew }
  const [digests, ...sealed] = await Promise.all([
    batch === null ? new Map() : keys.digests(digestText(request, edits)),
    ...drafts.map(({ text }) => keys.seal(text, origin)),
  ])
  return { ...submission, edits, digests, batch: { origin, drafts, sealed } }
}

/** What tells one batch from another: its changes in canonical form, and whether they stand or fall together. */
function digestText({ atomic }: SyncRequest, edits: readonly Edit[]): string {
  return `${atomic === true ? 1 : 0}[${edits.map(({ line }) => line).join(',')}]`
}

/** The record of the batch, if it is the client's last one come again. */
function recognise(space: Space, { request, session, digests }: Prepared): Result<ClientRecord | null> {
  if (request.batch === undefined) return accepted(null)
  const record = space.store.client(session.client)
  if (record !== undefined && record.subject !== session.subject) {
    return refused({
      code: 'foreign-client',
      detail: 'this clientId belongs to another subject of the space',
    })
  }
  const again = isReplay(request.batch, record?.batch)
  if (!again.ok) return again
  if (!again.value || record === undefined) return accepted(null)
  // A record of a generation that the stack has no more cannot be compared: its number alone tells.
  const digest = digests.get(record.generation)
  return digest === undefined || isEqual(record.digest, digest)
    ? accepted(record)
    : refused({ code: 'batch-mismatch', batch: request.batch })
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

async function replay(space: Space, prepared: Prepared, record: ClientRecord): Promise<Result<Outcome>> {
  const clock: Clock = { now: record.arrived, skew: record.skew }
  const context = { epoch: space.standing.epoch, clock, granted: prepared.session.collections }
  const edits = toEdits(prepared.request.changes, context)
  if (!edits.ok) return edits
  const verdicts = decodeVerdicts(record.verdicts)
  const conflicts = space.store.conflicts(conflictIds(verdicts))
  const versions = await openVersions(
    space,
    conflicts.flatMap(({ winner, loser }) => [winner, loser]),
  )
  return accepted({ edits: edits.value, verdicts, conflicts, versions, replayed: true, wrote: null })
}

function planNow(space: Space, { edits, session }: Prepared, opened: ReadonlyMap<number, Version>): Plan {
  const keys = edits.filter(({ rejection }) => rejection === null).map(({ key }) => key)
  const heads = space.store.heads(keys)
  return planBatch(edits, session.client, {
    seq: space.standing.seq,
    head: (key) => heads.get(key),
    version: (seq) => opened.get(seq),
  })
}

/** A plan that lacks nothing, and what was opened for it. */
interface Decision {
  readonly plan: Plan
  readonly opened: ReadonlyMap<number, Version>
}

function settle(space: Space, prepared: Prepared, { plan, opened }: Decision): Result<Outcome> {
  const { edits, request } = prepared
  const { verdicts, conflicts } = plan
  const spoiled = conflicts.length > 0 || verdicts.some(({ status }) => status === 'rejected')
  if (request.atomic === true && spoiled) {
    return refused({ code: 'atomic-failed', results: resultsOf(edits, verdicts, space.standing.epoch) })
  }
  const from = space.standing.seq + 1
  commit(space, plan, prepared.batch, recordOf(prepared, verdicts))
  const versions = new Map([...opened, ...plan.versions])
  const wrote = plan.seq < from ? null : ([from, plan.seq] as const)
  return accepted({ edits, verdicts, conflicts, versions, replayed: false, wrote })
}

function recordOf(
  { session, request, clock, digests, batch }: Prepared,
  verdicts: readonly Verdict[],
): ClientRecord | null {
  if (request.batch === undefined) return null
  return {
    id: session.client,
    subject: session.subject,
    batch: request.batch,
    generation: batch.origin.g,
    digest: digests.get(batch.origin.g) ?? new Uint8Array(),
    arrived: clock.now,
    skew: clock.skew,
    verdicts: encodeVerdicts(verdicts),
  }
}
