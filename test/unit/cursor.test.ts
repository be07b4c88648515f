import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Filter, formatCursor, narrow, pendingAfter, positionOf } from '../../worker/src/core/cursor.ts'
import { FOREIGN, formatVersion, parseVersion } from '../../worker/src/core/version.ts'

const filters: fc.Arbitrary<Filter> = fc.option(
  fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 4 }),
)
const epochs = fc.stringMatching(/^[a-z0-9]{1,10}$/)

test('[FE6] a cursor is continued with its own filter, epoch and bounds, and with no other', () => {
  fc.assert(
    fc.property(
      epochs,
      filters,
      fc.nat(1000),
      fc.nat(1000),
      fc.nat(1000),
      (epoch, filter, seq, floor, head) => {
        const cursor = formatCursor(epoch, seq, filter)
        const feed = { epoch, floor, head }
        const inside = seq >= floor && seq <= head
        expect(positionOf(cursor, filter, feed)).toEqual(
          inside ? { after: seq, reset: false } : { after: 0, reset: true },
        )
        expect(positionOf(cursor, filter, { ...feed, epoch: `${epoch}x` }).reset).toBe(true)
        const other = filter === null ? ['other'] : [...filter, 'one more']
        expect(positionOf(cursor, other, feed).reset).toBe(true)
        expect(pendingAfter(cursor, filter, feed)).toBe(inside ? head - seq : head)
        expect(pendingAfter(cursor, other, feed)).toBe(head)
      },
    ),
    { seed: 5 },
  )
})

test('[FE6] neither the order of the names in a filter nor their repetition matters', () => {
  expect(formatCursor('e', 1, ['a', 'b'])).toBe(formatCursor('e', 1, ['b', 'a']))
  expect(formatCursor('e', 1, ['a', 'b', 'a'])).toBe(formatCursor('e', 1, ['a', 'b']))
  expect(formatCursor('e', 1, ['a', 'b'])).not.toBe(formatCursor('e', 1, ['ab']))
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
