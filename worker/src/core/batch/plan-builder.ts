import type { Clock } from '../values/clock.ts'
import type { Json } from '../values/json.ts'
import { NOTHING, type Version } from '../values/version.ts'
import { lineOf } from './change.ts'
import type { Conflict } from './conflict.ts'
import type { Policy } from './policy.ts'
import { type EntryState, runAfter, type Step, type StepOnEntry } from './stance.ts'
import type { Verdict } from './verdict.ts'
import type { View } from './view.ts'

/** A version to be stored in the log. */
export interface Stored {
  readonly seq: number
  /** The version that it replaced or lost to. */
  readonly previous: number
  /** Its index among the lines of the chunk. */
  readonly index: number
  readonly line: string
  /** How far the space raised its time, ms. The time of an entry never decreases. */
  readonly lift: number
  /** Whether the space wrote the line or a part of it, so that the line differs from what the client sent. */
  readonly made: boolean
}

/** The paths of a version that no merge concerns. */
const NONE: readonly string[] = []

/** A plan under construction: later changes of a batch see the effects of earlier ones. */
export interface PlanBuilder {
  seq: number
  entries: number
  /** Every stored version supersedes one or is superseded itself, except the first version of a key. */
  superseded: number
  /** The total length of the texts merged so far, in UTF-16 code units. */
  merged: number
  readonly client: string
  readonly view: View
  readonly verdicts: Verdict[]
  readonly stored: Stored[]
  readonly states: Map<string, EntryState>
  readonly replaced: number[]
  readonly conflicts: Conflict[]
  readonly missing: number[]
  readonly versions: Map<number, Version>
}

export function newPlanBuilder(client: string, view: View): PlanBuilder {
  return {
    seq: view.seq,
    entries: 0,
    superseded: 0,
    merged: 0,
    client,
    view,
    verdicts: [],
    stored: [],
    states: new Map(),
    replaced: [],
    conflicts: [],
    missing: [],
    versions: new Map(),
  }
}

/** The content of a version. Returns null if it is gone, or if it is not opened yet; then it is added to `missing`. */
export function contentOf(builder: PlanBuilder, seq: number): Version | null {
  const version = builder.versions.get(seq) ?? builder.view.version(seq)
  if (version === undefined) builder.missing.push(seq)
  return version ?? null
}

/** The content of the current version. It cannot be gone, so it stays in `missing` until it is found. */
export function currentVersion(builder: PlanBuilder, current: EntryState): Version | null {
  const version = contentOf(builder, current.seq)
  if (version === null) builder.missing.push(current.seq)
  return version
}

/** Stores the edit and makes it the current version. Its time is at least that of the version it replaces. */
export function apply(builder: PlanBuilder, step: Step): Applied {
  const { edit, client, current } = step
  const lift = liftOf(step, builder.view.clock)
  const at = edit.at + lift
  const seq = store(builder, step, { lift })
  const { root, vacant } = runAfter(step)
  builder.states.set(edit.key, {
    seq,
    root,
    vacant,
    at,
    by: client,
    deleted: edit.deleted,
    merged: NOTHING,
  })
  builder.entries += Number(!edit.deleted) - Number(current !== undefined && !current.deleted)
  if (current === undefined) builder.superseded -= 1
  else builder.replaced.push(current.seq)
  const applied = { status: 'applied', seq, conflict: false } as const
  return lift > 0 ? { ...applied, at } : applied
}

type Applied = Extract<Verdict, { status: 'applied' }>

/**
 * How far the time of an edit is raised: just past the version it replaces, so that an edit of the same moment does not
 * win the tie. Never past now, because a client could then put an entry out of everyone's reach.
 */
function liftOf({ edit, current }: Step, { now }: Clock): number {
  if (current === undefined || edit.at >= current.at) return 0
  return Math.max(current.at, Math.min(current.at + 1, now)) - edit.at
}

/** The edit wins. The version it replaces is kept as the loser. */
export function overrule(builder: PlanBuilder, step: Step, policy: Policy): Verdict {
  const applied = apply(builder, step)
  const { seq } = builder
  const loser = step.current?.seq ?? NOTHING
  builder.conflicts.push({ ...settled(seq, policy), resolution: 'kept-client', winner: seq, loser })
  return { ...applied, conflict: true }
}

