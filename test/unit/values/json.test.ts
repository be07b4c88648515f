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

test('[JS1] the canonical text holds the value, whatever its key order', () => {
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

test('[JS1] two values have one text only if they are equal', () => {
  fc.assert(
    fc.property(anyJson, anyJson, (a, b) => {
      fc.pre(JSON.stringify(shuffled(a)) !== JSON.stringify(shuffled(b)))
      const equal = canonicalJson(a) === canonicalJson(b)
      if (equal) expect(JSON.parse(canonicalJson(a) as string)).toEqual(JSON.parse(JSON.stringify(b)))
    }),
    { seed: 2 },
  )
})

function nested(depth: number, inside: Json = []): Json {
  let value = inside
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { d: value }
  return value
}

test('[JS2] a value that nests 128 deep may be stored, and one deeper may not', () => {
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

/** Any JSON that `JSON.parse` can make, what may not be stored included. */
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

test('[JS1] values that may not be stored have one text too, if and only if they are equal', () => {
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

/** Without recursion into anything but what differs: equality by an encoding of its own. */
function isEqual(a: Json, b: Json): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [one, other] = [Object.entries(a), new Map(Object.entries(b))]
  return (
    one.length === other.size &&
    one.every(([key, item]) => other.has(key) && isEqual(item, other.get(key) as Json))
  )
}

test('[JS3] a value holds a fault if and only if UTF-8 would lose something of it', () => {
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
