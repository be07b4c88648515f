import { describe, expect, test } from 'vitest'
import { isReportDue, type Moment } from '../../../worker/src/core/report/report.ts'
import { shardOf } from '../../../worker/src/core/report/shards.ts'

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
    expect(isReportDue(LAST, now)).toBe(true)
  })

  test.each<[why: string, before: Partial<Moment>]>([
    ['its quota has room again', { isNearQuota: true }],
    ['its last conflict was decided', { openConflicts: 3 }],
    ['its upkeep works again', { upkeepFailures: 2 }],
  ])('when %s', (_, before) => {
    expect(isReportDue({ ...LAST, ...before }, later(10_000))).toBe(true)
  })

  test('at its first write', () => {
    expect(isReportDue(null, later(0, { seq: 1 }))).toBe(true)
  })
})

describe('[RG1] a space that has changed does not report', () => {
  test.each<[why: string, now: Moment]>([
    ['just before an hour', later(HOUR - 1)],
    ['after 999 changes', later(10_000, { seq: LAST.seq + 999 })],
    [
      'twice in ten seconds, whatever has happened',
      later(9_999, { seq: 200_000, openConflicts: 9, isNearQuota: true }),
    ],
  ])('%s', (_, now) => {
    expect(isReportDue(LAST, now)).toBe(false)
  })

  test('for another open conflict beside the first', () => {
    expect(isReportDue({ ...LAST, openConflicts: 1 }, later(10_000, { openConflicts: 2 }))).toBe(false)
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
