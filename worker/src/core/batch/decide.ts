import { canonicalJson, fitsBytes, type Json } from '../values/json.ts'
import { MAX_MERGED_LENGTH, MAX_VALUE_BYTES, RUN_DEPTH } from '../values/limits.ts'
import { FOREIGN, hasContent, NOTHING, type Version } from '../values/version.ts'
import type { Edit } from './change.ts'
import { apply, combine, contentOf, type Draft, hold, lose, overrule, standing } from './draft.ts'
import { merge } from './merge.ts'
import { type Encounter, type Head, isLater, meets, type Step, stanceOf } from './stance.ts'
import type { Verdict } from './verdict.ts'

/** What becomes of one change. Notes as missing what must be opened first; then the verdict does not count. */
export function decide(draft: Draft, step: Step): Verdict {
  const { edit, head } = step
  if (edit.rejection !== null) return { status: 'rejected', code: edit.rejection }
  const stance = stanceOf(step)
  if (stance === 'noop') return { status: 'noop', seq: head?.seq ?? NOTHING }
  if (stance === 'apply') return recreation(draft, step) ?? apply(draft, step)
  if (!meets(step)) return resurrect(draft, step)
  if (mayCompare(draft, step.head) && holdsSame(standingUnder(draft, step), step))
    return { status: 'noop', seq: step.head.seq }
  return stance === 'rewrite' ? rewrite(draft, step) : compete(draft, step)
}

/** The answer to a creation that is a retry: its own client has deleted since what it made. */
function recreation(draft: Draft, step: Step): Verdict | null {
  const isOwnTombstone = meets(step) && step.head.deleted && step.head.by === step.client
  return isOwnTombstone && step.base === NOTHING ? answerRetry(draft, step) : null
}

/** The sequence number that a change was made on; a base that was given as a value is looked for. */
export function baseOf(draft: Draft, met: Omit<Step, 'base'>): number | undefined {
  const { edit, client, head, inBatch } = met
  const { assumed } = edit
  // In a batch the order of the changes counts, whatever their bases say.
  if (assumed === null || edit.rejection !== null || head === undefined || inBatch)
    return knownBase(draft, edit)
  if (mayCompare(draft, head) && holdsText(standing(draft, head), assumed.text)) return head.seq
  return head.by === client ? placeInRun(draft, head, assumed.text) : FOREIGN
}

/** A version that the space has not given out yet is as unknown as one of another epoch. */
function knownBase({ view }: Draft, { base }: Edit): number | undefined {
  return base !== undefined && base > view.seq ? FOREIGN : base
}

/** Where in its client's run a value stood: edits made before the first reply arrived name what the run began on. */
function placeInRun(draft: Draft, head: Head, text: string): number {
  if (head.root > NOTHING) {
    const root = contentOf(draft, head.root)
    const known = draft.view.blind !== true || root?.by === head.by
    if (known && holdsText(root, text)) return head.root
  }
  for (const version of runOf(draft, head)) if (holdsText(version, text)) return version.seq
  return FOREIGN
}

/** The last versions of the run that the head ends, from the newest back. A head that the space merged is left out. */
function* runOf(draft: Draft, head: Head): Generator<Version> {
  let seq = head.merged === NOTHING ? head.seq : sentBefore(draft, head)
  for (let steps = 0; steps < RUN_DEPTH && seq > Math.max(head.root, NOTHING); steps++) {
    const version = contentOf(draft, seq)
    if (version === null || version.by !== head.by) return
    yield version
    seq = version.previous
  }
}

/**
 * Whether what is sent may be compared with a head. The outcome would tell a writer who may not read whether it has
 * guessed what another client wrote; its own it knows.
 */
function mayCompare({ view, client }: Draft, { by, merged }: Head): boolean {
  return view.blind !== true || (by === client && merged === NOTHING)
}

/** Deletions hold nothing that could be the same: for them nothing is opened. */
function standingUnder(draft: Draft, { edit, head }: Encounter): Version | null {
  return edit.deleted || head.deleted ? null : standing(draft, head)
}

function holdsSame(version: Version | null, { edit }: Step): boolean {
  return !edit.deleted && holdsText(version, edit.text)
}

function holdsText(version: Version | null, text: string): boolean {
  if (version === null || version.deleted || version.value === undefined) return false
  return textOf(version) === text
}

/** The head is the writer's own; of a merged one it knows its own side only. */
function rewrite(draft: Draft, step: Encounter): Verdict {
  const again = answerRetry(draft, step)
  if (again !== null) return again
  if (step.head.merged === NOTHING) return apply(draft, step)
  if (draft.view.blind) return byClock(draft, step)
  const sent = contentOf(draft, sentBefore(draft, step.head))
  const merged = sent === null || hasContent(sent) ? mergeFrom(draft, step, sent?.value) : null
  return merged ?? byClock(draft, step)
}

/** What the client of a merged head sent, of which the space made the head. */
function sentBefore(draft: Draft, head: Head): number {
  return standing(draft, head)?.previous ?? NOTHING
}

