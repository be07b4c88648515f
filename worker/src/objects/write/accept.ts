import type { Session } from '../../core/access/session.ts'
import { isReplay, NO_BATCH } from '../../core/batch/batch-number.ts'
import { batchText, type Edit, toEdits } from '../../core/batch/change.ts'
import type { Conflict } from '../../core/batch/conflict.ts'
import { growthOf, type Plan, planBatch } from '../../core/batch/plan.ts'
import { resultsOf } from '../../core/batch/results.ts'
import { conflictIds, decodeVerdicts, encodeVerdicts, type Verdict } from '../../core/batch/verdict.ts'
import type { Fault } from '../../core/fault.ts'
import type { Origin } from '../../core/log/chunk-header.ts'
import { policyOf } from '../../core/space/config.ts'
import type { Clock } from '../../core/values/clock.ts'
import { SMALL_VERDICTS } from '../../core/values/limits.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import { hasContent, type Version } from '../../core/values/version.ts'
import type { SyncRequest } from '../../schema/sync.ts'
import type { Wrote } from '../read/pull.ts'
import { checkSession } from '../space/admission.ts'
import { claimOf, isClaimDue, recordOf } from '../space/client.ts'
import { CorruptionError } from '../space/log.ts'
import { checkQuota } from '../space/quota.ts'
import type { Space } from '../space/space.ts'
import type { ClientRecord } from '../store/client-rows.ts'
import { type Digests, isEqual } from '../store/seal.ts'

import { commit, type SealedLines, sealLines } from './commit.ts'
import { type Opened, openFor } from './opened.ts'

/** What became of a batch, now or when it first came. */
export interface BatchOutcome {
  readonly edits: readonly Edit[]
  readonly verdicts: readonly Verdict[]
  readonly conflicts: readonly Conflict[]
  /** Versions that are at hand, of those that it speaks of; null for one that is gone. */
  readonly versions: ReadonlyMap<number, Version | null>
  readonly replayed: boolean
  /** The sequence numbers that this very request gave out; null if none. */
  readonly wrote: Wrote | null
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
  readonly origin: Origin
  /** Empty for a batch without a number. */
  readonly digests: Digests
}

/** What is opened and sealed while a batch is decided; none of it changes when the space moves on. */
interface Material {
  readonly opened: Opened
  /** The changes as they came. */
  readonly asSent: SealedLines
  /** The lines of the last plan in which the space made a value. */
  withMade: SealedLines | null
}

/** Decides a batch and stores its effects, or answers again what was decided when it first came. */
export async function acceptBatch(
  space: Space,
  submission: Submission,
): Promise<Result<BatchOutcome, Fault>> {
  const { request, session, clock } = submission
  const { epoch } = space.state
  const edits = toEdits(request.changes, { epoch, clock, granted: session.collections })
  const [prepared, asSent] = await prepare(space, submission, edits)
  const material: Material = { opened: { versions: new Map(), length: 0 }, asSent, withMade: null }
  for (;;) {
    // From here to the commit nothing is awaited: what was read still holds when it is written.
    const valid = checkSession(space, session, clock.now)
    if (!valid.ok) return valid
    const record = writes(request) ? recordOf(space, session) : accepted(undefined)
    if (!record.ok) return record
    const known = recognise(prepared, record.value, space.state.epoch)
    if (!known.ok) return known
    if (known.value !== null) return replay(space, prepared, known.value)
    const plan = planNow(space, prepared, material.opened.versions)
    const sealed = sealedFor(plan, material)
    if (sealed !== null) {
      return settle(space, prepared, { plan, sealed, opened: material.opened.versions, record: record.value })
    }
    await provide(space, plan, { prepared, material })
  }
}

async function prepare(
  space: Space,
  submission: Submission,
  edits: readonly Edit[],
): Promise<[Prepared, SealedLines]> {
  const { request, session, clock } = submission
  const batch = request.batch ?? null
  const keys = await space.keys()
  const [g] = keys.generations
  const origin: Origin = { g, c: session.client, b: batch, t: clock.now, k: clock.skew }
  const lines = edits.map(({ rejection, line }) => (rejection === null ? line : null))
  const [digests, sealed] = await Promise.all([
    batch === null ? new Map() : keys.digests(batchText(edits, request.atomic === true)),
    sealLines(keys, lines, origin),
    space.refreshConfig(clock.now),
  ])
  return [{ ...submission, edits, origin, digests }, sealed]
}

/** A number alone is a write too: it uses up what the client's next batch would need. */
function writes({ batch, changes }: SyncRequest): boolean {
  return batch !== undefined || changes.length > 0
}

/** The client's record, if the batch is its last one come again; else null. */
function recognise(
  { request: { batch }, digests }: Prepared,
  record: ClientRecord | undefined,
  epoch: string,
): Result<ClientRecord | null, Fault> {
  if (batch === undefined) return accepted(null)
  const again = isReplay(batch, record?.batch ?? NO_BATCH, epoch)
  if (!again.ok) return again
  if (!again.value || record === undefined) return accepted(null)
  // A record of a generation that the stack has retired cannot be compared. Taking the batch for the same could lose
  // changes, while changes that were stored already are no change under a new number.
  const digest = digests.get(record.generation)
  if (digest === undefined || !isEqual(record.digest, digest))
    return refused({ code: 'batch-mismatch', batch })
  return record.verdicts === '' ? refused({ code: 'batch-forgotten', batch }) : accepted(record)
}

