import { isBlind } from '../clients/client.ts'
import {
  type Change,
  type ConflictReport,
  collectionOf,
  type ResultLine,
  sameJson,
  seqOf,
} from '../values/wire.ts'
import { type Account, type Decision, describe } from './account.ts'
import { isOnBase, isRightAfter, namesVersion, ownRun } from './bases.ts'
import type { Stored } from './journal.ts'
import { checkMerged } from './merge-checks.ts'
import { isLater, raised } from './order.ts'
import { type Handled, timeOf } from './reply-checks.ts'

/** The number of versions among which the space looks for a retry without a batch number. */
const RUN_DEPTH = 16

/** Checks everything that a reply says about the changes of its request. */
export function checkDecisions(account: Account, handled: Handled): void {
  const conflicts = [...handled.reply.conflicts]
  const inBatch = new Set<number>()
  for (const [index, change] of handled.request.changes.entries()) {
    const result = handled.reply.results[index] as ResultLine
    if (result.status === 'rejected') continue
    const conflict = isOf(result, conflicts[0]) ? conflicts.shift() : undefined
    const { id: by, reads } = handled.client
    const numbered = handled.request.batch !== undefined
    const decision = { change, numbered, by, reads, at: timeOf(handled, change), result, conflict, inBatch }
    checkDecision(account, decision)
    // A loser names the current version, and so does a merge without effect. That version may be the client's own, from
    // the same moment.
    const isWritten = result.status === 'applied' || result.status === 'merged'
    const named = isWritten ? account.journal.versions.get(seqOf(result.version ?? '')) : undefined
    if (named?.by === handled.client.id && named.arrived === handled.reply.serverTime) inBatch.add(named.seq)
  }
  account.verdicts.expect(
    conflicts.length === 0,
    'IN6',
    () => `conflicts of no change: ${JSON.stringify(conflicts)}`,
  )
}

/** Whether a conflict belongs to a result. Both lists are in the order of the changes. */
function isOf({ status, key, version }: ResultLine, next: ConflictReport | undefined): boolean {
  if (next?.key !== key) return false
  if (status === 'superseded') return next.resolution === 'kept-server'
  if (status === 'conflict') return next.resolution === 'open' || next.resolution === 'resolved'
  const kept = status === 'merged' ? 'merged' : 'kept-client'
  return status !== 'noop' && next.resolution === kept && next.winner.version === version
}

function checkDecision(account: Account, decision: Decision): void {
  switch (decision.result.status) {
    case 'noop':
      checkNoop(account, decision)
      break
    case 'applied':
      checkApplied(account, decision)
      break
    case 'merged':
      checkMerged(account, decision)
      break
    case 'superseded':
    case 'conflict':
      checkLost(account, decision)
      break
    case 'rejected':
      break
  }
}

function checkNoop({ verdicts, journal }: Account, { change, numbered, result, by, reads }: Decision): void {
  const stands = result.version === undefined ? undefined : journal.versions.get(seqOf(result.version))
  const tells = !reads && change.deleted !== true && stands?.by !== by
  verdicts.expect(!tells, 'IN9', () => `${by} was told that ${describe(stands)} is what it guessed`)
  const retried =
    (isBlind(change) || !numbered) && ownRun(journal, stands, by).some((version) => isSame(version, change))
  const same = change.deleted ? stands?.deleted !== false : stands !== undefined && isSame(stands, change)
  const stood = stands === undefined || journal.hasStood(stands)
  verdicts.expect(
    (same || retried) && stood,
    'IN2',
    () => `${describe(change)} was called no change of ${describe(stands)}`,
  )
}

function checkApplied(account: Account, decision: Decision): void {
  const { verdicts, journal } = account
  const { change, result, by, at, conflict } = decision
  const version = journal.versions.get(seqOf(result.version ?? ''))
  const replaced = version && journal.before(version)
  const time = raised(at, replaced, version?.arrived ?? 0)
  const kept = version !== undefined && isContent(version, decision, time) && journal.hasStood(version)
  verdicts.expect(
    (result.effectiveTimestamp ?? change.timestamp) === time,
    'IN7',
    () => `${describe(change)} on ${describe(replaced)} counts as ${result.effectiveTimestamp}, not ${time}`,
  )
  verdicts.expect(
    kept,
    'IN2',
    () => `${describe(change)}, applied as ${result.version}, is not what stood: ${describe(version)}`,
  )
  if (version === undefined) return
  checkRetry(account, decision, version)
  if (conflict === undefined) {
    verdicts.expect(
      isOnBase(account, decision, version),
      'IN6',
      () => `${describe(change)} of ${by} silently replaced ${describe(replaced)}`,
    )
    return
  }
  const loser = conflict.loser.version === undefined ? undefined : seqOf(conflict.loser.version)
  verdicts.expect(
    loser === replaced?.seq,
    'IN6',
    () => `${describe(change)} replaced ${describe(replaced)} but the loser is ${loser}`,
  )
  const won = conflict.policy === 'client-wins' || isLater(account, replaced, { at, by }) !== false
  checkConcurrent(account, {
    decision,
    head: replaced,
    legal: won && conflict.policy !== 'server-wins' && conflict.policy !== 'manual',
  })
}

