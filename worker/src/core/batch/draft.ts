import type { Clock } from '../values/clock.ts'
import type { Json } from '../values/json.ts'
import { NOTHING, type Version } from '../values/version.ts'
import { lineOf } from './change.ts'
import type { Conflict } from './conflict.ts'
import type { Policy } from './policy.ts'
import { type Encounter, type Head, runAfter, type Step } from './stance.ts'
import type { Verdict } from './verdict.ts'
import type { View } from './view.ts'

/** A version that goes into the log. */
export interface Stored {
  readonly seq: number
  /** The version it replaced, or lost to. */
  readonly previous: number
  /** Its place among the lines that the log takes. */
  readonly index: number
  readonly line: string
  /** By how much the space raised its time, ms: the time of an entry never falls. */
  readonly lift: number
  /** Whether the space had a hand in the line, so that it is not what the client sent. */
  readonly made: boolean
}

/** A plan in the making: later changes of a batch see the earlier ones. */
export interface Draft {
  seq: number
  entries: number
  /** How long the texts are together that were merged. */
  merged: number
  readonly client: string
  readonly view: View
  readonly verdicts: Verdict[]
  readonly stored: Stored[]
  readonly heads: Map<string, Head>
  readonly conflicts: Conflict[]
  readonly missing: number[]
  readonly versions: Map<number, Version>
}

export function newDraft(client: string, view: View): Draft {
  return {
    seq: view.seq,
    entries: 0,
    merged: 0,
    client,
    view,
    verdicts: [],
    stored: [],
    heads: new Map(),
    conflicts: [],
    missing: [],
    versions: new Map(),
  }
}

/** The content of a version; null if it is gone, or not opened yet and noted as missing. */
export function contentOf(draft: Draft, seq: number): Version | null {
  const version = draft.versions.get(seq) ?? draft.view.version(seq)
  if (version === undefined) draft.missing.push(seq)
  return version ?? null
}

/** The content that stands. A head's content cannot be gone: it stays missing until it is found. */
export function standing(draft: Draft, head: Head): Version | null {
  const version = contentOf(draft, head.seq)
  if (version === null) draft.missing.push(head.seq)
  return version
}

/** Stores the edit and makes it the head. Its time is at least that of the version it replaces. */
export function apply(draft: Draft, step: Step): Applied {
  const { edit, client, head } = step
  const lift = liftOf(step, draft.view.clock)
  const seq = store(draft, step, { lift })
  draft.heads.set(edit.key, {
    seq,
    ...runAfter(step),
    at: edit.at + lift,
    by: client,
    deleted: edit.deleted,
    merged: NOTHING,
  })
  draft.entries += Number(!edit.deleted) - Number(head !== undefined && !head.deleted)
  return { status: 'applied', seq, conflict: false, ...(lift > 0 && { at: edit.at + lift }) }
}

type Applied = Extract<Verdict, { status: 'applied' }>

/**
 * By how much the time of an edit is raised: past the version that it replaces, so that an edit of that version's moment
 * does not win a tie. Never past now, or a client could raise an entry out of everyone's reach.
 */
function liftOf({ edit, head }: Step, { now }: Clock): number {
  if (head === undefined || edit.at >= head.at) return 0
  return Math.max(head.at, Math.min(head.at + 1, now)) - edit.at
}

/** The edit wins; what it replaced is kept as the loser. */
export function overrule(draft: Draft, step: Step, policy: Policy): Verdict {
  const applied = apply(draft, step)
  const { seq } = draft
  const loser = step.head?.seq ?? NOTHING
  draft.conflicts.push({ ...settled(seq, policy), resolution: 'kept-client', winner: seq, loser })
  return { ...applied, conflict: true }
}

/** The head stays; the edit is kept as the loser. */
export function lose(draft: Draft, step: Step, policy: Policy, paths: readonly string[] = []): Verdict {
  const seq = store(draft, step, { paths })
  const winner = step.head?.seq ?? NOTHING
  draft.conflicts.push({ ...settled(seq, policy), resolution: 'kept-server', winner, loser: seq })
  return { status: 'superseded', seq, winner }
}

