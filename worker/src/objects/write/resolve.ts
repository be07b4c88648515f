import type { Session } from '../../core/access/session.ts'
import { type Change, type Edit, toEdits } from '../../core/batch/change.ts'
import type { Conflict } from '../../core/batch/conflict.ts'
import { textOf } from '../../core/batch/decide.ts'
import { growthOf, type Plan, planBatch } from '../../core/batch/plan.ts'
import type { EntryState } from '../../core/batch/stance.ts'
import type { Fault } from '../../core/fault.ts'
import { policyOf } from '../../core/space/config.ts'
import { allows } from '../../core/values/collections.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import { formatVersion, NOTHING, parseVersion, type Version } from '../../core/values/version.ts'
import type { ResolveRequest } from '../../schema/conflict.ts'
import { keyOf } from '../read/conflicts.ts'
import { checkScope, checkSession } from '../space/admission.ts'
import { claimOf, isClaimDue, recordOf } from '../space/client.ts'
import { openVersions } from '../space/log.ts'
import { checkQuota } from '../space/quota.ts'
import type { Space } from '../space/space.ts'
import type { ClientRecord } from '../store/client-rows.ts'

import { arrangeUpkeep } from '../upkeep/upkeep.ts'
import { commit, type SealedLines, sealLines } from './commit.ts'

/** Which conflict, what is to stand, and when it was asked for (ms). */
export interface Resolution {
  readonly id: number
  readonly request: ResolveRequest
  readonly now: number
}

/** A conflict with the content that was chosen, ready to be written. */
interface Case {
  readonly conflict: Conflict
  readonly edit: Edit
  readonly sealed: SealedLines
  /** What stood when it was prepared: `NOTHING`, or the version, and whether that is the chosen content. */
  readonly stood: number
  readonly isChosen: boolean
  /** What settled it already; null if that is not known, or nothing yet. */
  readonly settled: Version | null
}

/**
 * Closes an open conflict by an ordinary write of the chosen content onto the version that stands, in one
 * transaction. Asked again, it answers again. Refused if something other than `base` stands by now: nothing is
 * overwritten that the one who decides has not seen.
 */
export async function resolveConflict(
  space: Space,
  session: Session,
  resolution: Resolution,
): Promise<Result<string, Fault>> {
  for (;;) {
    const allowed = authorizeResolve(space, session, resolution.now)
    if (!allowed.ok) return allowed
    const prepared = await prepare(space, session, resolution)
    if (!prepared.ok) return prepared
    const { conflict } = prepared.value
    if (conflict.resolution !== 'open') return answerAgain(space, prepared.value)
    // From here to the commit nothing is awaited.
    const still = authorizeResolve(space, session, resolution.now)
    if (!still.ok) return still
    const head = headOf(space, prepared.value.edit.key)
    const isOpen = space.store.conflicts([conflict.id])[0]?.resolution === 'open'
    // Whether the content that stands is the chosen one is known of the version that was opened.
    if (isOpen && (head?.seq ?? NOTHING) === prepared.value.stood) {
      const { base } = resolution.request
      const settled = settle(space, session, { prepared: prepared.value, base, head, record: still.value })
      if (settled.ok) await arrangeUpkeep(space, resolution.now)
      return settled
    }
  }
}

function authorizeResolve(
  space: Space,
  session: Session,
  now: number,
): Result<ClientRecord | undefined, Fault> {
  const known = checkSession(space, session, now)
  const writes = known.ok ? checkScope(session, 'sync:write') : known
  // Nobody decides what they may not see, nor finds it out by deciding.
  const reads = writes.ok ? checkScope(session, 'sync:read') : writes
  return reads.ok ? recordOf(space, session) : reads
}

