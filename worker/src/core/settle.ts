import type { Edit } from './change.ts'
import { NOTHING } from './version.ts'

/** Where a key stands: enough to decide on base, ties and own successors without opening its value. */
export interface Head {
  readonly seq: number
  /** The base on which the head's client began its uninterrupted run of writes to the key. */
  readonly root: number
  /** Effective time, ms. */
  readonly at: number
  readonly by: string
  readonly deleted: boolean
  /** Made by a merge: its client sent the version before it, and has not seen this one. */
  readonly merged: boolean
}

/** One edit on its way through the decision, with what it meets. */
export interface Step {
  readonly edit: Edit
  readonly index: number
  readonly client: string
  /** What it was made on: `undefined` for a blind write, `FOREIGN` for what nobody knows. */
  readonly base: number | undefined
  readonly head: Head | undefined
  /** Whether the head was written by this very batch: its order counts, whatever the bases say. */
  readonly inBatch: boolean
}

/** A step that meets something. */
export type Encounter = Step & { readonly head: Head }

/**
 * How an edit stands to its key's head.
 * `apply`: it sits on what its writer saw. `noop`: both are deletions. `resurrect`: its base is forgotten.
 * `rewrite`: the writer's own head, replaced in order. `compete`: concurrent, or blind; the policy decides.
 * The last two need the head's content first: the same content again is no change.
 */
export type Stance = 'apply' | 'noop' | 'resurrect' | 'rewrite' | 'compete'

export function stanceOf(step: Step): Stance {
  const { edit, base, head } = step
  if (!meets(step)) return stanceOnNothing(step)
  if (edit.deleted && head?.deleted) return 'noop'
  if (base === head?.seq) return 'apply'
  if (base === NOTHING && head?.deleted) return 'apply'
  return step.inBatch || continuesRun(step) ? 'rewrite' : 'compete'
}

export function meets(step: Step): step is Encounter {
  return step.head !== undefined
}

function stanceOnNothing({ edit, base }: Step): Stance {
  if (edit.deleted) return 'noop'
  return base === undefined || base === NOTHING ? 'apply' : 'resurrect'
}

/**
 * Edits made before the first reply arrived all carry the base of the first, or the version of one of
 * them: whatever lies between the run's root and its end is the writer's own.
 */
function continuesRun({ base, client, head }: Step): boolean {
  return head?.by === client && base !== undefined && base >= head.root && base < head.seq
}

/** The base that the writer's run began on, once the edit is applied. */
export function rootAfter(step: Step): number {
  const { base, client, head, inBatch } = step
  if (head !== undefined && head.by === client && (base === undefined || inBatch || continuesRun(step)))
    return head.root
  return base ?? head?.seq ?? NOTHING
}

/** Last write wins: the later effective time, then the greater client id, then the incumbent. */
export function isLater({ edit, client, head }: Encounter): boolean {
  return edit.at > head.at || (edit.at === head.at && client > head.by)
}
