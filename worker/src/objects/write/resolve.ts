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
import type { ResolveRequest } from '../../schema/request/conflict.ts'
import { keyOf } from '../read/conflicts.ts'
import { checkScope, checkSession } from '../space/admission.ts'
import { checkClient, claimOf, isClaimDue } from '../space/client.ts'
import { draftOf } from '../space/draft.ts'
import { openVersions } from '../space/log.ts'
import { checkQuota } from '../space/quota.ts'
import { type SealedLines, sealLines } from '../space/sealed-lines.ts'
import type { Space } from '../space/space.ts'
import type { ClientRecord } from '../store/client-rows.ts'

import { arrangeUpkeep } from '../upkeep/upkeep.ts'

/** The id of a conflict, the request to resolve it, and when the request arrived, ms. */
export interface ResolveInput {
  readonly id: number
  readonly request: ResolveRequest
  readonly now: number
}

/** A conflict with the chosen content, ready to be written. */
interface PreparedResolution {
  readonly conflict: Conflict
  readonly edit: Edit
  readonly sealed: SealedLines
  /** The entry's current version at the time of preparation; `NOTHING` without an entry. */
  readonly currentSeq: number
  /** Whether that version already has the chosen content. */
  readonly isChosen: boolean
  /** The version that resolved the conflict before; null if it is open, or if that version is gone. */
  readonly resolvedWith: Version | null
}

/**
 * Closes an open conflict by an ordinary write of the chosen content onto the current version, in one transaction. A
 * repeated request gets the same reply. Refused if the entry has changed since `base`, so that nothing is overwritten
 * unseen.
 */
export async function resolveConflict(
  space: Space,
  session: Session,
  input: ResolveInput,
): Promise<Result<string, Fault>> {
  for (;;) {
    const allowed = authorizeResolve(space, session, input.now)
    if (!allowed.ok) return allowed
    const prepared = await prepare(space, session, input)
    if (!prepared.ok) return prepared
    const { conflict, edit, currentSeq } = prepared.value
    if (conflict.resolution !== 'open') return replayResolution(space, prepared.value)
    // Nothing is awaited from here to the commit.
    const owner = authorizeResolve(space, session, input.now)
    if (!owner.ok) return owner
    const entry = entryStateOf(space, edit.key)
    const isOpen = space.store.conflicts([conflict.id])[0]?.resolution === 'open'
    // The chosen content was compared with the version that was current then. If another one is now, prepare again.
    if (isOpen && (entry?.seq ?? NOTHING) === currentSeq) {
      const { base } = input.request
      const reply = storeResolution(space, session, { ...prepared.value, base, entry, record: owner.value })
      if (reply.ok) await arrangeUpkeep(space, input.now)
      return reply
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
  // Resolving reveals both sides of the conflict, so it takes the right to read.
  const reads = writes.ok ? checkScope(session, 'sync:read') : writes
  return reads.ok ? checkClient(space.store.client(session.client), session) : reads
}

async function prepare(
  space: Space,
  session: Session,
  { id, request, now }: ResolveInput,
): Promise<Result<PreparedResolution, Fault>> {
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
  const currentSeq = entryStateOf(space, key)?.seq ?? NOTHING
  const clock = { now, skew: 0 }
  const context = { epoch: space.state.epoch, clock, granted: null }
  const [edit] = toEdits([change], context) as readonly [Edit]
  if (edit.rejection !== null) return refused({ code: 'invalid-request', detail: `value: ${edit.rejection}` })
  const [keys] = await Promise.all([space.keys(), space.refreshConfig(now)])
  const origin = { g: keys.generations[0], c: session.client, b: null, t: now, k: 0 }
  const sealed = await space.tracer.span('seal', () => sealLines(keys, [edit.line], origin))
  const current = versions.get(currentSeq) ?? (await openVersions(space, [currentSeq])).get(currentSeq)
  const isChosen = current !== undefined && isSame(current, edit)
  const resolvedWith = versions.get(resolvedBy) ?? null
  return accepted({ conflict, edit, sealed, currentSeq, isChosen, resolvedWith })
}

function entryStateOf({ store }: Space, key: string): EntryState | undefined {
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

function storeResolution(
  space: Space,
  session: Session,
  input: PreparedResolution & {
    readonly base: string | null
    readonly entry: EntryState | undefined
    readonly record: ClientRecord | undefined
  },
): Result<string, Fault> {
  const { conflict, edit, sealed, base, entry, record } = input
  const { epoch } = space.state
  const expected = base === null ? NOTHING : parseVersion(base, epoch)
  if (expected !== entry?.seq && !(expected === NOTHING && (entry?.deleted ?? true))) {
    return refused({
      code: 'stale-base',
      version: entry === undefined ? null : formatVersion(epoch, entry.seq),
    })
  }
  const now = sealed.origin.t
  // Content that is already current is not written again.
  const plan = planNow(space, session, { edits: input.isChosen ? [] : [edit], entry, now })
  const draft = draftOf(space, [])
  const room = checkQuota({ config: space.config, used: draft.used() }, session, growthOf(plan))
  if (!room.ok) return room
  const by = plan.stored.length > 0 ? plan.seq : (entry?.seq ?? NOTHING)
  const claim = plan.stored.length > 0 && isClaimDue(record, now) ? claimOf(session, now) : null
  draft.add({ plan, sealed, record: claim, resolved: { id: conflict.id, by } })
  draft.commit()
  return replyFor(input, { epoch, by, replayed: false })
}

function planNow(
  space: Space,
  session: Session,
  { edits, entry, now }: { edits: readonly Edit[]; entry: EntryState | undefined; now: number },
): Plan {
  return planBatch(edits, session.client, {
    seq: space.state.seq,
    clock: { now, skew: 0 },
    numbered: false,
    policy: (key) => policyOf(space.config, key),
    entry: () => entry,
    version: () => null,
  })
}

/** Repeats the reply if the resolution had the same content. Refuses any other, because the conflict is closed. */
function replayResolution(space: Space, prepared: PreparedResolution): Result<string, Fault> {
  const { conflict, edit, resolvedWith } = prepared
  const same =
    conflict.resolvedBy === NOTHING ? edit.deleted : resolvedWith !== null && isSame(resolvedWith, edit)
  if (conflict.resolution !== 'resolved' || !same)
    return refused({ code: 'already-resolved', id: conflict.id })
  return replyFor(prepared, { epoch: space.state.epoch, by: conflict.resolvedBy, replayed: true })
}

/** Whether a version has the chosen content: the same value, or a deletion. */
function isSame(version: Version, { deleted, text }: Edit): boolean {
  return version.deleted ? deleted : !deleted && textOf(version) === text
}

function replyFor(
  { conflict, edit }: PreparedResolution,
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
