/** How the rows of heads tell of runs and merges in one number each: the columns are those of older layouts. */
import type { EntryState } from '../../core/batch/stance.ts'
import { FOREIGN, NOTHING } from '../../core/values/version.ts'

/** The root of a run as its row holds it: a negative one where nothing stood at some moment after a version. */
export function rootNumber({ root, vacant }: Pick<EntryState, 'root' | 'vacant'>): number {
  return vacant && root > NOTHING ? FOREIGN - root : root
}

export function runOf(stored: number): Pick<EntryState, 'root' | 'vacant'> {
  return stored < FOREIGN
    ? { root: FOREIGN - stored, vacant: true }
    : { root: stored, vacant: stored <= NOTHING }
}

/** Until layout 7, 1 said that a head was merged, and not with what. */
const MERGED = 1

export function mergedNumber(merged: number): number {
  return merged === NOTHING ? 0 : Math.max(merged, NOTHING) + MERGED
}

export function mergedOf(stored: number): number {
  if (stored === 0) return NOTHING
  return stored === MERGED ? FOREIGN : stored - MERGED
}
