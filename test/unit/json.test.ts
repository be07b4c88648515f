import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  canonicalJson,
  fitsBytes,
  isWellFormed,
  type Json,
  mayHoldLoneSurrogate,
} from '../../worker/src/core/json.ts'

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

test('[JS2] knows nesting and numbers that have no text', () => {
  const nested = (depth: number): Json => (depth === 0 ? 1 : [nested(depth - 1)])
  expect(canonicalJson(nested(32))).toBe(`${'['.repeat(32)}1${']'.repeat(32)}`)
  expect(canonicalJson(nested(33))).toMatchObject({ code: 'too-deep' })
  expect(canonicalJson([Number.POSITIVE_INFINITY])).toMatchObject({ code: 'number-out-of-range' })
  expect(canonicalJson(-0)).toBe('0')
})

test('[JS3] no lone surrogate gets past the quick look', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 20 }), fc.integer({ min: 0xd800, max: 0xdfff }), (text, unit) => {
      const escaped = `\\u${unit.toString(16)}`
      expect(mayHoldLoneSurrogate(`"${text}${escaped}"`)).toBe(true)
      expect(isWellFormed([{ [`${text}${String.fromCharCode(unit)}`.slice(-1)]: 1 }], 9)).toBe(false)
    }),
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
