import { expect, test } from 'vitest'
import type { Change } from '../../../worker/src/core/batch/change.ts'
import { toEdits } from '../../../worker/src/core/batch/change.ts'
import { growthOf, planBatch } from '../../../worker/src/core/batch/plan.ts'
import { DEFAULT_CONFIG } from '../../../worker/src/core/space/config.ts'
import { exceeded } from '../../../worker/src/core/space/quota.ts'
import { SPARE_BYTES } from '../../../worker/src/core/values/limits.ts'

const LIMIT = { entries: 10, bytes: 1000 }
const NOW = 1_795_347_000_000

test('[QU1] so many entries fit and not one more; what adds none always does', () => {
  const add = (entries: number, held: number) =>
    exceeded({ entries, content: true, traces: true }, { entries: held, bytes: 0 }, LIMIT)
  expect([add(1, 8), add(1, 9), add(1, 10)]).toEqual([null, null, 'entries'])
  expect([add(4, 5), add(5, 5), add(6, 5)]).toEqual([null, null, 'entries'])
  expect([add(0, 10), add(0, 11), add(-1, 12)]).toEqual([null, null, null])
})

test('[QU2] below so many bytes there is room for content, at them and above for none', () => {
  const store = (content: boolean, bytes: number) =>
    exceeded({ entries: 0, content, traces: true }, { entries: 0, bytes }, LIMIT)
  expect([store(true, 999), store(true, 1000), store(true, 1001)]).toEqual([null, 'bytes', 'bytes'])
  expect([store(false, 999), store(false, 1000), store(false, 1001)]).toEqual([null, null, null])
})

test('[QU2] a full space takes deletions and records into its spare bytes, then only what leaves fewer entries', () => {
  const trace = (entries: number, bytes: number) =>
    exceeded({ entries, content: false, traces: true }, { entries: 5, bytes }, LIMIT)
  const end = LIMIT.bytes + SPARE_BYTES
  expect([trace(0, end - 1), trace(0, end), trace(0, end + 1)]).toEqual([null, 'bytes', 'bytes'])
  const nothing = { entries: 0, content: false, traces: false }
  expect(exceeded(nothing, { entries: 5, bytes: end + 1 }, LIMIT)).toBeNull()
})

/** What some changes do to a space that holds `k/live`. */
function growth(...changes: readonly Partial<Change>[]) {
  const clock = { now: NOW, skew: 0 }
  const wanted = changes.map((change) => ({ key: 'k/new', timestamp: NOW - 1, ...change }))
  const edits = toEdits(wanted, { epoch: 'e', clock, granted: null })
  const live = { seq: 1, root: 0, vacant: true, at: NOW - 10, by: 'other', deleted: false, merged: 0 }
  const content = { seq: 1, previous: 0, key: 'k/live', by: 'other', at: NOW - 10, lift: 0, deleted: false }
  const plan = planBatch(edits, 'me', {
    seq: 1,
    clock,
    numbered: false,
    policy: () => DEFAULT_CONFIG.defaultPolicy,
    entry: (key) => (key === 'k/live' ? live : undefined),
    version: () => ({ timestamp: NOW, ...content, value: 1, paths: [] }),
  })
  return growthOf(plan)
}

test('[QU2] all that is stored is content, but for deletions without a value', () => {
  expect(growth({ value: 1 })).toEqual({ entries: 1, content: true, traces: true })
  expect(growth({ value: null })).toEqual({ entries: 1, content: true, traces: true })
  expect(growth({ key: 'k/live', deleted: true })).toEqual({ entries: -1, content: false, traces: false })
  expect(growth({ key: 'k/live', deleted: true, value: 'last' })).toEqual({
    entries: -1,
    content: true,
    traces: false,
  })
  expect(growth({ key: 'k/live', deleted: true }, { value: 1 })).toEqual({
    entries: 0,
    content: true,
    traces: true,
  })
  // Beside one that is applied, one that loses needs room.
  const lost = { key: 'k/gone', deleted: true, base: 'other.1' }
  expect(growth({ key: 'k/live', deleted: true }, lost).traces).toBe(false)
  // It loses, and is kept.
  const early = { key: 'k/live', timestamp: 1, base: 'other.1' }
  expect(growth({ ...early, value: 2 })).toEqual({ entries: 0, content: true, traces: true })
  expect(growth({ ...early, deleted: true })).toEqual({ entries: 0, content: false, traces: true })
})

test('[QU2] what stores nothing is none: the same content again, a rejected change, no change', () => {
  const none = { entries: 0, content: false, traces: false }
  expect(growth({ key: 'k/live', value: 1 })).toEqual(none)
  expect(growth({ key: '', value: 1 })).toEqual(none)
  expect(growth()).toEqual(none)
})