function replay(space: Space, prepared: Prepared, record: ClientRecord): Result<BatchOutcome, Fault> {
  const clock: Clock = { now: record.arrived, skew: record.skew }
  const context = { epoch: space.state.epoch, clock, granted: prepared.session.collections }
  const edits = toEdits(prepared.request.changes, context)
  const verdicts = decodeVerdicts(record.verdicts)
  const conflicts = space.store.conflicts(conflictIds(verdicts))
  return accepted({
    edits,
    verdicts,
    conflicts,
    versions: new Map(),
    replayed: true,
    wrote: null,
  })
}

function planNow(
  space: Space,
  { edits, session, request, clock }: Prepared,
  opened: Opened['versions'],
): Plan {
  const keys = edits.filter(({ rejection }) => rejection === null).map(({ key }) => key)
  const heads = space.store.entryStates(keys)
  return planBatch(edits, session.client, {
    seq: space.state.seq,
    clock,
    numbered: request.batch !== undefined,
    blind: !session.scopes.includes('sync:read'),
    policy: (key) => policyOf(space.config, key),
    entry: (key) => heads.get(key),
    version: (seq) => opened.get(seq),
  })
}

/** What a plan that lacks nothing stores; null if that has yet to be opened or sealed. */
function sealedFor({ missing, lines }: Plan, { asSent, withMade }: Material): SealedLines | null {
  if (missing.length > 0) return null
  if (lines === null) return asSent
  return withMade?.holds(lines) ? withMade : null
}

/** Opens what the plan lacks, or seals what it made; then it is decided anew, because the space may have moved on. */
async function provide(
  space: Space,
  plan: Plan,
  { prepared, material }: { prepared: Prepared; material: Material },
): Promise<void> {
  const { opened } = material
  const gone = plan.missing.find((seq) => opened.versions.get(seq) === null)
  if (gone !== undefined) throw new CorruptionError(`version ${gone} stands but is not in the log`)
  if (plan.missing.length > 0) {
    await openFor(space, prepared.edits, { opened, missing: plan.missing })
  } else if (plan.lines !== null) {
    material.withMade = await sealLines(await space.keys(), plan.lines, prepared.origin)
  }
}

function settle(
  space: Space,
  prepared: Prepared,
  {
    plan,
    sealed,
    opened,
    record,
  }: { plan: Plan; sealed: SealedLines; opened: Opened['versions']; record: ClientRecord | undefined },
): Result<BatchOutcome, Fault> {
  const { edits, request } = prepared
  const { verdicts } = plan
  const conflicts = conflictsOf(space, plan)
  const atHand = [...opened].filter(([, version]) => version === null || hasContent(version))
  const versions = new Map([...atHand, ...plan.versions])
  const spoiled = conflicts.length > 0 || verdicts.some(({ status }) => status === 'rejected')
  if (request.atomic === true && spoiled) {
    const { epoch } = space.state
    return refused({
      code: 'atomic-failed',
      // Nothing is stored, so that there are no conflicts to be named.
      results: resultsOf(edits, verdicts, { epoch, values: new Map(), conflicts: new Set() }),
    })
  }
  const noted = noteOf(prepared, plan, record)
  const growth = growthOf(plan)
  const traces = growth.traces || isLarger(noted, record)
  const room = checkQuota(space, prepared.session, { ...growth, traces })
  if (!room.ok) return room
  const from = space.state.seq + 1
  commit(space, plan, { sealed, record: noted })
  const wrote = plan.seq < from ? null : { from, to: plan.seq, verbatim: plan.lines === null }
  return accepted({ edits, verdicts, conflicts, versions, replayed: false, wrote })
}

/** The conflicts that a plan's verdicts speak of, in their order: its own, and of a retry the one that is noted already. */
function conflictsOf({ store }: Space, { verdicts, conflicts }: Plan): readonly Conflict[] {
  const ids = conflictIds(verdicts)
  if (ids.length === conflicts.length) return conflicts
  const own = new Map(conflicts.map((conflict) => [conflict.id, conflict]))
  const noted = store.conflicts(ids.filter((id) => !own.has(id)))
  const all = new Map([...own, ...noted.map((conflict) => [conflict.id, conflict] as const)])
  return ids.flatMap((id) => all.get(id) ?? [])
}

/** Whether a record takes more room than the one before it. Some bytes of verdicts are let through. */
function isLarger(noted: ClientRecord | null, record: ClientRecord | undefined): boolean {
  if (noted === null) return false
  return record === undefined || noted.verdicts.length > Math.max(SMALL_VERDICTS, record.verdicts.length)
}

/** What is noted of the client: the batch with its verdicts, or without a number whose client it is. */
function noteOf(
  { session, request, clock, digests, origin }: Prepared,
  { verdicts, stored }: Plan,
  record: ClientRecord | undefined,
): ClientRecord | null {
  if (request.batch === undefined) {
    return stored.length > 0 && isClaimDue(record, clock.now) ? claimOf(session, clock.now) : null
  }
  return {
    id: session.client,
    subject: session.subject,
    batch: request.batch,
    generation: origin.g,
    digest: digests.get(origin.g) ?? new Uint8Array(),
    arrived: clock.now,
    skew: clock.skew,
    verdicts: encodeVerdicts(verdicts),
  }
}
