/** Encodes the run and the merge of an entry in one number each, because the columns are those of older layouts. */
import type { EntryState } from '../../core/batch/stance.ts'
import { FOREIGN, NOTHING } from '../../core/values/version.ts'

/** The column `root`: negated if the run began on a version and the key had no value at some moment since. */
export function rootNumber({ root, vacant }: Pick<EntryState, 'root' | 'vacant'>): number {
  return vacant && root > NOTHING ? FOREIGN - root : root
}

export function runOf(stored: number): Pick<EntryState, 'root' | 'vacant'> {
  return stored < FOREIGN
    ? { root: FOREIGN - stored, vacant: true }
    : { root: stored, vacant: stored <= NOTHING }
}

/** In rows from before layout 7, a 1 in the column `merged` means that the version was merged, but not with which one. */
const MERGED = 1

export function mergedNumber(merged: number): number {
  return merged === NOTHING ? 0 : Math.max(merged, NOTHING) + MERGED
}

export function mergedOf(stored: number): number {
  if (stored === 0) return NOTHING
  return stored === MERGED ? FOREIGN : stored - MERGED
}