function compete(draft: Draft, step: Encounter): Verdict {
  if (step.base === undefined) return writeBlind(draft, step)
  const policy = draft.view.policy(step.edit.key)
  switch (policy) {
    case 'lww':
      return byClock(draft, step)
    case 'server-wins':
      return lose(draft, step, policy)
    case 'client-wins':
      return overrule(draft, step, policy)
    case 'merge':
      return (draft.view.blind ? null : mergeOnto(draft, step)) ?? byClock(draft, step)
    case 'manual':
      return hold(draft, step)
  }
}

/** The base is forgotten, and so is what was there: whether the key comes back is the policy's to say. */
function resurrect(draft: Draft, step: Step): Verdict {
  const policy = draft.view.policy(step.edit.key)
  if (policy === 'manual') return hold(draft, step)
  if (policy === 'server-wins') return lose(draft, step, policy)
  // There is nothing to merge.
  return overrule(draft, step, policy === 'merge' ? 'lww' : policy)
}

function byClock(draft: Draft, step: Encounter): Verdict {
  return isLaterThanRival(draft, step) ? overrule(draft, step, 'lww') : lose(draft, step, 'lww')
}

/** A client has no conflict with itself: in its own merge, it is the other client's version that an edit competes with. */
function isLaterThanRival(draft: Draft, step: Encounter): boolean {
  const { client, head } = step
  const isOwnMerge = head.by === client && head.merged > NOTHING
  return isLater(step, (isOwnMerge ? contentOf(draft, head.merged) : null) ?? head)
}

/**
 * Who writes blindly over another's version competes by the clock, and so over a merge that holds another's fields;
 * over its own, writes go in their order.
 */
function writeBlind(draft: Draft, step: Encounter): Verdict {
  const { edit, client, head } = step
  if (head.by !== client) return byClock(draft, step)
  const again = answerRetry(draft, step)
  if (again !== null) return again
  if (head.merged !== NOTHING) return edit.at < head.at ? lose(draft, step, 'lww') : byClock(draft, step)
  // By the times that the client gave: the space may have raised the one of its earlier write.
  const raised = contentOf(draft, head.seq)?.lift ?? 0
  return edit.at >= head.at - raised ? apply(draft, step) : lose(draft, step, 'lww')
}

/**
 * The answer to a write without a number that is a retry: it came before, and its own client or a merge has replaced it
 * since. The times that the client gave are compared: its skew is measured anew with each request.
 */
function answerRetry(draft: Draft, step: Encounter): Verdict | null {
  const { edit, head, inBatch } = step
  if (draft.view.numbered || inBatch) return null
  const stands = standing(draft, head)
  // The time of an entry never falls: what its client's clock puts after it has not been there before.
  if (stands === null || stands.timestamp + stands.lift < edit.timestamp) return null
  for (const version of runOf(draft, head)) {
    const isSame = version.deleted === edit.deleted && textOf(version) === edit.text
    if (isSame && version.timestamp === edit.timestamp) return answerAgain(step, stands, version.seq)
  }
  return null
}

/** What was sent right before a merge is inside it, and the conflict of that merge is named after it. */
function answerAgain({ edit, head }: Encounter, stands: Version, seq: number): Verdict {
  if (head.merged === NOTHING || stands.previous !== seq) return { status: 'noop', seq: head.seq }
  const conflict = stands.paths.length > 0 ? seq : NOTHING
  return { status: 'merged', seq: head.seq, conflict, ...(head.at > edit.at && { at: head.at }) }
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

function mergeOnto(draft: Draft, step: Encounter): Verdict | null {
  const { edit, base } = step
  if (edit.assumed !== null) return mergeFrom(draft, step, edit.assumed.value)
  if (base === NOTHING) return mergeFrom(draft, step, undefined)
  const version = base === undefined || base === FOREIGN ? null : contentOf(draft, base)
  const isBase = version?.key === edit.key && hasContent(version)
  // A deletion may have kept its last value; what was made on it was made on nothing.
  return isBase ? mergeFrom(draft, step, version.deleted ? undefined : version.value) : null
}

/**
 * Null where there are no fields to merge: a deletion on one side, or a value that is not an object. And where the batch
 * has merged enough: each small change of it could be merged with the same large value, and stored as a large one.
 */
function mergeFrom(draft: Draft, step: Encounter, base: Json | undefined): Verdict | null {
  const { edit, head } = step
  const standing = standingUnder(draft, step)
  const theirs = standing?.value
  if (standing === null || edit.value === undefined || theirs === undefined) return null
  draft.merged += edit.text.length + textOf(standing).length
  if (draft.merged > MAX_MERGED_LENGTH) return null
  const editIsLater = isLaterThanRival(draft, step)
  const merged = merge({ base, mine: edit.value, theirs }, editIsLater)
  const text = merged === null ? null : canonicalJson(merged.value)
  if (merged === null || text === null || !fitsBytes(text, MAX_VALUE_BYTES)) return null
  const { value, paths } = merged
  if (text !== textOf(standing)) return combine(draft, step, { value, text, paths, editIsLater })
  return paths.length === 0
    ? { status: 'merged', seq: head.seq, conflict: NOTHING }
    : lose(draft, step, 'merge', paths)
}
