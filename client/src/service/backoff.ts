/** The first wait after a failure, and the longest, ms. */
const FIRST_MS = 500
const LONGEST_MS = 60_000

/**
 * How long to wait after so many failures in a row, ms: twice as long each time, at random from half of it, so that
 * devices that lost the service together do not come back together.
 */
export function backoffMs(failures: number, random: number): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10))
  return Math.round(longest * (0.5 + random / 2))
}
