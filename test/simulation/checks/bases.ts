import { isBlind } from '../clients/client.ts'
import { type Change, sameJson, seqOf } from '../values/wire.ts'
import type { Account, Decision, Merges } from './account.ts'
import type { Journal, Stored } from './journal.ts'

/** Whether a change names this version as its base. Naming no version does not count. */
export function namesVersion(change: Change, version: Stored | undefined): boolean {
  const namesNone = change.base === null || change.baseDeleted === true
  return !isBlind(change) && !namesNone && isBase(change, version)
}

/** Whether a version is the base that a change names. */
export function isBase({ base, baseValue }: Change, version: Stored | undefined): boolean {
  if (base === null) return version === undefined || version.deleted
  if (base !== undefined) return version?.seq === seqOf(base)
  if (baseValue === undefined) return version === undefined || version.deleted
  return version !== undefined && !version.deleted && sameJson(version.value, baseValue)
}

/** A client's uninterrupted writes to a key, newest first. */
export function ownRun(journal: Journal, last: Stored | undefined, by: string): readonly Stored[] {
  const run: Stored[] = []
  for (let at = last; at?.by === by; at = journal.before(at)) run.push(at)
  return run
}

/**
 * Whether an edit was certainly made on the current version: it names that version, continues its writer's own run,
 * or follows the version in one batch. The writer of a merged version has not seen it.
 */
export function isRightAfter(account: Account, decision: Decision, head: Stored): boolean {
  const { change, inBatch } = decision
  const { merges } = account
  if (inBatch.has(head.seq)) return !merges.made.has(head.seq)
  if (isBlind(change)) return false
  if (isBase(change, head) && !isGuess(merges, decision, head)) return true
  return !merges.made.has(head.seq) && continuesRun(account, decision, head) === true
}

/**
 * Whether a change names a value as its base that its writer may not read. The reply must not reveal that the value is
 * current.
 */
function isGuess({ made }: Merges, { change, by, reads }: Decision, head: Stored): boolean {
  return !reads && change.baseValue !== undefined && (head.by !== by || made.has(head.seq))
}

/**
 * Whether a version without a conflict hides nobody else's work: it replaced its base, or it ends a run of its writer
 * that includes its base.
 */
export function isOnBase(account: Account, decision: Decision, version: Stored): boolean {
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
 * Whether a change continues its client's run (SY5): it names the base of the run, or a later version. Undefined if
 * unknown, because the reply to the first write was lost or the space has merged.
 */
function continuesRun(account: Account, { change, by }: Decision, head: Stored): boolean | undefined {
  const { journal, merges, sources } = account
  const run = ownRun(journal, head, by)
  const first = run.at(-1)
  if (first === undefined) return false
  const named = run.find((own) => isNamed(change, own))
  // The space finds a value only as long as it keeps it.
  if (named !== undefined)
    return change.baseValue === undefined || named.arrived >= account.horizon || undefined
  const isMerge = ({ seq }: Stored) => merges.made.has(seq) || merges.sent.has(seq)
  const isUnknown = ({ seq }: Stored) => (seq === first.seq || journal.causes.has(seq)) && !sources.has(seq)
  if (run.some((own) => isMerge(own) || isUnknown(own))) return undefined
  const bases = run.filter(({ seq }) => seq === first.seq || journal.causes.has(seq))
  // From an unknown base on, every base continues the run (VE1).
  if (bases.some(({ seq }) => sources.get(seq)?.baseValue !== undefined || isUnknownBase(sources.get(seq))))
    return undefined
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

function isUnknownBase(source: Change | undefined): boolean {
  return typeof source?.base === 'string' && Number.isNaN(seqOf(source.base))
}

/** The key was absent at some moment of a run that contains a deletion, or that began on an absent key. */
function isMaybeNull(run: readonly Stored[], roots: readonly number[]): boolean | undefined {
  if (run.some(({ deleted }) => deleted)) return true
  return roots.includes(0) ? undefined : false
}

/**
 * The base of a run is the base of its first write, or the version it replaced if it is blind or names a deletion as
 * null.
 */
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
