import { expect, test } from 'vitest'
import description from '../../../docs/openapi.json' with { type: 'json' }
import { MAX_COLLECTIONS, MAX_QUERY_PARAMETERS } from '../../../worker/src/core/values/limits.ts'
import { ConfigRequest } from '../../../worker/src/schema/config.ts'
import { parseImportLine } from '../../../worker/src/schema/import.ts'
import { parseBody, parseQuery, parseShape } from '../../../worker/src/schema/parse.ts'
import { ChangesQuery, LiveQuery, StatusQuery, TokensQuery } from '../../../worker/src/schema/query.ts'
import { ResealRequest } from '../../../worker/src/schema/reseal.ts'
import { parseSync, toSyncRequest } from '../../../worker/src/schema/sync.ts'
import { TokenRequest } from '../../../worker/src/schema/token.ts'

/** A value that counts how often something in it is looked at. */
function watched<T extends object>(value: T): { readonly value: T; readonly looks: () => number } {
  let looks = 0
  const get = (target: T, name: string | symbol) => {
    if (typeof name === 'string' && Object.hasOwn(target, name) && name !== 'length') looks += 1
    return Reflect.get(target, name)
  }
  return { value: new Proxy(value, { get }), looks: () => looks }
}

function numbered<T>(count: number, value: T): Record<string, T> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, value]))
}

test('[SC14] changes are counted before any of them is looked at', () => {
  const { value: changes, looks } = watched(Array<object>(349_520).fill({}))
  const fault = { code: 'too-many-changes', limit: 500, found: 349_520 }
  expect(toSyncRequest({ changes } as never)).toEqual({ ok: false, fault })
  expect(looks()).toBe(0)
})

test('[SC14] so are all other lists of a request, and the fields of a configuration', () => {
  const wide = [
    (list: object) => parseShape(ResealRequest, { spaces: list }),
    (list: object) => parseShape(TokenRequest, { subject: 's', scopes: list }),
    (list: object) => parseShape(TokenRequest, { subject: 's', scopes: ['sync:read'], collections: list }),
    (list: object) => toSyncRequest({ changes: [], collections: list } as never),
    (list: object) => parseShape(ConfigRequest, { revision: 0, identityProviders: list }),
    (list: object) => parseShape(ConfigRequest, { revision: 0, policies: list }),
  ]
  for (const parse of wide) {
    const { value, looks } = watched(Array<number>(100_000).fill(0))
    expect(parse(value)).toMatchObject({ ok: false, fault: { code: 'invalid-request' } })
    expect(looks(), parse.toString()).toBe(0)
  }
  const { value: policies, looks } = watched(numbered(100_000, 'no policy'))
  expect(parseShape(ConfigRequest, { revision: 0, policies })).toMatchObject({ ok: false })
  expect(looks()).toBe(0)
})

test('[SC14] every list that a request may hold has a most', () => {
  const lists: string[] = []
  function look(node: unknown, place: string): void {
    if (typeof node !== 'object' || node === null) return
    if ('type' in node && node.type === 'array' && !('maxItems' in node)) lists.push(place)
    for (const [name, part] of Object.entries(node)) if (name !== 'example') look(part, `${place}/${name}`)
  }
  const { schemas } = description.components
  const requests = Object.entries(schemas).filter(([name]) =>
    /Request$|^Change$|^IdentityProvider$/.test(name),
  )
  expect(requests.length).toBeGreaterThan(8)
  for (const [name, schema] of requests) look(schema, name)
  expect(lists).toEqual([])
})

test('[ER9] a query names the parameters that it should not have, or not twice', () => {
  const few = parseQuery(ChangesQuery, new URLSearchParams(numbered(MAX_QUERY_PARAMETERS, '')))
  expect(few).toMatchObject({ fault: { detail: expect.stringContaining('and 77 more') } })
  const twice = parseQuery(ChangesQuery, new URLSearchParams('limit=1&limit=2'))
  expect(twice).toMatchObject({ fault: { detail: 'limit: given more than once' } })
})

test('[ER9] a list may be parted with commas, or its name repeated, or both', () => {
  for (const schema of [ChangesQuery, LiveQuery, StatusQuery]) {
    for (const query of [
      'collections=a,b,c',
      'collections=a&collections=b&collections=c',
      'collections=a&collections=b,c',
    ]) {
      const collections = ['a', 'b', 'c']
      expect(parseQuery<object>(schema, new URLSearchParams(query))).toEqual({
        ok: true,
        value: { collections },
      })
    }
    for (const query of ['cursor=a&cursor=b', 'collections=a&collections=', 'collections=a&collections=b/']) {
      expect(parseQuery<object>(schema, new URLSearchParams(query))).toMatchObject({ ok: false })
    }
  }
  const many = (count: number) =>
    new URLSearchParams(Array.from({ length: count }, (_, n) => ['collections', `c${n}`]))
  expect(parseQuery(ChangesQuery, many(MAX_COLLECTIONS))).toMatchObject({ ok: true })
  expect(parseQuery(ChangesQuery, many(MAX_COLLECTIONS + 1))).toMatchObject({ ok: false })
  expect(parseQuery(TokensQuery, many(2))).toMatchObject({
    fault: { detail: 'Unrecognized key: "collections"' },
  })
})

test('[SC8] no message repeats a name that is longer than any field', () => {
  const credential = `adm_dev_${'a'.repeat(64)}`
  const places = [
    parseSync(JSON.stringify({ changes: [], [credential]: 1 })),
    parseSync(JSON.stringify({ changes: [{ key: 'k', timestamp: 1, [credential]: 1 }] })),
    parseBody(ConfigRequest, JSON.stringify({ revision: 0, policies: { [credential]: 'none' } })),
    parseBody(ConfigRequest, JSON.stringify({ revision: 0, policies: { [`${credential}/`]: 'lww' } })),
    parseQuery(ChangesQuery, new URLSearchParams(`${credential}=1`)),
    parseQuery(ChangesQuery, new URLSearchParams(`${credential}=1&${credential}=2`)),
    parseQuery(ChangesQuery, new URLSearchParams('x'.repeat(100_000))),
    parseSync(JSON.stringify({ changes: [], ...numbered(90_000, 0) })),
    parseSync(credential),
    parseSync(`"${credential}`),
    parseSync(`{"changes":[]}${credential}`),
    parseSync(`{"token":${credential}}`),
    parseSync(`{${credential}:1}`),
    parseSync(`{"x":"\n${credential}"}`),
    parseImportLine(credential, 7),
  ]
  for (const parsed of places) {
    const { detail } = (parsed as { fault: { detail: string } }).fault
    expect(detail).not.toContain(credential)
    expect(detail).not.toMatch(/adm|aaa/)
    expect(detail.length).toBeLessThan(120)
  }
})

test('[ER2] names an unknown field if it may be a mistyped one', () => {
  const detailOf = (fields: object) => parseSync(JSON.stringify({ changes: [], ...fields }))
  expect(detailOf({ curser: null })).toMatchObject({ fault: { detail: 'Unrecognized key: "curser"' } })
  const many = 'Unrecognized keys: "f0", "f1", "f2" and 2 more'
  expect(detailOf(numbered(5, 0))).toMatchObject({ fault: { detail: many } })
})
