import { describe, expect, test } from 'vitest'
import { type Moment, reportDelay } from '../../../worker/src/core/report/report.ts'
import { shardOf } from '../../../worker/src/core/report/shards.ts'
import { REPORT_DELAY_MS } from '../../../worker/src/core/values/report-limits.ts'

const HOUR = 3_600_000

const LAST: Moment = {
  ...{ space: 'ann', at: 10 * HOUR, epoch: 'e', seq: 70_000 },
  ...{ isNearQuota: false, openConflicts: 0, upkeepFailures: 0 },
}

function later(ms: number, change: Partial<Moment> = {}): Moment {
  return { ...LAST, at: LAST.at + ms, seq: LAST.seq + 1, ...change }
}

describe('[RG1] a space that has changed reports', () => {
  test.each<[why: string, now: Moment]>([
    ['after an hour', later(HOUR)],
    ['after a thousand changes', later(10_000, { seq: LAST.seq + 1000 })],
    ['when its versions pass a power of two', later(10_000, { seq: 131_072 })],
    ['when nine tenths of a quota are used', later(10_000, { isNearQuota: true })],
    ['when a conflict is open', later(10_000, { openConflicts: 1 })],
    ['when its upkeep fails', later(10_000, { upkeepFailures: 1 })],
    ['in a new epoch, at once', later(1, { epoch: 'f', seq: 1 })],
    ['after its clock was set back', later(-2 * HOUR)],
  ])('%s', (_, now) => {
    expect(reportDelay(LAST, now)).toBe(REPORT_DELAY_MS)
  })

  test.each<[why: string, before: Partial<Moment>]>([
    ['its quota has room again', { isNearQuota: true }],
    ['its last conflict was decided', { openConflicts: 3 }],
    ['its upkeep works again', { upkeepFailures: 2 }],
  ])('when %s', (_, before) => {
    expect(reportDelay({ ...LAST, ...before }, later(10_000))).toBe(REPORT_DELAY_MS)
  })

  test('at its first write', () => {
    expect(reportDelay(null, later(0, { seq: 1 }))).toBe(REPORT_DELAY_MS)
  })
})

describe('[RG1] a space that has changed does not report', () => {
  test.each<[why: string, now: Moment]>([
    ['just before an hour', later(HOUR - 1)],
    ['after 999 changes', later(10_000, { seq: LAST.seq + 999 })],
    ['twice in ten seconds', later(9_700, { seq: 200_000 })],
  ])('%s', (_, now) => {
    expect(reportDelay(LAST, now)).toBeNull()
  })

  test('before ten seconds have passed, even if an operator is needed', () => {
    expect(reportDelay(LAST, later(4_000, { seq: 200_000, openConflicts: 1 }))).toBe(6_000)
    expect(reportDelay(LAST, later(9_999, { isNearQuota: true }))).toBe(REPORT_DELAY_MS)
  })

  test('for another open conflict beside the first', () => {
    expect(reportDelay({ ...LAST, openConflicts: 1 }, later(10_000, { openConflicts: 2 }))).toBeNull()
  })
})

test('[RG3] finds a space in the shard where it was first reported, in every release', () => {
  expect(['ann', 'ben', 'team/7', 'https://login.example/#sub=1', '\u{1f600}'].map(shardOf)).toEqual([
    '0',
    '2',
    '2',
    '3',
    '0',
  ])
})
