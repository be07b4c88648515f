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

/** What becomes of one change. Notes as missing what must be opened first; then the verdict does not count. */
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

/** The answer to a creation that is a retry: its own client has deleted since what it made. */
function recreation(builder: PlanBuilder, step: Step): Verdict | null {
  const isOwnTombstone = hasCurrent(step) && step.current.deleted && step.current.by === step.client
  return isOwnTombstone && step.base === NOTHING ? answerRetry(builder, step) : null
}

/** The sequence number that a change was made on; a base that was given as a value is looked for. */
export function resolveBase(builder: PlanBuilder, met: Omit<Step, 'base'>): number | undefined {
  const { edit, client, current, inBatch } = met
  const { assumed } = edit
  // In a batch the order of the changes counts, whatever their bases say.
  if (assumed === null || edit.rejection !== null || current === undefined || inBatch)
    return knownBase(builder, edit)
  if (mayCompare(builder, current) && holdsText(currentVersion(builder, current), assumed.text))
    return current.seq
  return current.by === client ? seqInRun(builder, current, assumed.text) : FOREIGN
}

/** A version that the space has not given out yet is as unknown as one of another epoch. */
function knownBase({ view }: PlanBuilder, { base }: Edit): number | undefined {
  return base !== undefined && base > view.seq ? FOREIGN : base
}

/** Where in its client's run a value stood: edits made before the first reply arrived name what the run began on. */
function seqInRun(builder: PlanBuilder, current: EntryState, text: string): number {
  if (current.root > NOTHING) {
    const root = contentOf(builder, current.root)
    const known = builder.view.blind !== true || root?.by === current.by
    if (known && holdsText(root, text)) return current.root
  }
  for (const version of runOf(builder, current)) if (holdsText(version, text)) return version.seq
  return FOREIGN
}

/** The last versions of the run that the head ends, from the newest back. A head that the space merged is left out. */
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
 * Whether what is sent may be compared with a head. The outcome would tell a writer who may not read whether it has
 * guessed what another client wrote; its own it knows.
 */
function mayCompare({ view, client }: PlanBuilder, { by, merged }: EntryState): boolean {
  return view.blind !== true || (by === client && merged === NOTHING)
}

/** Deletions hold nothing that could be the same: for them nothing is opened. */
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

/** The head is the writer's own; of a merged one it knows its own side only. */
function rewrite(builder: PlanBuilder, step: StepOnEntry): Verdict {
  const again = answerRetry(builder, step)
  if (again !== null) return again
  if (step.current.merged === NOTHING) return apply(builder, step)
  if (builder.view.blind) return byClock(builder, step)
  const sent = contentOf(builder, sentBefore(builder, step.current))
  const merged = sent === null || hasContent(sent) ? mergeFrom(builder, step, sent?.value) : null
  return merged ?? byClock(builder, step)
}

/** What the client of a merged head sent, of which the space made the head. */
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

/** The base is forgotten, and so is what was there: whether the key comes back is the policy's to say. */
function resurrect(builder: PlanBuilder, step: Step): Verdict {
  const policy = builder.view.policy(step.edit.key)
  if (policy === 'manual') return hold(builder, step)
  if (policy === 'server-wins') return lose(builder, step, policy)
  // There is nothing to merge.
  return overrule(builder, step, policy === 'merge' ? 'lww' : policy)
}

function byClock(builder: PlanBuilder, step: StepOnEntry): Verdict {
  return isLaterThanRival(builder, step) ? overrule(builder, step, 'lww') : lose(builder, step, 'lww')
}

/** A client has no conflict with itself: in its own merge, it is the other client's version that an edit competes with. */
function isLaterThanRival(builder: PlanBuilder, step: StepOnEntry): boolean {
  const { client, current } = step
  const isOwnMerge = current.by === client && current.merged > NOTHING
  return isLater(step, (isOwnMerge ? contentOf(builder, current.merged) : null) ?? current)
}

/**
 * Who writes blindly over another's version competes by the clock, and so over a merge that holds another's fields;
 * over its own, writes go in their order.
 */
function writeBlind(builder: PlanBuilder, step: StepOnEntry): Verdict {
  const { edit, client, current } = step
  if (current.by !== client) return byClock(builder, step)
  const again = answerRetry(builder, step)
  if (again !== null) return again
  if (current.merged !== NOTHING)
    return edit.at < current.at ? lose(builder, step, 'lww') : byClock(builder, step)
  // By the times that the client gave: the space may have raised the one of its earlier write.
  const raised = contentOf(builder, current.seq)?.lift ?? 0
  return edit.at >= current.at - raised ? apply(builder, step) : lose(builder, step, 'lww')
}

/**
 * The answer to a write without a number that is a retry: it came before, and its own client or a merge has replaced it
 * since. The times that the client gave are compared: its skew is measured anew with each request.
 */
function answerRetry(builder: PlanBuilder, step: StepOnEntry): Verdict | null {
  const { edit, current, inBatch } = step
  if (builder.view.numbered || inBatch) return null
  const stands = currentVersion(builder, current)
  // The time of an entry never falls: what its client's clock puts after it has not been there before.
  if (stands === null || stands.timestamp + stands.lift < edit.timestamp) return null
  for (const version of runOf(builder, current)) {
    const isSame = version.deleted === edit.deleted && textOf(version) === edit.text
    if (isSame && version.timestamp === edit.timestamp) return answerAgain(step, stands, version.seq)
  }
  return null
}

/** What was sent right before a merge is inside it, and the conflict of that merge is named after it. */
function answerAgain({ edit, current }: StepOnEntry, stands: Version, seq: number): Verdict {
  if (current.merged === NOTHING || stands.previous !== seq) return { status: 'noop', seq: current.seq }
  const conflict = stands.paths.length > 0 ? seq : NOTHING
  return { status: 'merged', seq: current.seq, conflict, ...(current.at > edit.at && { at: current.at }) }
}

/** The texts of versions: hundreds of changes of a batch may meet the same one. */
const texts = new WeakMap<Version, string>()

/** The canonical text of a version's value; empty without one. */
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
  // A deletion may have kept its last value; what was made on it was made on nothing.
  return isBase ? mergeFrom(builder, step, version.deleted ? undefined : version.value) : null
}

/**
 * Null where there are no fields to merge: a deletion on one side, or a value that is not an object. And where the batch
 * has merged enough: each small change of it could be merged with the same large value, and stored as a large one.
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
