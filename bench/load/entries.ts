/** The entries that one client edits. */
export interface Entries {
  /** The keys of the next batch, all different. Goes through all entries in random order, again and again. */
  pick(size: number): readonly string[]
}

const BODY = 'lorem ipsum '.repeat(13)

/** The collection of the entries of a client. */
export function collectionOf(part: number): string {
  return `c${part}`
}

export function entriesOf(part: number, count: number): Entries {
  const keys = shuffled(Array.from({ length: count }, (_, index) => `${collectionOf(part)}/${index}`))
  let next = 0
  return {
    pick(size) {
      const start = next + size > count ? 0 : next
      next = start + size
      return keys.slice(start, next)
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
