import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, fitsBytes, type Json, misfitIn } from '../../../worker/src/core/values/json.ts'
import { boundedPointer } from '../../../worker/src/core/values/pointer.ts'

const anyJson = fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 6 }) as fc.Arbitrary<Json>

/** The same value with the keys of every object in another order. */
function shuffled(value: Json): Json {
  if (Array.isArray(value)) return value.map(shuffled)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).reverse()
  const copy = Object.create(null) as Record<string, Json>
  for (const [key, item] of entries) copy[key] = shuffled(item as Json)
  return copy
}

test('[JS1] writes the value as one canonical text, for any key order', () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      const text = canonicalJson(value)
      expect(text).toBe(canonicalJson(shuffled(value)))
      expect(JSON.stringify(JSON.parse(text as string))).toBe(
        JSON.stringify(JSON.parse(JSON.stringify(value, sortKeys))),
      )
    }),
    { seed: 1 },
  )
})

function sortKeys(_: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The same value with one scalar or empty container in it replaced by its nearest neighbour, such as 1 by "1". */
function neighbourOf(value: Json, which: number): Json {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return `${value} `
  const keys = Object.keys(value)
  const at = keys[which % keys.length]
  if (at === undefined) return Array.isArray(value) ? {} : []
  const changed = (item: Json, key: string | number) => (String(key) === at ? neighbourOf(item, which) : item)
  if (Array.isArray(value)) return value.map(changed)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, changed(item, key)]))
}

/** A value beside itself in another order, beside its nearest neighbour, or beside any other. */
const pairs = fc
  .tuple(anyJson, anyJson, fc.nat())
  .chain(([value, other, which]) =>
    fc.tuple(fc.constant(value), fc.constantFrom(shuffled(value), neighbourOf(value, which), other)),
  )

test('[JS1] gives two values one text if and only if they are equal', () => {
  const met = { equal: 0, different: 0 }
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      const equal = isDeepStrictEqual(plain(a), plain(b))
      expect(canonicalJson(a) === canonicalJson(b)).toBe(equal)
      met[equal ? 'equal' : 'different'] += 1
    }),
    { seed: 2, numRuns: 300 },
  )
  expect(met.equal).toBeGreaterThan(50)
  expect(met.different).toBeGreaterThan(100)
})

/** The value as a JSON text brings it, with ordinary objects, and one zero. */
function plain(value: Json): unknown {
  return JSON.parse(JSON.stringify(value))
}

function nested(depth: number, inside: Json = []): Json {
  let value = inside
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { d: value }
  return value
}

test('[JS2] accepts a value that nests 128 deep, and refuses one deeper', () => {
  expect(misfitIn(nested(127))).toBeNull()
  expect(misfitIn(nested(128))).toMatchObject({ code: 'too-deep', path: { length: 128 } })
  expect(misfitIn(nested(200_000))).toMatchObject({ code: 'too-deep', path: { length: 128 } })
  const stored = nested(127, { a: '\u{1f600}' })
  expect(structuredClone(JSON.parse(JSON.stringify(stored)))).toEqual(stored)
})

test('[JS2] names the first fault in the canonical order, whatever the order of the keys', () => {
  const ways: readonly [Json, string, string][] = [
    [{ b: Number.NEGATIVE_INFINITY, a: { c: [0, '\udc00'] } }, 'lone-surrogate', '/a/c/1'],
    [{ b: '\udc00', 'a/~': Number.POSITIVE_INFINITY }, 'number-out-of-range', '/a~1~0'],
    [{ b: { '\ud800': 1 }, c: '\ud800' }, 'lone-surrogate', '/b'],
    [{ z: nested(200), y: [1, { x: '\ud800' }] }, 'lone-surrogate', '/y/1/x'],
    ['\ud800', 'lone-surrogate', ''],
    [Number.POSITIVE_INFINITY, 'number-out-of-range', ''],
    [{ ['n'.repeat(500)]: { ['m'.repeat(20)]: '\ud800' } }, 'lone-surrogate', `/${'n'.repeat(500)}`],
  ]
  for (const [value, code, pointer] of ways) {
    for (const order of [value, shuffled(value)]) {
      const misfit = misfitIn(order)
      expect(misfit?.code).toBe(code)
      expect(boundedPointer(misfit?.path ?? [])).toBe(pointer)
    }
  }
})

/** Any value that `JSON.parse` can make, including values that may not be stored. */
const anyParsed = fc.letrec<{ node: Json }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom<Json>(null, true, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '#', '[#]'),
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.constantFrom('\ud800', '\ud801', '\udc00\ud800'),
    ),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', '\ud800', '\ud801', '1'), tie('node'), {
      maxKeys: 3,
    }),
    tie('node').map((node) => nested(130, node)),
  ),
})).node

test('[JS1] gives one text to values that may not be stored too, if and only if they are equal', () => {
  fc.assert(
    fc.property(anyParsed, anyParsed, (a, b) => {
      expect(canonicalJson(a)).toBe(canonicalJson(shuffled(a)))
      expect(canonicalJson(a) === canonicalJson(b)).toBe(isEqual(a, b))
    }),
    { seed: 5 },
  )
  const wide = Array.from({ length: 40 }, (_, index) => nested(120 + index, index))
  expect(new Set(wide.map(canonicalJson)).size).toBe(40)
  expect(
    new Set(
      [
        [wide[30], 1],
        [wide[31], 1],
        [wide[30], wide[31]],
        [wide[31], wide[30]],
      ].map((value) => canonicalJson(value as Json)),
    ).size,
  ).toBe(4)
})

/** Compares values without their texts. */
function isEqual(a: Json, b: Json): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [one, other] = [Object.entries(a), new Map(Object.entries(b))]
  return (
    one.length === other.size &&
    one.every(([key, item]) => other.has(key) && isEqual(item, other.get(key) as Json))
  )
}

test('[JS3] finds a fault in a text if and only if UTF-8 would lose something of it', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.integer({ min: 0xd7ff, max: 0xe000 }),
      (text, unit) => {
        for (const value of [text, `${text}${String.fromCharCode(unit)}`]) {
          const bytes = new TextEncoder().encode(value)
          const isLost = new TextDecoder().decode(bytes) !== value.replace(/^\ufeff/, '')
          expect(misfitIn([value]) !== null).toBe(isLost)
          expect(misfitIn({ [value]: 1 }) !== null).toBe(isLost)
        }
      },
    ),
    { seed: 3 },
  )
})

test('[JS4] counts bytes as an encoder does', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.nat(120), (text, limit) => {
      fc.pre(text.isWellFormed())
      expect(fitsBytes(text, limit)).toBe(new TextEncoder().encode(text).length <= limit)
    }),
    { seed: 4 },
  )
})
