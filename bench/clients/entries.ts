/** The entries that one client edits. */
export interface Entries {
  /** The keys of the next batch, all different. */
  pick(size: number): readonly string[]
}

/** The number of entries of a filled space that are edited, at most. */
export const EDITED = 10_000

const BODY = 'lorem ipsum '.repeat(13)

export function entriesOf(part: number, count: number): Entries {
  return entriesNamed(Array.from({ length: count }, (_, index) => `n/${part}-${index}`))
}

/**
 * Entries with the given keys. As long as enough of them are left, a batch picks those that no batch had, and from then
 * on any of them, at random. Batches that always hold the same keys would flatter a table whose rows lie in the order of
 * their last edit.
 */
export function entriesNamed(names: readonly string[]): Entries {
  const keys = [...names]
  let next = 0
  return {
    pick(size) {
      const start = next + size > keys.length ? 0 : next
      next = start === next ? next + size : keys.length
      for (let at = start; at < start + size; at++) swap(keys, at, randomBetween(at, keys.length))
      return keys.slice(start, start + size)
    },
  }
}

/** The key of an entry of a space that was filled before it is measured. */
export function filledKey(index: number): string {
  return `n/${String(index).padStart(7, '0')}`
}

/** New entries that are neighbours of each other, in the midst of those of a filled space. */
export function neighbours(part: number): Entries {
  let next = 0
  return {
    pick(size) {
      next += size
      return Array.from({ length: size }, (_, index) => `n/00002.${part}.${1_000_000 + next - size + index}`)
    },
  }
}

/** A whole number from `start` on and below `end`. */
function randomBetween(start: number, end: number): number {
  return start + Math.floor(Math.random() * (end - start))
}

function swap(keys: string[], at: number, other: number): void {
  const [key = '', found = ''] = [keys[at], keys[other]]
  keys[at] = found
  keys[other] = key
}

/** The JSON text of a document of about 250 bytes. The texts of two rounds differ. */
export function documentText(key: string, round: number): string {
  return `{"id":"${key}","title":"Entry ${round}","tags":["a","b"],"done":${round % 2 === 0},"body":"${BODY}"}`
}
