import { expect, test } from 'vitest'
import { formatSkew } from '../../../console/src/base/format.ts'

const DAY_MS = 86_400_000

test.each([
  [999, 'none'],
  [-1_000, '1 sec fast'],
  [119_000, '119 sec slow'],
  [-120_000, '2 min fast'],
  [47 * 3_600_000, '47 hr slow'],
  [2 * DAY_MS, '2 days slow'],
  [-25_578 * DAY_MS, '25,578 days fast'],
])('tells how far a clock is off in a unit for people: %i ms', (ms, words) => {
  expect(formatSkew(ms)).toBe(words)
})
