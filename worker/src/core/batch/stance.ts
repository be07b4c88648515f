import { NOTHING } from '../values/version.ts'
import type { Edit } from './change.ts'

/** The current state of a key: enough to decide on bases, ties and the writer's own runs without opening its value. */
export interface EntryState {
  readonly seq: number
  /**
   * `root`: the base on which the client began its run of writes to the key. `vacant`: whether the key was absent when
   * the run began or at some moment since; then a base of `null` lies within the run.
   */
  readonly root: number
  readonly vacant: boolean
  /** Effective time, ms. */
  readonly at: number
  readonly by: string
  readonly deleted: boolean
  /**
   * The other client's version, if the space merged this version from it and from the writer's own, which is the version
   * before. The writer has not seen the merge. `NOTHING` if the version is as its writer sent it, `FOREIGN` if the other
   * version is unknown.
   */
  readonly merged: number
}

/** One edit in the decision, with the state that it meets. */
export interface Step {
  readonly edit: Edit
  readonly index: number
  readonly client: string
  /** The sequence number on which the edit was made: `undefined` for a blind write, `FOREIGN` for an unknown one. */
  readonly base: number | undefined
  readonly current: EntryState | undefined
  /** Whether the current version was written by the same batch. Then the order counts, whatever the bases are. */
  readonly inBatch: boolean
}

/** A step whose key has a current version. */
export type StepOnEntry = Step & { readonly current: EntryState }

/**
 * The relation of an edit to the current version of its key. `apply`: the edit is based on it. `noop`: both are
 * deletions. `resurrect`: the base is forgotten. `rewrite`: the writer replaces its own version, in order. `compete`:
 * concurrent or blind, so the policy decides. The last two need the current content first, because identical content is
 * no change.
 */
export type Stance = 'apply' | 'noop' | 'resurrect' | 'rewrite' | 'compete'

export function stanceOf(step: Step): Stance {
  const { edit, base, current } = step
  if (!hasCurrent(step)) return stanceOnNothing(step)
  if (edit.deleted && current?.deleted) return 'noop'
  if (base === current?.seq) return 'apply'
  if (base === NOTHING && current?.deleted) return 'apply'
  return step.inBatch || continuesRun(step) ? 'rewrite' : 'compete'
}

export function hasCurrent(step: Step): step is StepOnEntry {
  return step.current !== undefined
}

function stanceOnNothing({ edit, base }: Step): Stance {
  if (edit.deleted) return 'noop'
  return base === undefined || base === NOTHING ? 'apply' : 'resurrect'
}

/**
 * Whether an edit is based on its writer's own run, which the current version ends: on the base of the run, or on any
 * version since. An unknown base counts as older than every version, so it belongs to a run only if the run itself
 * began on an unknown base.
 */
function continuesRun({ base, client, current }: Step): boolean {
  if (current?.by !== client || base === undefined) return false
  return base === NOTHING ? current.vacant : base >= current.root
}

/** The run that the edit ends once it is applied. */
export function runAfter(step: Step): Pick<EntryState, 'root' | 'vacant'> {
  const { edit, current } = step
  const run = ownRun(step)
  const root = run === null ? rootOf(step) : rootWithin(step, run)
  const isVacant = run?.vacant === true || (current?.deleted ?? true) || edit.deleted
  return { root, vacant: isVacant || root <= NOTHING }
}

/**
 * The writer's run that the current version ends. A write on a merge of the space starts a new run, because its writer
 * has seen the merge.
 */
function ownRun({ base, client, current }: Step): EntryState | null {
  if (current?.by !== client) return null
  return base === current.seq && current.merged !== NOTHING ? null : current
}

/** An edit keeps the root of its writer's run. A concurrent edit that wins moves the root back to its own base. */
function rootWithin(step: Step, { root }: EntryState): number {
  return step.inBatch || continuesRun(step) ? root : Math.min(root, rootOf(step))
}

/**
 * The root of a new run: the base that the edit names, or the current version if that is a deletion or the edit is
 * blind.
 */
function rootOf({ base, current }: Step): number {
  const isOnDeletion = base === NOTHING && current?.deleted === true
  return base === undefined || isOnDeletion ? (current?.seq ?? NOTHING) : base
}

/** Last write wins: the later effective time, then the greater client id, then the current version. */
export function isLater({ edit, client }: Step, current: Pick<EntryState, 'at' | 'by'>): boolean {
  return edit.at > current.at || (edit.at === current.at && client > current.by)
}