/** The current version stays. The edit is kept as the loser. */
export function lose(
  builder: PlanBuilder,
  step: Step,
  policy: Policy,
  paths: readonly string[] = [],
): Verdict {
  const seq = store(builder, step, { paths })
  const winner = step.current?.seq ?? NOTHING
  builder.conflicts.push({ ...settled(seq, policy), resolution: 'kept-server', winner, loser: seq })
  return { status: 'superseded', seq, winner }
}

/** The current version stays until somebody resolves the conflict. The edit is kept beside it. */
export function hold(builder: PlanBuilder, step: Step): Verdict {
  const seq = store(builder, step)
  const winner = step.current?.seq ?? NOTHING
  builder.conflicts.push({ ...settled(seq, 'manual'), resolution: 'open', winner, loser: seq })
  return { status: 'conflict', seq, winner }
}

/** The merge of the current version and an edit. */
export interface MergedContent {
  readonly value: Json
  /** The canonical text of the value. */
  readonly text: string
  readonly paths: readonly string[]
  /** Whether the edit's side won the fields that both changed. */
  readonly editIsLater: boolean
}

/** Stores the edit, then the merge, which becomes the current version. */
export function combine(builder: PlanBuilder, step: StepOnEntry, made: MergedContent): Verdict {
  const { edit, client, current } = step
  const sent = made.text === edit.text ? null : store(builder, step)
  const at = Math.max(edit.at, current.at)
  const lift = at - edit.at
  const seq =
    sent === null
      ? store(builder, step, { paths: made.paths, lift })
      : storeMade(builder, { key: edit.key, at, made })
  builder.states.set(edit.key, {
    seq,
    ...runAfter(step),
    at,
    by: client,
    deleted: false,
    merged: sent === null ? NOTHING : otherIn(step),
  })
  builder.replaced.push(current.seq)
  const conflict = made.paths.length === 0 ? NOTHING : (sent ?? seq)
  if (conflict !== NOTHING) {
    const loser = made.editIsLater ? current.seq : conflict
    builder.conflicts.push({ ...settled(conflict, 'merge'), resolution: 'merged', winner: seq, loser })
  }
  return { status: 'merged', seq, conflict, ...(lift > 0 && { at }) }
}

/** The other client's version inside a merge with the current version. */
function otherIn({ client, current }: StepOnEntry): number {
  return current.by === client && current.merged !== NOTHING ? current.merged : current.seq
}

function settled(id: number, policy: Policy): Pick<Conflict, 'id' | 'policy' | 'resolvedBy'> {
  return { id, policy, resolvedBy: NOTHING }
}

function store(
  builder: PlanBuilder,
  { edit, index, current }: Step,
  { paths = NONE, lift = 0 }: { readonly paths?: readonly string[]; readonly lift?: number } = {},
): number {
  const { key, deleted, value, timestamp } = edit
  const previous = current === undefined ? NOTHING : current.seq
  const at = edit.at + lift
  const content = { previous, key, timestamp, at, lift, deleted, value, paths }
  return add(builder, content, { line: withPaths(edit.line, paths), index, made: paths.length > 0 })
}

/** The merge follows the edit in the chain of versions, so that the history shows both. */
function storeMade(
  builder: PlanBuilder,
  { key, at, made }: { key: string; at: number; made: MergedContent },
): number {
  const { value, paths } = made
  const { now, skew } = builder.view.clock
  // The log corrects every timestamp of a batch by the skew of its clock. This time is already correct, so the skew is
  // subtracted.
  const timestamp = at - skew
  const line = lineOf({ key, timestamp }, JSON.stringify(value))
  const lift = Math.max(0, at - now)
  const content = { previous: builder.seq, key, timestamp, at, lift, deleted: false, value, paths }
  return add(builder, content, { line: withPaths(line, paths), index: 0, made: true })
}

/** Copies field by field, because a spread costs as much as the rest of the plan. */
function add(
  builder: PlanBuilder,
  { previous, key, timestamp, at, lift, deleted, value, paths }: Omit<Version, 'seq' | 'by'>,
  { line, index, made }: Pick<Stored, 'line' | 'index' | 'made'>,
): number {
  const { client: by } = builder
  const seq = builder.seq + 1
  builder.seq = seq
  builder.superseded += 1
  builder.versions.set(seq, { seq, previous, key, by, timestamp, at, lift, deleted, value, paths })
  builder.stored.push({ seq, previous, index, line, lift, made })
  return seq
}

/** Field names are content, so they are stored sealed, in the line. Only a line with a value has paths. */
function withPaths(line: string, paths: readonly string[]): string {
  return paths.length === 0 ? line : `${line.slice(0, -1)},${JSON.stringify(paths)}]`
}
