import type { EntryState } from '../../core/batch/stance.ts'
import { MAX_RECENT_ENTRIES } from '../../core/values/limits.ts'

/**
 * The entry rows that were read or written last, so that a key that is edited again is not read again. Only the space
 * writes its rows, so they stay true until they are forgotten.
 */
export interface RecentEntries {
  /** The entry of a name; undefined if it is not known. */
  get(name: string): EntryState | undefined
  put(name: string, entry: EntryState): void
  /** Forgets everything: call it when rows were deleted, or a transaction has failed. */
  forget(): void
}

export function recentEntries(): RecentEntries {
  // Two halves: when the newer one is full, it becomes the older one. A row that is used moves into the newer one.
  let newer = new Map<string, EntryState>()
  let older: typeof newer = new Map()

  function put(name: string, entry: EntryState): void {
    newer.set(name, entry)
    if (newer.size <= MAX_RECENT_ENTRIES / 2) return
    older = newer
    newer = new Map()
  }

  return {
    get(name) {
      const found = newer.get(name)
      if (found !== undefined) return found
      const before = older.get(name)
      if (before !== undefined) put(name, before)
      return before
    },

    put,

    forget() {
      newer = new Map()
      older = new Map()
    },
  }
}
