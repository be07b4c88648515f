import type { Habits, Known } from '../clients/client.ts'
import {
  type Change,
  type ConflictReport,
  type Entry,
  isGranted,
  type ResultLine,
  sameJson,
  seqOf,
} from '../values/wire.ts'
import type { Account } from './account.ts'
import { checkDecisions } from './decision-checks.ts'
import type { Stored } from './journal.ts'
import type { Handled } from './reply-checks.ts'

/** A client's copy at the end of a page that was the last one. */
export interface Snapshot {
  readonly client: Habits
  /** Its cursor's place in the order. */
  readonly seq: number
  readonly copy: ReadonlyMap<string, Known>
}

/** A conflict that a client was told it has closed. */
export interface Resolved {
  readonly id: number
  readonly base: string | null
  readonly by: string
  /** The version that closed it; null if that was to leave nothing. */
  readonly version: string | null
  readonly replayed: boolean
}

/** What the history is checked for when all is quiet. */
export interface Evidence {
  readonly handled: readonly Handled[]
  readonly snapshots: readonly Snapshot[]
  /** One for each client that pulls, and readers that only came at the end. */
  readonly final: readonly Snapshot[]
  readonly conflicts: readonly ConflictReport[]
  /** What a reader of some collections can read of the conflicts. */
  readonly histories: readonly (readonly [key: string, versions: readonly Entry[]])[]
  readonly resolved: readonly Resolved[]
  readonly limited: { readonly granted: readonly string[]; readonly conflicts: readonly ConflictReport[] }
}

export function checkHistory(account: Account, evidence: Evidence): void {
  checkNumbers(account)
  for (const handled of evidence.handled) if (!handled.reply.replayed) checkDecisions(account, handled)
  checkBatches(account, evidence.handled)
  checkKept(account)
  checkConflicts(account, evidence)
  checkResolutions(account, evidence)
  for (const [key, versions] of evidence.histories) checkVersions(account, key, versions)
  for (const snapshot of evidence.snapshots) checkSnapshot(account, snapshot)
  for (const snapshot of evidence.final) checkFinal(account, snapshot)
}

/** Versions ascend by one. */
function checkNumbers({ verdicts, journal }: Account): void {
  const seqs = [...journal.versions.keys()].sort((a, b) => a - b)
  const gap = seqs.findIndex((seq, index) => seq !== index + 1)
  verdicts.expect(gap === -1, 'IN8', () => `version ${seqs[gap]} follows ${seqs[gap - 1]}`)
}

/** A numbered batch is in the log once, whole and without a stranger in between. */
function checkBatches({ verdicts, journal }: Account, answered: readonly Handled[]): void {
  const stored = new Map<string, Stored[]>()
  for (const version of journal.versions.values()) {
    const name = `${version.by} ${version.batch}`
    if (version.batch !== null) stored.set(name, [...(stored.get(name) ?? []), version])
  }
  for (const handled of answered) {
    const name = `${handled.client.id} ${handled.request.batch}`
    if (handled.request.batch === undefined) continue
    const found = stored.get(name) ?? []
    verdicts.expect(
      isEffectOf(handled, found),
      'IN4',
      () => `batch ${name} made ${JSON.stringify(found)} of ${JSON.stringify(handled.request.changes)}`,
    )
    const seqs = found.map(({ seq }) => seq)
    const whole = Math.max(...seqs) - Math.min(...seqs) === seqs.length - 1
    verdicts.expect(whole || seqs.length === 0, 'IN10', () => `batch ${name} is torn: ${seqs}`)
  }
}

/** Whether versions are what a batch says it did: each of them once, and nothing else. */
function isEffectOf({ request, reply }: Handled, versions: readonly Stored[]): boolean {
  const left = new Map(versions.map((version) => [version.seq, version]))
  for (const [index, change] of request.changes.entries()) {
    const { status, version } = reply.results[index] as ResultLine
    if (status === 'rejected' || status === 'noop') continue
    const named = left.get(seqOf(version ?? ''))
    // A merge that changed nothing of what stood is stored nowhere.
    if (status === 'merged' && named === undefined) continue
    const isSent =
      named !== undefined && isContentOf(change, named) && status !== 'superseded' && status !== 'conflict'
    const sent = isSent ? named : [...left.values()].find((stored) => isContentOf(change, stored))
    if (sent === undefined) return false
    left.delete(sent.seq)
    if (status === 'merged' && named !== undefined) left.delete(named.seq)
  }
  return left.size === 0
}

function isContentOf(change: Change, { key, deleted, value }: Stored): boolean {
  return key === change.key && deleted === (change.deleted === true) && sameJson(value, change.value)
}

/** Every version stood once, or is the loser of a conflict, which can be read for as long as the retention lasts. */
function checkKept({ verdicts, journal, listed, asked, horizon }: Account): void {
  for (const { seq, key } of journal.versions.values()) {
    const kept = journal.hasStood({ key, seq }) || journal.disputes.has(seq)
    verdicts.expect(kept, 'IN2', () => `version ${seq} of ${key} never stood and is no loser`)
  }
  for (const { id, open } of journal.disputes.values()) {
    const undecided = open === 1 && !asked.has(id)
    const aged = (journal.versions.get(id)?.arrived ?? 0) < horizon && !undecided
    const shown = listed.get(id)
    verdicts.expect(aged || shown !== undefined, 'IN2', () => `conflict ${id} is not listed`)
    const isOpen = shown?.resolution === 'open'
    verdicts.expect(!undecided || isOpen, 'IN2', () => `conflict ${id} is not open any more`)
  }
}

