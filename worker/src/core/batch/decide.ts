import { canonicalJson, fitsBytes, type Json } from '../values/json.ts'
import { MAX_MERGED_LENGTH, MAX_VALUE_BYTES, RUN_DEPTH } from '../values/limits.ts'
import { FOREIGN, hasContent, NOTHING, type Version } from '../values/version.ts'
import type { Edit } from './change.ts'
import { merge } from './merge.ts'
import {
  apply,
  combine,
  contentOf,
  currentVersion,
  hold,
  lose,
  overrule,
  type PlanBuilder,
} from './plan-builder.ts'
import { type EntryState, hasCurrent, isLater, type Step, type StepOnEntry, stanceOf } from './stance.ts'
import type { Verdict } from './verdict.ts'

/** Decides one change. If content must be opened first, it is added to `builder.missing` and the verdict is void. */
export function decide(builder: PlanBuilder, step: Step): Verdict {
  const { edit, current } = step
  if (edit.rejection !== null) return { status: 'rejected', code: edit.rejection }
  const stance = stanceOf(step)
  if (stance === 'noop') return { status: 'noop', seq: current?.seq ?? NOTHING }
  if (stance === 'apply') return recreation(builder, step) ?? apply(builder, step)
  if (!hasCurrent(step)) return resurrect(builder, step)
  if (mayCompare(builder, step.current) && holdsSame(currentUnder(builder, step), step))
    return { status: 'noop', seq: step.current.seq }
  return stance === 'rewrite' ? rewrite(builder, step) : compete(builder, step)
}

/** The verdict on a creation that is a retry: the client itself has deleted the entry since. */
function recreation(builder: PlanBuilder, step: Step): Verdict | null {
  const isOwnTombstone = hasCurrent(step) && step.current.deleted && step.current.by === step.client
  return isOwnTombstone && step.base === NOTHING ? answerRetry(builder, step) : null
}

/** The sequence number on which a change was made. A base that was sent as a value is looked up. */
export function resolveBase(builder: PlanBuilder, met: Omit<Step, 'base'>): number | undefined {
  const { edit, client, current, inBatch } = met
  const { assumed } = edit
  // Within a batch the order of the changes counts, whatever their bases are.
  if (assumed === null || edit.rejection !== null || current === undefined || inBatch)
    return knownBase(builder, edit)
  if (mayCompare(builder, current) && holdsText(currentVersion(builder, current), assumed.text))
    return current.seq
  return current.by === client ? seqInRun(builder, current, assumed.text) : FOREIGN
}

/** A version that the space has not assigned yet is as unknown as a version of another epoch. */
function knownBase({ view }: PlanBuilder, { base }: Edit): number | undefined {
  return base !== undefined && base > view.seq ? FOREIGN : base
}

/**
 * The sequence number of the run's version that has this value. Edits that were made before the first reply arrived
 * name the base of the run.
 */
function seqInRun(builder: PlanBuilder, current: EntryState, text: string): number {
  if (current.root > NOTHING) {
    const root = contentOf(builder, current.root)
    const known = builder.view.blind !== true || root?.by === current.by
    if (known && holdsText(root, text)) return current.root
  }
  for (const version of runOf(builder, current)) if (holdsText(version, text)) return version.seq
  return FOREIGN
}

/** The latest versions of the current run, newest first. A current version that the space merged is skipped. */
function* runOf(builder: PlanBuilder, current: EntryState): Generator<Version> {
  let seq = current.merged === NOTHING ? current.seq : sentBefore(builder, current)
  for (let steps = 0; steps < RUN_DEPTH && seq > Math.max(current.root, NOTHING); steps++) {
    const version = contentOf(builder, seq)
    if (version === null || version.by !== current.by) return
    yield version
    seq = version.previous
  }
}

/**
 * Whether the change may be compared with the current version. For a writer without read access the verdict would
 * reveal whether it guessed another client's value. Its own value it already knows.
 */
function mayCompare({ view, client }: PlanBuilder, { by, merged }: EntryState): boolean {
  return view.blind !== true || (by === client && merged === NOTHING)
}

/** Returns null for deletions: they have no content to compare, so nothing is opened. */
function currentUnder(builder: PlanBuilder, { edit, current }: StepOnEntry): Version | null {
  return edit.deleted || current.deleted ? null : currentVersion(builder, current)
}

function holdsSame(version: Version | null, { edit }: Step): boolean {
  return !edit.deleted && holdsText(version, edit.text)
}

function holdsText(version: Version | null, text: string): boolean {
  if (version === null || version.deleted || version.value === undefined) return false
  return textOf(version) === text
}

/** Replaces the writer's own version. The writer knows only its own side of a merged version. */
function rewrite(builder: PlanBuilder, step: StepOnEntry): Verdict {
  const again = answerRetry(builder, step)
  if (again !== null) return again
  if (step.current.merged === NOTHING) return apply(builder, step)
  if (builder.view.blind) return byClock(builder, step)
  const sent = contentOf(builder, sentBefore(builder, step.current))
  const merged = sent === null || hasContent(sent) ? mergeFrom(builder, step, sent?.value) : null
  return merged ?? byClock(builder, step)
}

/** The version that the client sent, from which the space made the merged one. */
function sentBefore(builder: PlanBuilder, current: EntryState): number {
  return currentVersion(builder, current)?.previous ?? NOTHING
}

