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
import type { SyncRequest } from '../../schema/request/sync.ts'
import type { Wrote } from '../read/pull.ts'
import { checkSession } from '../space/admission.ts'
import { checkClient, claimOf, isClaimDue } from '../space/client.ts'
import type { Draft } from '../space/draft.ts'
import { checkQuota } from '../space/quota.ts'
import { type SealedLines, sealLines } from '../space/sealed-lines.ts'
import type { Space } from '../space/space.ts'
import type { ClientRecord } from '../store/client-rows.ts'
import { type Digests, isEqual } from '../store/seal.ts'
import { type OpenedVersions, openMissing } from './opened-versions.ts'

/** The outcome of a batch, decided by this request or when the batch first arrived. */
export interface BatchOutcome {
  readonly edits: readonly Edit[]
  readonly verdicts: readonly Verdict[]
  readonly conflicts: readonly Conflict[]
  /** The versions that are already open, by sequence number; null for one that is gone. */
  readonly versions: ReadonlyMap<number, Version | null>
  readonly replayed: boolean
  /** The sequence numbers that this request assigned; null if it assigned none. */
  readonly wrote: Wrote | null
}

/** A batch and its session, as the request brings them. */
export interface BatchInput {
  readonly session: Session
  readonly request: SyncRequest
  readonly clock: Clock
}

/** A batch with everything that can be prepared before the space is read. */
interface PreparedBatch extends BatchInput {
  readonly edits: readonly Edit[]
  readonly origin: Origin
  /** Empty for a batch without a number. */
  readonly digests: Digests
  /** The lines of the changes as the client sent them. */
  readonly sealed: SealedLines
}

/** A batch number alone is a write too: it uses up the number that the client's next batch would need. */
export function writes({ batch, changes }: SyncRequest): boolean {
  return batch !== undefined || changes.length > 0
}

/** The outcome of a request that only pulls. It waits for no batch. */
const NO_OUTCOME: BatchOutcome = {
  edits: [],
  verdicts: [],
  conflicts: [],
  versions: new Map(),
  replayed: false,
  wrote: null,
}

/**
 * Decides a batch and stores its effects, or replays the outcome of its first arrival. A decision that lacks versions or
 * sealed lines is made again once they are there. Both stay valid when the space changes meanwhile.
 */
export async function acceptBatch(space: Space, input: BatchInput): Promise<Result<BatchOutcome, Fault>> {
  if (!writes(input.request)) return accepted(NO_OUTCOME)
  const batch = await prepare(space, input)
  const opened: OpenedVersions = { versions: new Map(), length: 0 }
  let ownLines: SealedLines | null = null
  let lacking: Plan | null = null
  return space.group.commit({
    client: input.session.client,
    keys: batch.edits.filter(({ rejection }) => rejection === null).map(({ key }) => key),
    decide: (draft) =>
      space.tracer.span('decide', () => {
        const known = recognise(space, draft, batch)
        if (!known.ok) return known
        if (known.value.replayed !== null)
          return replay(space, draft, { batch, record: known.value.replayed })
        const plan = planNow(space, draft, { batch, opened: opened.versions })
        const sealed = sealedFor(plan, batch.sealed, ownLines)
        lacking = sealed === null ? plan : null
        const { record } = known.value
        return sealed && storePlan(space, draft, { batch, plan, sealed, opened: opened.versions, record })
      }),
    async open() {
      if (lacking !== null) ownLines = (await openOrSeal(space, lacking, { batch, opened })) ?? ownLines
    },
  })
}

async function prepare(space: Space, input: BatchInput): Promise<PreparedBatch> {
  const { request, session, clock } = input
  const edits = toEdits(request.changes, { epoch: space.state.epoch, clock, granted: session.collections })
  const number = request.batch ?? null
  const keys = await space.keys()
  const [g] = keys.generations
  const origin: Origin = { g, c: session.client, b: number, t: clock.now, k: clock.skew }
  const lines = edits.map(({ rejection, line }) => (rejection === null ? line : null))
  const [digests, sealed] = await Promise.all([
    number === null ? new Map() : keys.digests(batchText(edits, request.atomic === true)),
    space.tracer.span('seal', () => sealLines(keys, lines, origin)),
    space.refreshConfig(clock.now),
  ])
  return { ...input, edits, origin, digests, sealed }
}

/** The record of a client, and the record to reply from if the batch is a retry of its last one. */
interface Recognised {
  readonly record: ClientRecord | undefined
  readonly replayed: ClientRecord | null
}

/** Checks once more, right before the decision, that the session may write, and whether the batch was handled before. */
function recognise(space: Space, draft: Draft, batch: PreparedBatch): Result<Recognised, Fault> {
  const { session, clock } = batch
  const valid = checkSession(space, session, clock.now)
  if (!valid.ok) return valid
  const record = checkClient(draft.client(session.client), session)
  if (!record.ok) return record
  const replayed = findReplay(batch, record.value, space.state.epoch)
  return replayed.ok ? accepted({ record: record.value, replayed: replayed.value }) : replayed
}