/** What a listing shows is what was written, and a limited reader sees its part. */
function checkConflicts({ verdicts, journal, listed }: Account, { conflicts, limited }: Evidence): void {
  verdicts.expect(listed.size === conflicts.length, 'IN2', () => 'a conflict is listed twice')
  for (const { loser, winner, key } of conflicts) {
    for (const { version, deleted, value } of [loser, winner]) {
      if (version === undefined) continue
      const written = journal.versions.get(seqOf(version))
      const same =
        written?.key === key && written.deleted === (deleted === true) && sameJson(written.value, value)
      verdicts.expect(
        same,
        'IN2',
        () => `the conflict over ${key} shows ${version} as ${JSON.stringify(value)}`,
      )
    }
  }
  const granted = conflicts.filter(({ key }) => isGranted(limited.granted, key)).map(({ id }) => id)
  const shown = limited.conflicts.map(({ id }) => id)
  verdicts.expect(
    String(granted) === String(shown),
    'IN9',
    () => `a reader of ${limited.granted} sees the conflicts ${shown}, not ${granted}`,
  )
}

/** Whoever closed a conflict wrote on what it saw. */
function checkResolutions({ verdicts, journal, listed, horizon }: Account, { resolved }: Evidence): void {
  for (const { id, base, by, version, replayed } of resolved) {
    const conflict = listed.get(id)
    const aged = conflict === undefined && horizon > 0
    const closed = aged || (conflict?.resolution === 'resolved' && (conflict.resolvedBy ?? null) === version)
    verdicts.expect(
      closed,
      'IN4',
      () => `conflict ${id} was resolved by ${version} and is ${JSON.stringify(conflict)}`,
    )
    const written = version === null ? undefined : journal.versions.get(seqOf(version))
    const stoodAlready = version === base || (base === null && written?.deleted)
    if (written === undefined || replayed || stoodAlready) continue
    const before = journal.before(written)
    const onBase = base === null ? (before?.deleted ?? true) : before?.seq === seqOf(base)
    verdicts.expect(
      onBase && written.by === by,
      'IN6',
      () => `the resolution of ${id} on ${base} replaced ${JSON.stringify(before)}`,
    )
  }
}

/** The history of a key is all that ever stood there, newest first, as far back as the retention reaches. */
function checkVersions(
  { verdicts, journal, horizon }: Account,
  key: string,
  versions: readonly Entry[],
): void {
  const chain = journal.chainOf(key)
  const shown = versions.map(({ version }) => seqOf(version))
  const seqs = chain.map(({ seq }) => seq)
  const inOrder = String(shown) === String(seqs.slice(0, shown.length))
  const gone = chain[shown.length]
  const replaced = chain[shown.length - 1]?.arrived ?? Number.POSITIVE_INFINITY
  verdicts.expect(
    inOrder && (gone === undefined || replaced < horizon),
    'IN2',
    () => `the history of ${key} is ${shown}, not ${seqs}`,
  )
}

/** Where a feed ended, the copy is the state of that moment: nothing is missing, nothing is too much. */
function checkSnapshot({ verdicts, journal }: Account, { client, seq, copy }: Snapshot): void {
  const state = journal.stateAt(seq)
  for (const version of state.values()) {
    if (!isVisible(client, version.key)) continue
    const known = copy.get(version.key)
    const invariant = version.by === client.id ? 'IN5' : 'IN1'
    verdicts.expect(
      known !== undefined && seqOf(known.version) === version.seq,
      invariant,
      () => `${client.id} at ${seq} has ${known?.version} of ${version.key}, not ${version.seq}`,
    )
  }
  for (const [key, { deleted, version }] of copy) {
    verdicts.expect(
      deleted || state.has(key) || !isVisible(client, key),
      'IN1',
      () => `${client.id} at ${seq} still shows ${version} of ${key}, which is deleted`,
    )
  }
}

function isVisible({ granted, asks }: Habits, key: string): boolean {
  return isGranted(granted, key) && isGranted(asks, key)
}

/** Once quiet, every copy holds the values of the server's state. */
function checkFinal(account: Account, snapshot: Snapshot): void {
  const { verdicts, journal } = account
  verdicts.expect(
    snapshot.seq === journal.last,
    'IN1',
    () => `${snapshot.client.id} stops at ${snapshot.seq} of ${journal.last}`,
  )
  checkSnapshot(account, snapshot)
  for (const { key, value } of journal.stateAt(snapshot.seq).values()) {
    const known = snapshot.copy.get(key)
    const same = !isVisible(snapshot.client, key) || sameJson(known?.value, value)
    verdicts.expect(
      same,
      'IN1',
      () =>
        `${snapshot.client.id} has ${JSON.stringify(known?.value)} for ${key}, not ${JSON.stringify(value)}`,
    )
  }
}
