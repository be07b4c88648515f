import { expect, test } from 'vitest'
import { MAX_KNOWN_BLOCKS } from '../../../worker/src/core/values/limits.ts'
import { knownVersions } from '../../../worker/src/objects/space/known-versions.ts'

test('knows what it was told of a version, until the version is current no longer', () => {
  const known = knownVersions()
  expect(known.isCurrent(1999)).toBeUndefined()
  known.learn(1999, true)
  known.learn(2000, false)
  expect([1998, 1999, 2000, 2001].map(known.isCurrent)).toEqual([undefined, true, false, undefined])
  known.retire([1999])
  expect(known.isCurrent(1999)).toBe(false)
})

test('knows of versions beside those that it was told of that they are current no longer, and of no others', () => {
  const known = knownVersions()
  known.learn(1, true)
  known.retire([2, 5000])
  expect([2, 5000].map(known.isCurrent)).toEqual([false, undefined])
})

test('knows all versions of a feed of a million, and most of the versions of a longer one', () => {
  const known = knownVersions()
  for (let seq = 1; seq <= 1_000_000; seq += 50) known.learn(seq, true)
  for (let seq = 1; seq <= 1_000_000; seq += 50) expect(known.isCurrent(seq)).toBe(true)
  const last = (MAX_KNOWN_BLOCKS + 200) * 1000
  for (let seq = 1_000_001; seq <= last; seq += 500) known.learn(seq, true)
  const found = Array.from({ length: last / 1000 }, (_, index) => known.isCurrent(index * 1000 + 1))
  const left = found.filter((isCurrent) => isCurrent === true)
  expect(left).toHaveLength(MAX_KNOWN_BLOCKS)
})
