import fc from 'fast-check'
import { expect, test } from 'vitest'
import { merge } from '../../../worker/src/core/batch/merge.ts'
import { canonicalJson, type Json } from '../../../worker/src/core/values/json.ts'

const leaves = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.nat(3),
  fc.constantFrom('a', 'b'),
  fc.constant([1]),
)
const names = fc.constantFrom('x', 'y', 'z', '__proto__', 'a/b', 'c~d')
const { document } = fc.letrec<{ document: Json; field: Json }>((tie) => ({
  document: fc.dictionary(names, tie('field'), { maxKeys: 4, depthIdentifier: 'document' }),
  field: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaves, tie('document')),
}))

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a as Json) === canonicalJson(b as Json)
}

test('[PO3] what one side left as it was is taken from the other', () => {
  fc.assert(
    fc.property(document, document, fc.boolean(), (base, changed, later) => {
      expect(same(merge({ base, mine: changed, theirs: base }, later)?.value, changed)).toBe(true)
      expect(same(merge({ base, mine: base, theirs: changed }, later)?.value, changed)).toBe(true)
      expect(merge({ base, mine: changed, theirs: changed }, later)).toMatchObject({ paths: [] })
    }),
    { seed: 31, numRuns: 500 },
  )
})

test('[PO4] which side is mine makes no difference, only which is later', () => {
  fc.assert(
    fc.property(document, document, document, (base, a, b) => {
      const one = merge({ base, mine: a, theirs: b }, true)
      const other = merge({ base, mine: b, theirs: a }, false)
      expect(same(one?.value, other?.value)).toBe(true)
      expect(new Set(one?.paths)).toEqual(new Set(other?.paths))
    }),
    { seed: 32, numRuns: 1_000 },
  )
})

test.each<[string, Json | undefined, Json, Json, Json, string[]]>([
  [
    'objects are merged within',
    { o: { a: 1 } },
    { o: { a: 1, b: 2 } },
    { o: { a: 1, c: 3 } },
    { o: { a: 1, b: 2, c: 3 } },
    [],
  ],
  ['objects that both added are merged', {}, { o: { a: 1 } }, { o: { b: 2 } }, { o: { a: 1, b: 2 } }, []],
  [
    'objects that both made of a scalar clash',
    { o: 1 },
    { o: { a: 1 } },
    { o: { b: 2 } },
    { o: { a: 1 } },
    ['/o'],
  ],
  ['arrays are taken whole', { l: [1] }, { l: [1, 2] }, { l: [1, 3] }, { l: [1, 2] }, ['/l']],
  ['the same change on both sides is no clash', { n: 1 }, { n: 2 }, { n: 2 }, { n: 2 }, []],
  ['a field that one side removed is gone', { n: 1, m: 1 }, { m: 1 }, { n: 1, m: 2 }, { m: 2 }, []],
  ['one that the other side changed clashes', { n: 1 }, {}, { n: 2 }, {}, ['/n']],
  ['without a base all is added', undefined, { a: 1, n: 1 }, { b: 1, n: 2 }, { a: 1, b: 1, n: 1 }, ['/n']],
])('[PO3] %s', (_, base, mine, theirs, value, paths) => {
  expect(merge({ base, mine, theirs }, true)).toEqual({ value, paths })
})

test('[PO4] names of fields are escaped in pointers, once', () => {
  const sides = { base: {}, mine: { 'a/b~1': { '~0': 1 } }, theirs: { 'a/b~1': { '~0': 2 } } }
  expect(merge(sides, true)?.paths).toEqual(['/a~1b~01/~00'])
})

test.each([100, 101])('[PO4] %d clashes', (count) => {
  const side = (value: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, value]))
  const paths = merge({ base: {}, mine: side(1), theirs: side(2) }, true)?.paths
  expect(paths).toHaveLength(count === 100 ? 100 : 1)
  if (count > 100) expect(paths).toEqual([''])
})

test.each([
  [1, 8 * 1024 - 1, false],
  [1, 8 * 1024, true],
  [2, 4 * 1024 - 1, false],
  [2, 4 * 1024, true],
])('[PO4] %d pointers of %d letters and a slash: too long together is %s', (count, length, isTooLong) => {
  const side = (value: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}`.padEnd(length, 'n'), value]))
  const paths = merge({ base: side(0), mine: side(1), theirs: side(2) }, true)?.paths
  expect(paths).toEqual(isTooLong ? [''] : Object.keys(side(0)).map((name) => `/${name}`))
})

test('[SC14] each field is compared once, however deep it lies', () => {
  const looksAt = (depth: number) => {
    let looks = 0
    const leaf = (tag: number) =>
      new Proxy(Object.fromEntries([...Array(50).keys(), 'tag'].map((name) => [name, tag])), {
        get(target, name) {
          looks += 1
          return Reflect.get(target, name)
        },
      })
    const side = (tag: number): Json => {
      let value: Json = leaf(tag) as Json
      for (let level = 0; level < depth; level++) value = { w: value, b: 1 }
      return value
    }
    expect(merge({ base: side(0), mine: side(1), theirs: side(2) }, true)?.paths).toHaveLength(51)
    return looks
  }
  expect(looksAt(30)).toBe(looksAt(1))
})

test('[PO5] there are no fields to merge in anything but objects', () => {
  for (const value of [null, 1, 'a', true, [1]]) {
    expect(merge({ base: {}, mine: value, theirs: {} }, true)).toBeNull()
    expect(merge({ base: {}, mine: {}, theirs: value }, true)).toBeNull()
  }
})
