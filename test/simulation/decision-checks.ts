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

/** How far back a retry without a number is looked for. */
const RUN_DEPTH = 16

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
  /** The changes that versions came of, and the versions that came of changes, where the reply is known. */
  readonly sources: ReadonlyMap<number, Change>
  readonly effects: ReadonlyMap<Change, ReadonlySet<number>>
}

/** Versions that came of merges: as they were sent, or made by the space, which their writer has yet to see. */
export interface Merges {
  readonly sent: ReadonlySet<number>
  readonly made: ReadonlySet<number>
}

/** One change and what the server said of it when it first came. */
export interface Decision {
  readonly change: Change
  /** Whether its batch has a number. */
  readonly numbered: boolean
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
    const numbered = handled.request.batch !== undefined
    const decision = { change, numbered, by, reads, at: timeOf(handled, change), result, conflict, inBatch }
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
 * Without a number, too, a write that comes again takes no effect while its writer's run goes on (BA6): unless it names
 * what stands, something before it in its batch took effect, or what it wrote is past its retention.
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

/** Whether a change names a version as its base, and not that there is none. */
function namesVersion(change: Change, version: Stored | undefined): boolean {
  const namesNone = change.base === null || change.baseDeleted === true
  return !isBlind(change) && !namesNone && isBase(change, version)
}

/**
 * Whether an edit is later than what it competes with: in its client's own merge, the other client's version that is
 * inside, for as long as that is kept (PO6). Undefined where it may be gone, or the head may be a merge of which nobody was
 * told.
 */
export function isLater(
  { journal, merges, horizon, sources }: Pick<Account, 'journal' | 'merges' | 'horizon' | 'sources'>,
  head: Stored | undefined,
  edit: Pick<Stored, 'at' | 'by'>,
): boolean | undefined {
  if (head?.by === edit.by && !sources.has(head.seq)) return undefined
  let rival = head
  while (rival !== undefined && rival.by === edit.by && merges.made.has(rival.seq)) {
    const sent = journal.versions.get(rival.previous)
    rival = journal.versions.get(sent?.previous ?? 0)
  }
  if (rival !== undefined && rival !== head && rival.arrived < horizon) return undefined
  return rival === undefined || isBefore(rival, edit)
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
  const isEarly = isBlind(change) && winner !== undefined && at < winner.at
  const lost = winner !== undefined && (isEarly || isLater(account, winner, { at, by }) !== true)
  const older = lost && result.status === 'superseded'
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
 * Whether an edit was certainly made on what it meets: on that very version, in its writer's own run, or after it in one
 * batch. A version that a merge made is none that its writer has seen.
 */
function isRightAfter(account: Account, decision: Decision, head: Stored): boolean {
  const { change, inBatch } = decision
  const { merges } = account
  if (inBatch.has(head.seq)) return !merges.made.has(head.seq)
  if (isBlind(change)) return false
  if (isBase(change, head) && !isGuess(merges, decision, head)) return true
  return !merges.made.has(head.seq) && continuesRun(account, decision, head) === true
}

/** Whether a change names a value that its writer may not read as its base: it must not be told that this stands. */
function isGuess({ made }: Merges, { change, by, reads }: Decision, head: Stored): boolean {
  return !reads && change.baseValue !== undefined && (head.by !== by || made.has(head.seq))
}

/**
 * Whether a version that made no conflict buries nobody else's work unseen: it sits on its base, or ends a run of
 * its writer's that its base belongs to.
 */
function isOnBase(account: Account, decision: Decision, version: Stored): boolean {
  const { journal, merges } = account
  const { change, inBatch } = decision
  const replaced = journal.before(version)
  if (replaced === undefined) return isBlind(change) || isBase(change, undefined)
  if (inBatch.has(replaced.seq)) return true
  if (isBlind(change)) return replaced.by === version.by && !merges.made.has(replaced.seq)
  if (isBase(change, replaced)) return !isGuess(merges, decision, replaced)
  return continuesRun(account, decision, replaced) ?? true
}

/**
 * Whether a change belongs to its client's run that ends in a head (SY5): it names what the run began on, or a version
 * after that. Undefined where that is not known: what became of the first write was never told, or the space has merged.
 */
function continuesRun(account: Account, { change, by }: Decision, head: Stored): boolean | undefined {
  const { journal, merges, sources } = account
  const run = ownRun(journal, head, by)
  const first = run.at(-1)
  if (first === undefined) return false
  const named = run.find((own) => isNamed(change, own))
  // A value can be found again for as long as it is kept.
  if (named !== undefined)
    return change.baseValue === undefined || named.arrived >= account.horizon || undefined
  const isMerge = ({ seq }: Stored) => merges.made.has(seq) || merges.sent.has(seq)
  const isUnknown = ({ seq }: Stored) => (seq === first.seq || journal.causes.has(seq)) && !sources.has(seq)
  if (run.some((own) => isMerge(own) || isUnknown(own))) return undefined
  const bases = run.filter(({ seq }) => seq === first.seq || journal.causes.has(seq))
  if (bases.some(({ seq }) => sources.get(seq)?.baseValue !== undefined)) return undefined
  const before = journal.before(first)
  const roots = bases.map(({ seq }) => rootOf(sources.get(seq), before))
  if (change.base === null || change.baseDeleted === true)
    return before?.deleted !== false && isBase(change, before) ? true : isMaybeNull(run, roots)
  const root = Math.min(...roots)
  if (typeof change.base === 'string') return seqOf(change.base) >= root && seqOf(change.base) < head.seq
  const isKnown = [...journal.versions.values()].some(
    (version) => version.key === change.key && version.seq >= root && isNamed(change, version),
  )
  return isKnown ? undefined : false
}

/** A run with a deletion in it has known a moment at which nothing stood; one that began on nothing too. */
function isMaybeNull(run: readonly Stored[], roots: readonly number[]): boolean | undefined {
  if (run.some(({ deleted }) => deleted)) return true
  return roots.includes(0) ? undefined : false
}

/** What a run began on: the base of its first write, or what stood, where that is blind or names a deletion as nothing. */
function rootOf(source: Change | undefined, before: Stored | undefined): number {
  if (typeof source?.base === 'string') return seqOf(source.base)
  const isPlain = source === undefined || isBlind(source) || before?.deleted === true
  return isPlain ? (before?.seq ?? 0) : 0
}

/** Whether a change names a version, or its value. */
function isNamed({ base, baseValue }: Change, version: Stored | undefined): boolean {
  if (version === undefined) return false
  if (typeof base === 'string') return version.seq === seqOf(base)
  return baseValue !== undefined && !version.deleted && sameJson(version.value, baseValue)
}

export function describe(of: Change | Stored | undefined): string {
  return of === undefined ? 'nothing' : JSON.stringify(of)
}
