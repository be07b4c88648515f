import { isBlind } from './client.ts'
import type { Journal, Stored } from './journal.ts'
import { checkMerged } from './merge-checks.ts'
import { type Handled, timeOf } from './reply-checks.ts'
import type { Verdicts } from './violation.ts'
import {
  type Change,
  type ConflictReport,
  collectionOf,
  type Policy,
  type ResultLine,
  sameJson,
  seqOf,
} from './wire.ts'

/** All that is known once a history is over. */
export interface Account {
  readonly verdicts: Verdicts
  readonly journal: Journal
  /** The conflicts that a reader of everything can read, by their ids. */
  readonly listed: ReadonlyMap<number, ConflictReport>
  /** The conflicts that somebody has tried to close. */
  readonly asked: ReadonlySet<number>
  /** What was settled or replaced before it may be gone, ms. */
  readonly horizon: number
  /** The policies that a collection ever had. */
  readonly policies: ReadonlyMap<string, ReadonlySet<Policy>>
  readonly merges: Merges
}

/** Versions that came of merges: as they were sent, or made by the space, which their writer has yet to see. */
export interface Merges {
  readonly sent: ReadonlySet<number>
  readonly made: ReadonlySet<number>
}

/** One change and what the server said of it when it first came. */
export interface Decision {
  readonly change: Change
  readonly by: string
  /** Whether its token lets it read. */
  readonly reads: boolean
  /** Its effective time. */
  readonly at: number
  readonly result: ResultLine
  readonly conflict: ConflictReport | undefined
  /** The versions that changes before it in its batch were given. */
  readonly inBatch: ReadonlySet<number>
}

/** Checks everything that a reply said of its changes. */
export function checkDecisions(account: Account, handled: Handled): void {
  const conflicts = [...handled.reply.conflicts]
  const inBatch = new Set<number>()
  for (const [index, change] of handled.request.changes.entries()) {
    const result = handled.reply.results[index] as ResultLine
    if (result.status === 'rejected') continue
    const conflict = isOf(result, conflicts[0]) ? conflicts.shift() : undefined
    const { id: by, reads } = handled.client
    const decision = { change, by, reads, at: timeOf(handled, change), result, conflict, inBatch }
    checkDecision(account, decision)
    // What lost names what stood, and so does a merge that changed nothing: maybe its client's own, of the same moment.
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

/** Whether a conflict is the one that a result speaks of: both are told in the order of the changes. */
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

function checkNoop({ verdicts, journal }: Account, { change, result, by, reads }: Decision): void {
  const stands = result.version === undefined ? undefined : journal.versions.get(seqOf(result.version))
  const tells = !reads && change.deleted !== true && stands?.by !== by
  verdicts.expect(!tells, 'IN9', () => `${by} was told that ${describe(stands)} is what it guessed`)
  const retried = isBlind(change) && ownRun(journal, stands, by).some((version) => isSame(version, change))
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
  const won = replaced === undefined || conflict.policy === 'client-wins' || isBefore(replaced, { at, by })
  checkConcurrent(account, {
    decision,
    head: replaced,
    legal: won && conflict.policy !== 'server-wins' && conflict.policy !== 'manual',
  })
}

/** The time of a write over a version (CL4): not from before it, and not past now because of it. */
function raised(at: number, replaced: Stored | undefined, now: number): number {
  if (replaced === undefined || at >= replaced.at) return at
  return Math.max(replaced.at, Math.min(replaced.at + 1, now))
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
  const older = winner !== undefined && !isBefore(winner, { at, by }) && result.status === 'superseded'
  checkConcurrent(account, {
    decision,
    head: winner,
    legal: held || refused || (older && conflict?.policy !== 'client-wins'),
  })
}

/** A conflict is none of a writer with what it saw, and is settled by the policy of its collection. */
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

/** Last write wins: time, then client; the incumbent keeps a tie of both. */
export function isBefore(head: Pick<Stored, 'at' | 'by'>, edit: Pick<Stored, 'at' | 'by'>): boolean {
  return head.at < edit.at || (head.at === edit.at && head.by < edit.by)
}

/** Whether a state is what a change says it was made on. */
function isBase({ base, baseValue }: Change, version: Stored | undefined): boolean {
  if (base === null) return version === undefined || version.deleted
  if (base !== undefined) return version?.seq === seqOf(base)
  if (baseValue === undefined) return version === undefined || version.deleted
  return version !== undefined && !version.deleted && sameJson(version.value, baseValue)
}

/** A client's uninterrupted writes to a key, from the last one back. */
function ownRun(journal: Journal, last: Stored | undefined, by: string): readonly Stored[] {
  const run: Stored[] = []
  for (let at = last; at?.by === by; at = journal.before(at)) run.push(at)
  return run
}

/**
 * Whether an edit was certainly made on what it meets: on that very version, right before its writer's own, or after
 * it in one batch. A version that a merge made is none that its writer has seen.
 */
function isRightAfter({ journal, merges }: Account, decision: Decision, head: Stored): boolean {
  const { change, by, inBatch } = decision
  if (isBlind(change)) return false
  if (isBase(change, head) && !isGuess(merges, decision, head)) return true
  if (merges.made.has(head.seq)) return false
  const before = head.by === by && typeof change.base === 'string' ? journal.before(head) : undefined
  return inBatch.has(head.seq) || (before !== undefined && isBase(change, before))
}

/** Whether a change names a value that its writer may not read as its base: it must not be told that this stands. */
function isGuess({ made }: Merges, { change, by, reads }: Decision, head: Stored): boolean {
  return !reads && change.baseValue !== undefined && (head.by !== by || made.has(head.seq))
}

/**
 * Whether a version that made no conflict buries nobody else's work unseen: it sits on its base, or ends a run of
 * its writer's that began on that base, on nothing, or with what it began on as a reported conflict or in a merge.
 */
function isOnBase({ journal, merges }: Account, decision: Decision, version: Stored): boolean {
  const { change, inBatch } = decision
  const replaced = journal.before(version)
  if (replaced === undefined) return isBlind(change) || isBase(change, undefined)
  if (isBlind(change)) return replaced.by === version.by && !merges.made.has(replaced.seq)
  if (inBatch.has(replaced.seq)) return true
  if (isBase(change, replaced)) return !isGuess(merges, decision, replaced)
  const run = ownRun(journal, replaced, version.by)
  const first = run.at(-1)
  if (first === undefined) return false
  const before = journal.before(first)
  const met = before === undefined || before.deleted || isBase(change, before)
  return (
    met || run.some((own) => isBase(change, own) || merges.sent.has(own.seq) || journal.causes.has(own.seq))
  )
}

export function describe(of: Change | Stored | undefined): string {
  return of === undefined ? 'nothing' : JSON.stringify(of)
}
