import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseShape } from '../../../worker/src/schema/parse.ts'
import { Change, SyncRequest, toSyncRequest } from '../../../worker/src/schema/request/sync.ts'

const FIELDS = Object.keys(Change.shape) as readonly (keyof typeof Change.shape)[]

/** Values that some field takes, beside their near misses. */
const anyValue = fc.oneof(
  fc.constantFrom<unknown>('k', '', 'e.1', null, true, false, 0, -1, 1.5, -0, {}, [], ['k'], { key: 'k' }),
  fc.constantFrom<unknown>(1e308, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '\ud800', '1'),
)

/** A change whose fields fit, with some fields of any value, of another name, or none. */
const anyChange = fc
  .record({
    fit: fc.record(
      {
        key: fc.string(),
        value: anyValue,
        deleted: fc.boolean(),
        timestamp: fc.oneof(fc.double({ noNaN: true }), fc.constant(Number.POSITIVE_INFINITY)),
        base: fc.option(fc.string()),
        baseValue: anyValue,
        baseDeleted: fc.boolean(),
      },
      { requiredKeys: ['key', 'timestamp'] },
    ),
    odd: fc.dictionary(
      fc.constantFrom(...FIELDS, 'Key', 'constructor', 'toString', '__proto__', '0'),
      anyValue,
      { maxKeys: 1 },
    ),
    kind: fc.constantFrom('fit', 'fit', 'fit', 'odd', 'both', 'none'),
    none: anyValue,
  })
  .map(({ fit, odd, kind, none }) => {
    if (kind === 'none') return none
    return kind === 'fit' ? fit : kind === 'odd' ? odd : Object.assign(Object.create(null), fit, odd)
  })

/** One body in two has an envelope that fits. */
const anyBody = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: fc.array(anyChange, { maxLength: 3 }) }, anyValue),
    fc.constantFrom(
      { batch: 1 },
      { batch: 1, clientTime: 5.5, cursor: null },
      { batch: 0 },
      { batch: 1, other: 1 },
    ),
  )
  .map(([changes, envelope]) => ({ ...envelope, changes }))

/** The body as `JSON.parse` makes it. An infinity stays one. */
function parsed(body: unknown): unknown {
  const text = JSON.stringify(body, (_, value) => {
    return value === Number.POSITIVE_INFINITY
      ? '1e999'
      : value === Number.NEGATIVE_INFINITY
        ? '-1e999'
        : value
  })
  return JSON.parse(text.replaceAll(/"(-?1e999)"/g, '$1'))
}

test('[ER2] takes and refuses a batch exactly as the schema does, also where it is not asked', () => {
  const met = { same: 0, copied: 0, refused: 0 }
  fc.assert(
    fc.property(anyBody, (body) => {
      const json = parsed(body)
      const byShape = parseShape(SyncRequest, json)
      const result = toSyncRequest(json as never)
      if (!byShape.ok) {
        met.refused += 1
        expect(result).toEqual(byShape)
      } else if (result.ok) {
        const { changes } = json as { changes: unknown }
        met[result.value.changes === changes ? 'same' : 'copied'] += 1
        expect(result).toStrictEqual(byShape)
      } else
        expect(result.fault).toMatchObject({
          detail: expect.stringMatching(/both base|timestamp: is missing/),
        })
    }),
    { seed: 16, numRuns: 5000 },
  )
  for (const count of Object.values(met)) expect(count).toBeGreaterThan(20)
})

test.each(FIELDS)('[ER2] takes a change with the field %s as it came, without a copy', (field) => {
  const values = {
    key: 'k',
    base: 'e.1',
    timestamp: 1,
    deleted: true,
    baseDeleted: true,
    value: 1,
    baseValue: {},
  }
  expect(Object.keys(values).toSorted()).toEqual(FIELDS.toSorted())
  const changes = [{ key: 'k', timestamp: 1, [field]: values[field] }]
  const result = toSyncRequest({ changes })
  expect(result.ok && result.value.changes).toBe(changes)
})
