/** The entries that one client edits. */
export interface Entries {
  /** The keys of the next batch, all different. Goes through all entries in random order, again and again. */
  pick(size: number): readonly string[]
}

/** The number of entries of a filled space that are edited, at most. */
export const EDITED = 10_000

const BODY = 'lorem ipsum '.repeat(13)

export function entriesOf(part: number, count: number): Entries {
  return entriesNamed(Array.from({ length: count }, (_, index) => `n/${part}-${index}`))
}

/** Entries with the given keys. */
export function entriesNamed(names: readonly string[]): Entries {
  const keys = shuffled([...names])
  const count = keys.length
  let next = 0
  return {
    pick(size) {
      const start = next + size > count ? 0 : next
      next = start + size
      return keys.slice(start, next)
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

/** Shuffles in place (Fisher and Yates). */
function shuffled(keys: string[]): readonly string[] {
  for (let index = keys.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1))
    const [key = '', found = ''] = [keys[index], keys[other]]
    keys[index] = found
    keys[other] = key
  }
  return keys
}

/** The JSON text of a document of about 250 bytes. The texts of two rounds differ. */
export function documentText(key: string, round: number): string {
  return `{"id":"${key}","title":"Entry ${round}","tags":["a","b"],"done":${round % 2 === 0},"body":"${BODY}"}`
}