/** Returns the client's record if the batch is a retry of its last one; null if it is a new batch. */
function findReplay(
  { request: { batch }, digests }: PreparedBatch,
  record: ClientRecord | undefined,
  epoch: string,
): Result<ClientRecord | null, Fault> {
  if (batch === undefined) return accepted(null)
  const retry = isReplay(batch, record?.batch ?? NO_BATCH, epoch)
  if (!retry.ok) return retry
  if (!retry.value || record === undefined) return accepted(null)
  // A digest made with a retired generation cannot be compared, and the batch is refused. Treating it as a retry could
  // lose changes. The client can send it under a new number, where changes that are already stored have no effect.
  const digest = digests.get(record.generation)
  if (digest === undefined || !isEqual(record.digest, digest))
    return refused({ code: 'batch-mismatch', batch })
  return record.verdicts === '' ? refused({ code: 'batch-forgotten', batch }) : accepted(record)
}

function replay(
  space: Space,
  draft: Draft,
  { batch, record }: { readonly batch: PreparedBatch; readonly record: ClientRecord },
): Result<BatchOutcome, Fault> {
  const clock: Clock = { now: record.arrived, skew: record.skew }
  const context = { epoch: space.state.epoch, clock, granted: batch.session.collections }
  const edits = toEdits(batch.request.changes, context)
  const verdicts = decodeVerdicts(record.verdicts)
  const conflicts = draft.conflicts(conflictIds(verdicts))
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
  draft: Draft,
  {
    batch: { edits, session, request, clock },
    opened,
  }: { readonly batch: PreparedBatch; readonly opened: OpenedVersions['versions'] },
): Plan {
  return planBatch(edits, session.client, {
    seq: draft.seq,
    clock,
    numbered: request.batch !== undefined,
    blind: !session.scopes.includes('sync:read'),
    policy: (key) => policyOf(space.config, key),
    entry: draft.entry,
    version: (seq) => opened.get(seq),
  })
}

/** The lines that a plan stores; null if versions have yet to be opened or lines to be sealed. */
function sealedFor(
  { missing, lines }: Plan,
  sent: SealedLines,
  ownLines: SealedLines | null,
): SealedLines | null {
  if (missing.length > 0) return null
  if (lines === null) return sent
  return ownLines?.holds(lines) ? ownLines : null
}

/** Opens the versions that a plan lacks, or seals and returns the lines of a plan in which the space made a value. */
async function openOrSeal(
  space: Space,
  { missing, lines }: Plan,
  { batch, opened }: { batch: PreparedBatch; opened: OpenedVersions },
): Promise<SealedLines | null> {
  if (missing.length > 0) {
    await openMissing(space, batch.edits, { opened, missing })
    return null
  }
  const keys = await space.keys()
  return space.tracer.span('seal', () => sealLines(keys, lines ?? [], batch.origin))
}

function storePlan(
  space: Space,
  draft: Draft,
  {
    batch,
    plan,
    sealed,
    opened,
    record,
  }: {
    batch: PreparedBatch
    plan: Plan
    sealed: SealedLines
    opened: OpenedVersions['versions']
    record: ClientRecord | undefined
  },
): Result<BatchOutcome, Fault> {
  const { edits, request } = batch
  const { verdicts } = plan
  const conflicts = conflictsIn(draft, plan)
  const complete = [...opened].filter(([, version]) => version === null || hasContent(version))
  const versions = new Map([...complete, ...plan.versions])
  const hasFailure = conflicts.length > 0 || verdicts.some(({ status }) => status === 'rejected')
  if (request.atomic === true && hasFailure) {
    const { epoch } = space.state
    return refused({
      code: 'atomic-failed',
      // Nothing is stored, so there are no conflicts to name.
      results: resultsOf(edits, verdicts, { epoch, values: new Map(), conflicts: new Set() }),
    })
  }
  const newRecord = recordAfter(batch, plan, record)
  const growth = growthOf(plan)
  const traces = growth.traces || isLarger(newRecord, record)
  const room = checkQuota({ config: space.config, used: draft.used() }, batch.session, { ...growth, traces })
  if (!room.ok) return room
  const from = draft.seq + 1
  draft.add({ plan, sealed, record: newRecord })
  const wrote = plan.seq < from ? null : { from, to: plan.seq, verbatim: plan.lines === null }
  return accepted({ edits, verdicts, conflicts, versions, replayed: false, wrote })
}

/** The conflicts that a plan's verdicts name, in their order: new ones, and stored ones that a retried change met before. */
function conflictsIn(draft: Draft, { verdicts, conflicts }: Plan): readonly Conflict[] {
  const ids = conflictIds(verdicts)
  if (ids.length === conflicts.length) return conflicts
  const own = new Map(conflicts.map((conflict) => [conflict.id, conflict]))
  const stored = draft.conflicts(ids.filter((id) => !own.has(id)))
  const all = new Map([...own, ...stored.map((conflict) => [conflict.id, conflict] as const)])
  return ids.flatMap((id) => all.get(id) ?? [])
}

/** Whether a record takes more storage than the one before it. Verdicts up to `SMALL_VERDICTS` do not count. */
function isLarger(next: ClientRecord | null, record: ClientRecord | undefined): boolean {
  if (next === null) return false
  return record === undefined || next.verdicts.length > Math.max(SMALL_VERDICTS, record.verdicts.length)
}

/** The client's new record: its batch and verdicts, or only a claim if the batch has no number. */
function recordAfter(
  { session, request, clock, digests, origin }: PreparedBatch,
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