function compete(builder: PlanBuilder, step: StepOnEntry): Verdict {
  if (step.base === undefined) return writeBlind(builder, step)
  const policy = builder.view.policy(step.edit.key)
  switch (policy) {
    case 'lww':
      return byClock(builder, step)
    case 'server-wins':
      return lose(builder, step, policy)
    case 'client-wins':
      return overrule(builder, step, policy)
    case 'merge':
      return (builder.view.blind ? null : mergeOnto(builder, step)) ?? byClock(builder, step)
    case 'manual':
      return hold(builder, step)
  }
}

/** The base and the content under it are forgotten. The policy decides whether the key is created again. */
function resurrect(builder: PlanBuilder, step: Step): Verdict {
  const policy = builder.view.policy(step.edit.key)
  if (policy === 'manual') return hold(builder, step)
  if (policy === 'server-wins') return lose(builder, step, policy)
  // A forgotten deletion leaves nothing to merge with.
  return overrule(builder, step, policy === 'merge' ? 'lww' : policy)
}

function byClock(builder: PlanBuilder, step: StepOnEntry): Verdict {
  return isLaterThanRival(builder, step) ? overrule(builder, step, 'lww') : lose(builder, step, 'lww')
}

/** A client never conflicts with itself. In its own merge an edit competes with the other client's version. */
function isLaterThanRival(builder: PlanBuilder, step: StepOnEntry): boolean {
  const { client, current } = step
  const isOwnMerge = current.by === client && current.merged > NOTHING
  return isLater(step, (isOwnMerge ? contentOf(builder, current.merged) : null) ?? current)
}

/**
 * A blind write over another client's version competes by the clock. It also competes over a merge, which holds
 * another client's fields. Over the client's own version, blind writes apply in order.
 */
function writeBlind(builder: PlanBuilder, step: StepOnEntry): Verdict {
  const { edit, client, current } = step
  if (current.by !== client) return byClock(builder, step)
  const again = answerRetry(builder, step)
  if (again !== null) return again
  if (current.merged !== NOTHING)
    return edit.at < current.at ? lose(builder, step, 'lww') : byClock(builder, step)
  // Compares the times that the client sent, because the space may have raised the time of the earlier write.
  const raised = contentOf(builder, current.seq)?.lift ?? 0
  return edit.at >= current.at - raised ? apply(builder, step) : lose(builder, step, 'lww')
}

/**
 * The verdict on an un-numbered write that is a retry: the write arrived before, and its own client or a merge has
 * replaced it since. Compares the client's own times, because the skew is measured for each request.
 */
function answerRetry(builder: PlanBuilder, step: StepOnEntry): Verdict | null {
  const { edit, current, inBatch } = step
  if (builder.view.numbered || inBatch) return null
  const latest = currentVersion(builder, current)
  // The time of an entry never decreases, so a change that the client's clock puts later is new.
  if (latest === null || latest.timestamp + latest.lift < edit.timestamp) return null
  for (const version of runOf(builder, current)) {
    const isSame = version.deleted === edit.deleted && textOf(version) === edit.text
    if (isSame && version.timestamp === edit.timestamp) return answerAgain(step, latest, version.seq)
  }
  return null
}

/** The version that was sent right before a merge is part of the merge, and its conflict has the same id. */
function answerAgain({ edit, current }: StepOnEntry, latest: Version, seq: number): Verdict {
  if (current.merged === NOTHING || latest.previous !== seq) return { status: 'noop', seq: current.seq }
  const conflict = latest.paths.length > 0 ? seq : NOTHING
  return { status: 'merged', seq: current.seq, conflict, ...(current.at > edit.at && { at: current.at }) }
}

/** Caches texts of versions, because hundreds of changes of a batch may meet the same version. */
const texts = new WeakMap<Version, string>()

/** The canonical text of a version's value; empty without a value. */
export function textOf(version: Version): string {
  const { value } = version
  const text = texts.get(version) ?? (value === undefined ? '' : canonicalJson(value))
  texts.set(version, text)
  return text
}

function mergeOnto(builder: PlanBuilder, step: StepOnEntry): Verdict | null {
  const { edit, base } = step
  if (edit.assumed !== null) return mergeFrom(builder, step, edit.assumed.value)
  if (base === NOTHING) return mergeFrom(builder, step, undefined)
  const version = base === undefined || base === FOREIGN ? null : contentOf(builder, base)
  const isBase = version?.key === edit.key && hasContent(version)
  // A deletion may have kept its last value. A change that was made on a deletion was made on nothing.
  return isBase ? mergeFrom(builder, step, version.deleted ? undefined : version.value) : null
}

/**
 * Returns null if there are no fields to merge (one side is a deletion or not an object), and if the batch has merged
 * too much already: each small change could otherwise be merged into the same large value and stored as a large one.
 */
function mergeFrom(builder: PlanBuilder, step: StepOnEntry, base: Json | undefined): Verdict | null {
  const { edit, current } = step
  const standing = currentUnder(builder, step)
  const theirs = standing?.value
  if (standing === null || edit.value === undefined || theirs === undefined) return null
  builder.merged += edit.text.length + textOf(standing).length
  if (builder.merged > MAX_MERGED_LENGTH) return null
  const editIsLater = isLaterThanRival(builder, step)
  const merged = merge({ base, mine: edit.value, theirs }, editIsLater)
  const text = merged === null ? null : canonicalJson(merged.value)
  if (merged === null || text === null || !fitsBytes(text, MAX_VALUE_BYTES)) return null
  const { value, paths } = merged
  if (text !== textOf(standing)) return combine(builder, step, { value, text, paths, editIsLater })
  return paths.length === 0
    ? { status: 'merged', seq: current.seq, conflict: NOTHING }
    : lose(builder, step, 'merge', paths)
}