/** The head stays until somebody decides; the edit is kept beside it. */
export function hold(draft: Draft, step: Step): Verdict {
  const seq = store(draft, step)
  const winner = step.head?.seq ?? NOTHING
  draft.conflicts.push({ ...settled(seq, 'manual'), resolution: 'open', winner, loser: seq })
  return { status: 'conflict', seq, winner }
}

/** What a merge made of the head and an edit. */
export interface Made {
  readonly value: Json
  /** Its canonical text. */
  readonly text: string
  readonly paths: readonly string[]
  /** Whether the edit's side took what both changed. */
  readonly editIsLater: boolean
}

/** Stores what was sent, then what was made of it, which becomes the head. */
export function combine(draft: Draft, step: Encounter, made: Made): Verdict {
  const { edit, client, head } = step
  const sent = made.text === edit.text ? null : store(draft, step)
  const at = Math.max(edit.at, head.at)
  const lift = at - edit.at
  const seq =
    sent === null
      ? store(draft, step, { paths: made.paths, lift })
      : storeMade(draft, { key: edit.key, at, made })
  draft.heads.set(edit.key, {
    seq,
    ...runAfter(step),
    at,
    by: client,
    deleted: false,
    merged: sent === null ? NOTHING : otherIn(step),
  })
  const conflict = made.paths.length === 0 ? NOTHING : (sent ?? seq)
  if (conflict !== NOTHING) {
    const loser = made.editIsLater ? head.seq : conflict
    draft.conflicts.push({ ...settled(conflict, 'merge'), resolution: 'merged', winner: seq, loser })
  }
  return { status: 'merged', seq, conflict, ...(lift > 0 && { at }) }
}

/** The version of another client that a merge with the head holds. */
function otherIn({ client, head }: Encounter): number {
  return head.by === client && head.merged !== NOTHING ? head.merged : head.seq
}

function settled(id: number, policy: Policy): Pick<Conflict, 'id' | 'policy' | 'resolvedBy'> {
  return { id, policy, resolvedBy: NOTHING }
}

function store(
  draft: Draft,
  { edit, index, head }: Step,
  { paths = [], lift = 0 }: { readonly paths?: readonly string[]; readonly lift?: number } = {},
): number {
  const { key, deleted, value, line } = edit
  const { timestamp } = edit
  const previous = head?.seq ?? NOTHING
  const content = { previous, key, timestamp, at: edit.at + lift, lift, deleted, value, paths }
  return add(draft, content, { line: withPaths(line, paths), index, lift, made: paths.length > 0 })
}

/** Follows what was sent in the chain of versions, so that both stay in the history. */
function storeMade(draft: Draft, { key, at, made }: { key: string; at: number; made: Made }): number {
  const { value, paths } = made
  const { now, skew } = draft.view.clock
  // The log corrects every timestamp of a batch by the skew of its clock, up to its arrival: this one is right already.
  const timestamp = at - skew
  const line = lineOf({ key, timestamp }, JSON.stringify(value))
  const lift = Math.max(0, at - now)
  const content = { previous: draft.seq, key, timestamp, at, lift, deleted: false, value, paths }
  return add(draft, content, { line: withPaths(line, paths), index: 0, lift, made: true })
}

function add(
  draft: Draft,
  content: Omit<Version, 'seq' | 'by'>,
  source: Pick<Stored, 'line' | 'index' | 'lift' | 'made'>,
): number {
  draft.seq += 1
  draft.versions.set(draft.seq, { ...content, seq: draft.seq, by: draft.client })
  draft.stored.push({ ...source, seq: draft.seq, previous: content.previous })
  return draft.seq
}

/** The names of fields are content: they are kept where it is, sealed. Only a line with a value has them. */
function withPaths(line: string, paths: readonly string[]): string {
  return paths.length === 0 ? line : `${line.slice(0, -1)},${JSON.stringify(paths)}]`
}
