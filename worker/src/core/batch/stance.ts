import { NOTHING } from '../values/version.ts'
import type { Edit } from './change.ts'

/** Where a key stands: enough to decide on base, ties and own successors without opening its value. */
export interface EntryState {
  readonly seq: number
  /**
   * The base on which the head's client began its run of writes to the key, and whether nothing stood at its beginning
   * or at some moment since: then `null` names a moment of the run.
   */
  readonly root: number
  readonly vacant: boolean
  /** Effective time, ms. */
  readonly at: number
  readonly by: string
  readonly deleted: boolean
  /**
   * The version of another client that the space merged into this one, which its client has not seen: that sent the
   * version before it. `NOTHING` if it is as its client sent it, `FOREIGN` if the other version is not known.
   */
  readonly merged: number
}

/** One edit on its way through the decision, with what it meets. */
export interface Step {
  readonly edit: Edit
  readonly index: number
  readonly client: string
  /** What it was made on: `undefined` for a blind write, `FOREIGN` for what nobody knows. */
  readonly base: number | undefined
  readonly current: EntryState | undefined
  /** Whether the head was written by this very batch: its order counts, whatever the bases say. */
  readonly inBatch: boolean
}

/** A step that meets something. */
export type StepOnEntry = Step & { readonly current: EntryState }

/**
 * How an edit stands to its key's head.
 * `apply`: it sits on what its writer saw. `noop`: both are deletions. `resurrect`: its base is forgotten.
 * `rewrite`: the writer's own head, replaced in order. `compete`: concurrent, or blind; the policy decides.
 * The last two need the head's content first: the same content again is no change.
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
 * Whether an edit is based on its writer's own run, which the head ends: on what the run began on, or any version since.
 * An unknown base comes before every version, so that it is in a run only if that began on one.
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

/** The writer's run that the head ends. A write on a merge of the space ends it: it has seen more than the run had. */
function ownRun({ base, client, current }: Step): EntryState | null {
  if (current?.by !== client) return null
  return base === current.seq && current.merged !== NOTHING ? null : current
}

/** An edit leaves its writer's run where it began, but for a concurrent one that wins: it takes the beginning to its base. */
function rootWithin(step: Step, { root }: EntryState): number {
  return step.inBatch || continuesRun(step) ? root : Math.min(root, rootOf(step))
}

/** What a run begins on: the base that is named, or what stands where that is a deletion, or the write blind. */
function rootOf({ base, current }: Step): number {
  const isOnDeletion = base === NOTHING && current?.deleted === true
  return base === undefined || isOnDeletion ? (current?.seq ?? NOTHING) : base
}

/** Last write wins: the later effective time, then the greater client id, then the incumbent. */
export function isLater({ edit, client }: Step, current: Pick<EntryState, 'at' | 'by'>): boolean {
  return edit.at > current.at || (edit.at === current.at && client > current.by)
}
