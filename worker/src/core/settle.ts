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
}

/**
 * How an edit stands to its key's head.
 * `apply`: it sits on what its writer saw. `noop`: both are deletions. `resurrect`: its base is forgotten.
 * `rewrite`: the writer's own head, replaced in order. `compete`: concurrent, or blind; the clock decides.
 * The last two need the head's content first: the same content again is no change.
 */
export type Stance = 'apply' | 'noop' | 'resurrect' | 'rewrite' | 'compete'

export function stanceOf(edit: Edit, client: string, head: Head | undefined): Stance {
  if (head === undefined) return stanceOnNothing(edit)
  if (edit.deleted && head.deleted) return 'noop'
  if (edit.base === head.seq) return 'apply'
  if (edit.base === NOTHING && head.deleted) return 'apply'
  return continuesRun(edit, client, head) ? 'rewrite' : 'compete'
}

function stanceOnNothing(edit: Edit): Stance {
  if (edit.deleted) return 'noop'
  return edit.base === undefined || edit.base === NOTHING ? 'apply' : 'resurrect'
}

/**
 * Edits made before the first reply arrived all carry the base of the first, or the version of one of
 * them: whatever lies between the run's root and its end is the writer's own.
 */
function continuesRun(edit: Edit, client: string, head: Head): boolean {
  return head.by === client && edit.base !== undefined && edit.base >= head.root && edit.base < head.seq
}

/** The base that the writer's run began on, once the edit is applied. */
export function rootAfter(edit: Edit, client: string, head: Head | undefined): number {
  if (edit.base === undefined) return head?.by === client ? head.root : (head?.seq ?? NOTHING)
  return head !== undefined && continuesRun(edit, client, head) ? head.root : edit.base
}

/** Last write wins: the later effective time, then the greater client id, then the incumbent. */
export function isLater(edit: Edit, client: string, head: Head): boolean {
  return edit.at > head.at || (edit.at === head.at && client > head.by)
}