async function prepare(space: Space, session: Session, resolution: Resolution): Promise<Result<Case, Fault>> {
  const { id, request, now } = resolution
  const [conflict] = space.store.conflicts([id])
  if (conflict === undefined) return unknown(id)
  const { winner, loser, resolvedBy } = conflict
  const versions = await openVersions(space, [winner, loser, resolvedBy])
  const key = keyOf(conflict, versions)
  if (key === undefined || !allows(session.collections, key)) return unknown(id)
  const change: Change = {
    key,
    timestamp: now,
    base: request.base,
    ...contentOf(request, { conflict, versions }),
  }
  const stood = headOf(space, key)?.seq ?? NOTHING
  const clock = { now, skew: 0 }
  const context = { epoch: space.state.epoch, clock, granted: null }
  const [edit] = toEdits([change], context) as readonly [Edit]
  if (edit.rejection !== null) return refused({ code: 'invalid-request', detail: `value: ${edit.rejection}` })
  const [keys] = await Promise.all([space.keys(), space.refreshConfig(now)])
  const origin = { g: keys.generations[0], c: session.client, b: null, t: now, k: 0 }
  const sealed = await sealLines(keys, [edit.line], origin)
  const standing = versions.get(stood) ?? (await openVersions(space, [stood])).get(stood)
  const isChosen = standing !== undefined && isSame(standing, edit)
  return accepted({ conflict, edit, sealed, stood, isChosen, settled: versions.get(resolvedBy) ?? null })
}

function headOf({ store }: Space, key: string): EntryState | undefined {
  return store.entryStates([key]).get(key)
}

function contentOf(
  request: ResolveRequest,
  { conflict, versions }: { conflict: Conflict; versions: ReadonlyMap<number, Version> },
): Pick<Change, 'value' | 'deleted'> {
  if (request.choice === 'value') return { value: request.value }
  const version = versions.get(conflict[request.choice])
  return version === undefined ? { deleted: true } : { deleted: version.deleted, value: version.value }
}

/** A case with what stands and who decides, at one moment. */
interface Decided {
  readonly prepared: Case
  readonly base: string | null
  readonly head: EntryState | undefined
  readonly record: ClientRecord | undefined
}

function settle(
  space: Space,
  session: Session,
  { prepared, base, head, record }: Decided,
): Result<string, Fault> {
  const { conflict, edit, sealed } = prepared
  const { epoch } = space.state
  const expected = base === null ? NOTHING : parseVersion(base, epoch)
  if (expected !== head?.seq && !(expected === NOTHING && (head?.deleted ?? true))) {
    return refused({
      code: 'stale-base',
      version: head === undefined ? null : formatVersion(epoch, head.seq),
    })
  }
  // What stands already is not written again.
  const plan = planNow(space, session, { edits: prepared.isChosen ? [] : [edit], head, now: sealed.origin.t })
  const room = checkQuota(space, session, growthOf(plan))
  if (!room.ok) return room
  const by = plan.stored.length > 0 ? plan.seq : (head?.seq ?? NOTHING)
  const now = sealed.origin.t
  const claim = plan.stored.length > 0 && isClaimDue(record, now) ? claimOf(session, now) : null
  commit(space, plan, { sealed, record: claim, decides: { id: conflict.id, by } })
  return answer(prepared, { epoch, by, replayed: false })
}

function planNow(
  space: Space,
  session: Session,
  { edits, head, now }: { edits: readonly Edit[]; head: EntryState | undefined; now: number },
): Plan {
  return planBatch(edits, session.client, {
    seq: space.state.seq,
    clock: { now, skew: 0 },
    numbered: false,
    policy: (key) => policyOf(space.config, key),
    entry: () => head,
    version: () => null,
  })
}

/** The same decision come again, by its content, is answered as then; another one comes too late. */
function answerAgain(space: Space, prepared: Case): Result<string, Fault> {
  const { conflict, edit, settled } = prepared
  const same = conflict.resolvedBy === NOTHING ? edit.deleted : settled !== null && isSame(settled, edit)
  if (conflict.resolution !== 'resolved' || !same)
    return refused({ code: 'already-resolved', id: conflict.id })
  return answer(prepared, { epoch: space.state.epoch, by: conflict.resolvedBy, replayed: true })
}

/** Whether a version holds what is chosen: the same value, or a deletion. */
function isSame(version: Version, { deleted, text }: Edit): boolean {
  return version.deleted ? deleted : !deleted && textOf(version) === text
}

function answer(
  { conflict, edit }: Case,
  { epoch, by, replayed }: { epoch: string; by: number; replayed: boolean },
): Result<string, Fault> {
  const version = by === NOTHING ? null : formatVersion(epoch, by)
  return accepted(JSON.stringify({ success: true, id: conflict.id, key: edit.key, version, replayed }))
}

function unknown(id: number): Result<never, Fault> {
  return refused({
    code: 'not-found',
    detail: id === NOTHING ? 'a conflict has a number' : `there is no conflict ${id}`,
  })
}