/**
 * A retry without a batch number takes no effect either while its writer's run continues (BA6). Exceptions: the retry
 * names the current version, an earlier change of its batch took effect, or the version it wrote is past its retention.
 */
function checkRetry(account: Account, decision: Decision, version: Stored): void {
  const { verdicts, journal, merges, sources, effects, horizon } = account
  const { change, by, numbered, inBatch } = decision
  const replaced = journal.before(version)
  const run = ownRun(journal, replaced, by).slice(0, RUN_DEPTH)
  const isNew = run.some(({ seq }) => inBatch.has(seq)) || namesVersion(change, replaced)
  if (numbered || isNew) return
  const first = run.find(({ seq, arrived }) => effects.get(change)?.has(seq) && arrived >= horizon)
  const later = run.filter(({ seq }) => seq >= (first?.seq ?? 0))
  const isHidden = ({ seq }: Stored) =>
    merges.made.has(seq) || (sources.get(seq)?.timestamp ?? -1) < Math.floor(change.timestamp)
  verdicts.expect(
    first === undefined || later.some(isHidden),
    'IN4',
    () => `${describe(change)} of ${by} came again and is ${describe(version)} after ${describe(first)}`,
  )
}

function checkLost(account: Account, decision: Decision): void {
  const { verdicts, journal } = account
  const { change, result, by, at, conflict } = decision
  const winner = result.version === undefined ? undefined : journal.versions.get(seqOf(result.version))
  const loser = journal.versions.get(seqOf(conflict?.loser.version ?? ''))
  const kept = loser !== undefined && isContent(loser, decision, at) && journal.disputes.has(loser.seq)
  verdicts.expect(kept, 'IN2', () => `${describe(change)} of ${by} lost and is not kept: ${describe(loser)}`)
  verdicts.expect(
    winner === undefined || journal.hasStood(winner),
    'IN2',
    () => `${describe(change)} lost to ${result.version}, which never stood`,
  )
  const held = conflict?.policy === 'manual' && result.status === 'conflict'
  const refused = conflict?.policy === 'server-wins' && result.status === 'superseded'
  const isEarly = isBlind(change) && winner !== undefined && at < winner.at
  const lost = winner !== undefined && (isEarly || isLater(account, winner, { at, by }) !== true)
  const older = lost && result.status === 'superseded'
  checkConcurrent(account, {
    decision,
    head: winner,
    legal: held || refused || (older && conflict?.policy !== 'client-wins'),
  })
}

/** A writer never conflicts with a version it saw, and the policy of the collection decides. */
function checkConcurrent(
  account: Account,
  { decision, head, legal }: { decision: Decision; head: Stored | undefined; legal: boolean },
): void {
  const { change, by, conflict, result } = decision
  const { verdicts, policies } = account
  const isRight = head !== undefined && isRightAfter(account, decision, head)
  verdicts.expect(
    !isRight,
    'IN6',
    () => `${describe(change)} of ${by} sits on ${describe(head)} and was called ${result.status}`,
  )
  const policy = conflict?.policy ?? 'lww'
  const byClock =
    policy === 'lww' && (isBlind(change) || policies.get(collectionOf(change.key))?.has('merge'))
  const configured = policies.get(collectionOf(change.key))?.has(policy)
  verdicts.expect(
    legal && (configured || byClock) === true,
    'IN6',
    () => `${describe(change)} of ${by} was called ${result.status} by ${policy} against ${describe(head)}`,
  )
}

function isContent(version: Stored, { change, by }: Decision, at: number): boolean {
  return version.key === change.key && version.at === at && version.by === by && isSame(version, change)
}

function isSame({ deleted, value }: Stored, change: Change): boolean {
  return deleted === (change.deleted === true) && sameJson(value, change.value)
}
