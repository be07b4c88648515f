import { expect, test } from 'vitest'
import { MAX_KNOWN_VERSIONS } from '../../../worker/src/core/values/limits.ts'
import { knownVersions } from '../../../worker/src/objects/space/known-versions.ts'

test('knows what it was told of a version, until the version is replaced', () => {
  const known = knownVersions()
  expect(known.isCurrent(1999)).toBeUndefined()
  known.learn(1999, true)
  known.learn(2000, false)
  expect([1998, 1999, 2000, 2001].map(known.isCurrent)).toEqual([undefined, true, false, undefined])
  known.replace([1999])
  expect(known.isCurrent(1999)).toBe(false)
})

test('knows of versions in a range that it knows that they were replaced, and of no others', () => {
  const known = knownVersions()
  known.learn(1, true)
  known.replace([2, 5000])
  expect([2, 5000].map(known.isCurrent)).toEqual([false, undefined])
})

test('forgets the range that it has known longest before it knows too many', () => {
  const known = knownVersions()
  for (let seq = 0; seq <= MAX_KNOWN_VERSIONS; seq += 100) known.learn(seq, true)
  expect([999, 900, 1000, MAX_KNOWN_VERSIONS].map(known.isCurrent)).toEqual([
    undefined,
    undefined,
    true,
    true,
  ])
})
