import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, type Json, misfitIn } from '../../../worker/src/core/values/json.ts'
import { type KeyOrders, textsOf } from '../../../worker/src/core/values/texts.ts'

/** Names that sort unlike the engine lists them, that are no ordinary assignment, and that may not be stored. */
const NAMES = [
  'a',
  'b',
  'B',
  'é',
  '9',
  '10',
  '-1',
  '01',
  '',
  '__proto__',
  'constructor',
  'toJSON',
  '"',
  '\ud800',
]

const anyValue = fc.letrec<{ node: Json }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom<Json>(null, true, 0, -0, 1e21, 1.5, 'a', '"\\\n', '\u2028', '\u{1f600}'),
      fc.constantFrom<Json>(Number.POSITIVE_INFINITY, '\ud800', '\udc00'),
    ),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom(...NAMES), tie('node')), { maxLength: 4 }).map(objectOf),
  ),
})).node

/** An object as `JSON.parse` makes it: every name is a field of its own. */
function objectOf(fields: readonly (readonly [string, Json])[]): Json {
  return Object.fromEntries(fields)
}

test('[JS1] writes the canonical text, the text as it came and the fitness of any value, also after others', () => {
  const met = { fit: 0, unfit: 0, unsorted: 0 }
  fc.assert(
    fc.property(fc.array(anyValue, { maxLength: 4 }), (values) => {
      const orders: KeyOrders = []
      for (const value of values) {
        const { canonical, json, isFit } = textsOf(value, orders)
        expect(canonical).toBe(canonicalJson(value))
        expect(isFit).toBe(misfitIn(value) === null)
        if (isFit) expect(json).toBe(JSON.stringify(value))
        met[isFit ? 'fit' : 'unfit'] += 1
        if (isFit && json !== canonical) met.unsorted += 1
      }
    }),
    { seed: 16, numRuns: 3000 },
  )
  for (const count of Object.values(met)) expect(count).toBeGreaterThan(100)
})

test('[JS2] finds a value fit that nests 128 deep, and none deeper', () => {
  const nested = (depth: number): Json =>
    JSON.parse(`${'[{"b":'.repeat(depth / 2)}0${'}]'.repeat(depth / 2)}`)
  expect(textsOf(nested(128), [])).toMatchObject({ isFit: true, canonical: JSON.stringify(nested(128)) })
  expect(textsOf(nested(130), [])).toMatchObject({ isFit: false, canonical: canonicalJson(nested(130)) })
})
