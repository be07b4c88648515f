import { accepted, type Result, refused } from './result.ts'

/** The number a client gives its first batch. */
export const FIRST_BATCH = 1

/**
 * Whether a batch is the client's next one or a repetition of its last (true). Anything else is refused:
 * a number left out would be a batch lost, an older one has been answered long ago.
 */
export function isReplay(found: number, last: number | undefined): Result<boolean> {
  if (last !== undefined && found === last) return accepted(true)
  const expected = last === undefined ? FIRST_BATCH : last + 1
  if (found === expected) return accepted(false)
  if (last !== undefined && found < last) return refused({ code: 'batch-too-old', last, found })
  return refused({ code: 'batch-gap', expected, found })
}
