import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatCursor, pendingAfter, resumePoint } from '../../../worker/src/core/feed/cursor.ts'
import { type Filter, narrow } from '../../../worker/src/core/values/collections.ts'
import { FOREIGN, formatVersion, parseVersion } from '../../../worker/src/core/values/version.ts'

const filters: fc.Arbitrary<Filter> = fc.option(
  fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 4 }),
)
const epochs = fc.stringMatching(/^[a-z0-9]{1,10}$/)

test('[FE6] a cursor is continued with its own filter, epoch and bounds, and with no other', () => {
  const seqs = fc.nat(1000)
  fc.assert(
    fc.property(epochs, filters, fc.record({ seq: seqs, scan: seqs }), seqs, seqs, (...arbitrary) => {
      const [epoch, filter, place, floor, head] = arbitrary
      const cursor = formatCursor(epoch, place, filter)
      const scan = place.scan > place.seq ? place.scan : 0
      const feed = { epoch, floor, head }
      const furthest = Math.max(place.seq, scan)
      const inside = furthest >= floor && furthest <= head
      expect(resumePoint(cursor, filter, feed)).toEqual(
        inside
          ? { seq: place.seq, scan, reset: null }
          : { seq: 0, scan: head, reset: furthest > head ? 'head' : 'floor' },
      )
      expect(resumePoint(cursor, filter, { ...feed, epoch: `${epoch}x` }).reset).toBe('epoch')
      const other = filter === null ? ['other'] : [...filter, 'one more']
      expect(resumePoint(cursor, other, feed).reset).toBe(furthest > head ? 'head' : 'filter')
      expect(pendingAfter(cursor, filter, feed)).toBe(inside ? head - place.seq : head)
      expect(pendingAfter(cursor, other, feed)).toBe(head)
    }),
    { seed: 5 },
  )
})

test('[FE10] a scan from nothing goes on below the floor, as long as it began above', () => {
  const began = resumePoint(null, null, { epoch: 'e', floor: 50, head: 80 })
  expect(began).toEqual({ seq: 0, scan: 80, reset: null })
  const cursor = formatCursor('e', { ...began, seq: 10 }, null)
  expect(resumePoint(cursor, null, { epoch: 'e', floor: 80, head: 90 })).toEqual({
    seq: 10,
    scan: 80,
    reset: null,
  })
  expect(resumePoint(cursor, null, { epoch: 'e', floor: 81, head: 90 }).reset).toBe('floor')
  expect(resumePoint('e.10', null, { epoch: 'e', floor: 50, head: 90 }).reset).toBe('floor')
  expect(formatCursor('e', { ...began, seq: 80 }, null)).toBe('e.80')
})

test('[FE6] neither the order of the names in a filter nor their repetition matters', () => {
  const at = { seq: 1, scan: 0 }
  expect(formatCursor('e', at, ['a', 'b', 'a'])).toBe(formatCursor('e', at, ['a', 'b']))
  expect(formatCursor('e', at, ['a', 'b'])).toBe(formatCursor('e', at, ['b', 'a']))
  expect(formatCursor('e', at, ['a', 'b'])).not.toBe(formatCursor('e', at, ['ab']))
})

test('[FE7] a filter only ever narrows what is granted', () => {
  expect(narrow(null, null)).toBeNull()
  expect(narrow(['a'], null)).toEqual(['a'])
  expect(narrow(null, ['a'])).toEqual(['a'])
  expect(narrow(['a', 'b'], ['b', 'c'])).toEqual(['b'])
})

test('[VE1] a version of another epoch, or none at all, is foreign', () => {
  expect(parseVersion(formatVersion('k3x9', 7), 'k3x9')).toBe(7)
  for (const version of [
    'k3x.7',
    'k3x9.0',
    'k3x9.07',
    'k3x9.7.1',
    'k3x9.-1',
    'k3x9.1e3',
    'k3x9',
    '',
    '7',
    `k3x9.${'9'.repeat(17)}`,
  ]) {
    expect(parseVersion(version, 'k3x9'), version).toBe(FOREIGN)
  }
})
