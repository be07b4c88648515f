import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { configure, type Device, device, newSpace, send, twoDevices } from '../../support/worker/client.ts'
import { type Follower, follow } from '../../support/worker/follower.ts'

const T = 1_795_347_000_000

/** Request of a device whose queue holds nearly everything that can be wrong with a single change. */
const QUEUE = `{"batch":1,"changes":[${[
  `{"key":"n/emoji","value":"party \\ud83d","timestamp":${T}}`,
  `{"key":"n/deep","value":{"doc":${'['.repeat(2000)}${']'.repeat(2000)}},"timestamp":${T}}`,
  `{"key":"n/list","value":${'['.repeat(60)}"bullet"${']'.repeat(60)},"timestamp":${T}}`,
  `{"key":"n/huge","value":{"a/b":[0,-1e999]},"timestamp":${T}}`,
  `{"key":"n/fraction","value":1,"timestamp":${T}.75}`,
  `{"key":"n/\\udc00","value":1,"timestamp":${T}}`,
  `{"key":"n/base","value":1,"baseValue":{"\\ud800":1},"timestamp":${T}}`,
  `{"key":"n/when","value":1,"timestamp":1e999}`,
  `{"key":"n/good","value":1,"timestamp":${T}}`,
].join(',')}]}`

const OUTCOME = {
  success: false,
  synced: ['n/list', 'n/fraction', 'n/good'],
  conflicts: [],
  results: [
    { key: 'n/emoji', status: 'rejected', code: 'lone-surrogate', path: '/value' },
    { key: 'n/deep', status: 'rejected', code: 'too-deep', path: `/value/doc${'/0'.repeat(127)}` },
    { key: 'n/list', status: 'applied', version: expect.any(String) },
    { key: 'n/huge', status: 'rejected', code: 'number-out-of-range', path: '/value/a~1b/1' },
    { key: 'n/fraction', status: 'applied', version: expect.any(String), effectiveTimestamp: T },
    { key: 'n/\ufffd', status: 'rejected', code: 'invalid-key' },
    { key: 'n/base', status: 'rejected', code: 'lone-surrogate', path: '/baseValue' },
    { key: 'n/when', status: 'rejected', code: 'invalid-timestamp' },
    { key: 'n/good', status: 'applied', version: expect.any(String) },
  ],
}

/** Pushes a request as text, because `JSON.stringify` cannot write all of them. */
type Push = (text: string) => Promise<{ readonly status: number; readonly body: Record<string, unknown> }>

function overHttp({ session }: Device): Push {
  return (text) => send('POST', '/api/sync', { text, bearer: session })
}

function onSocket(socket: Follower): Push {
  return async (text) => {
    socket.say(`{"type":"push","id":"q","body":${text}}`)
    for (;;) {
      const frame = await socket.next()
      if (frame.type === 'ack') return frame
    }
  }
}

async function pushes(): Promise<readonly (readonly [string, Device, Push])[]> {
  const [a, b] = [await device(), await device()]
  return [
    ['HTTP', a, overHttp(a)],
    ['socket', b, onSocket(await follow(b))],
  ]
}

test('[ER11] rejects a faulty change alone, names the path, and leaves the queue free', async () => {
  for (const [where, { get }, push] of await pushes()) {
    const { status, body } = await push(QUEUE)
    expect(status, JSON.stringify(body).slice(0, 500)).toBe(200)
    expect(body, where).toMatchObject({ ...OUTCOME, replayed: false })
    expect(body.results).toEqual(OUTCOME.results)
    const again = await push(QUEUE)
    expect(again.body, where).toMatchObject({ results: OUTCOME.results, replayed: true })
    const next = await push(`{"batch":2,"changes":[{"key":"n/next","value":2,"timestamp":${T}}]}`)
    expect(next.body, where).toMatchObject({ success: true, synced: ['n/next'] })
    const list = (await get('/api/entries?key=n/list')).body.value
    expect(JSON.stringify(list)).toBe(`${'['.repeat(60)}"bullet"${']'.repeat(60)}`)
    for (const key of ['n/emoji', 'n/deep', 'n/huge', 'n/base', 'n/when', 'n/%EF%BF%BD'])
      expect((await get(`/api/entries?key=${key}`)).status, key).toBe(404)
  }
})

test('[BA9] treats a corrected change under the number of the rejected one as another batch, but not another key order', async () => {
  const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const pairs: [sent: string, mended: string][] = [
    ['"value":[1e999]', '"value":[null]'],
    ['"value":1e999', '"value":-1e999'],
    ['"value":"\\ud83d"', '"value":"\\ud83e"'],
    ['"value":"\\ud83d"', '"value":"\\ufffd"'],
    ['"value":{"\\ud83d":1}', '"value":{"\\ud83e":1}'],
    [`"value":${deep(2000)}`, `"value":${deep(2001)}`],
    [`"value":${deep(200_000)}`, `"value":${deep(199_999)}`],
    [`"value":${deep(129)}`, `"value":${deep(128)}`],
    ['"value":1,"baseValue":[1e999]', '"value":1,"baseValue":[null]'],
    ['"value":1,"baseValue":1e999,"baseDeleted":true', '"value":1,"baseValue":2,"baseDeleted":true'],
    ['"deleted":true,"value":1e999', '"deleted":true,"value":null'],
    ['"value":1,"base":"\\ud800"', '"value":1,"base":"\\ud801"'],
  ]
  for (const [sent, mended] of pairs) {
    const push = overHttp(await device())
    const batch = (fields: string) => `{"batch":1,"changes":[{"key":"k","timestamp":1,${fields}}]}`
    const first = await push(batch(sent))
    expect(first.status, sent.slice(0, 60)).toBe(200)
    expect((await push(batch(sent))).body, sent.slice(0, 60)).toMatchObject({
      replayed: true,
      results: first.body.results,
    })
    expect((await push(batch(mended))).body, sent.slice(0, 60)).toMatchObject({ code: 'batch-mismatch' })
  }
  const push = overHttp(await device())
  const order = (value: string) => `{"batch":1,"changes":[{"key":"k","timestamp":1,"value":${value}}]}`
  const first = await push(order('{"b":{"d":1e999,"c":"\\ud800"},"a":1}'))
  expect(first.body.results).toEqual([
    { key: 'k', status: 'rejected', code: 'lone-surrogate', path: '/value/b/c' },
  ])
  const again = await push(order('{"a":1,"b":{"c":"\\ud800","d":1e999}}'))
  expect(again.body).toMatchObject({ replayed: true, results: first.body.results })
})

test('[ER11] treats a base or cursor that is no text as unknown, and not as a fault', async () => {
  const a = await device()
  await a.sync({ changes: [{ key: 'n/1', value: 1, timestamp: T }] })
  const push = overHttp(a)
  const pulled = await push('{"changes":[],"cursor":"\\ud800"}')
  expect(pulled).toMatchObject({ status: 200, body: { reset: true, resetReason: 'cursor' } })
  const change = (base: string) => `{"key":"n/1","value":2,"timestamp":1,"base":${base}}`
  const { body } = await push(`{"changes":[${change('"\\udc00"')}]}`)
  expect(body.results).toMatchObject([{ status: 'superseded' }])
  const other = await push(`{"changes":[${change('"no version"')}]}`)
  expect(other.body.results).toMatchObject([{ status: 'superseded' }])
})

test('[ER11] refuses an atomic batch with the path of the fault, and uses up no number', async () => {
  const push = overHttp(await device())
  const batch = (value: string) =>
    `{"batch":1,"atomic":true,"changes":[{"key":"n/1","value":1,"timestamp":1},{"key":"n/2","value":${value},"timestamp":1}]}`
  const refused = await push(batch('{"a":"\\ud800"}'))
  expect(refused).toMatchObject({ status: 409, body: { code: 'atomic-failed' } })
  expect(refused.body.results).toMatchObject([
    {},
    { status: 'rejected', code: 'lone-surrogate', path: '/value/a' },
  ])
  expect((await push(batch('{"a":"mended"}'))).body).toMatchObject({ success: true, replayed: false })
})

async function valueAt(by: Device, key: string): Promise<unknown> {
  return (await by.get(`/api/entries?key=${key}`)).body.value
}

/** Object with unsorted keys. Whole numbers come first in every JavaScript engine. */
const UNSORTED = '{"2":"two","10":"ten","b":{"z":[{"y":1,"x":2}],"__proto__":3,"a":4},"a":5,"é":6,"B":7}'

test('[JS5] returns a value with its keys in their original order, on every path', async () => {
  const { space, a, b } = await newSpace()
  const value = JSON.parse(UNSORTED)
  const textOf = (shown: unknown) => JSON.stringify(shown)
  expect(textOf(value)).toBe(UNSORTED)
  const [first] = (await a.sync({ changes: [{ key: 'n/1', value, timestamp: T, base: null }] })).body.results
  const noop = await b.sync({
    changes: [
      {
        key: 'n/1',
        value: Object.fromEntries(Object.entries(value).reverse()),
        timestamp: T + 1,
        base: null,
      },
    ],
    cursor: null,
  })
  expect(noop.body.results[0].status).toBe('noop')
  expect(textOf(noop.body.changes[0].value)).toBe(UNSORTED)
  expect(textOf(await valueAt(b, 'n/1'))).toBe(UNSORTED)
  expect(textOf((await b.get('/api/changes')).body.changes[0].value)).toBe(UNSORTED)
  expect(textOf((await b.get('/api/history?key=n/1')).body.versions[0].value)).toBe(UNSORTED)
  const lost = await b.sync({ changes: [{ key: 'n/1', value: 1, timestamp: T + 2, base: null }] })
  expect(textOf(lost.body.conflicts[0].loser.value)).toBe(UNSORTED)
  expect(textOf((await a.get('/api/conflicts')).body.conflicts[0].loser.value)).toBe(UNSORTED)
  await a.sync({ changes: [{ key: 'n/1', deleted: true, value, timestamp: T + 3 }] })
  expect(textOf((await b.get('/api/changes')).body.changes[0].value)).toBe(UNSORTED)
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect(textOf((await b.get('/api/history?key=n/1')).body.versions.at(-1).value)).toBe(UNSORTED)
  expect(first.status).toBe('applied')
})

test("[JS5] matches a baseValue in any key order, and keeps the order of a decision's value", async () => {
  await configure({ policies: { m: 'manual' } })
  const [a, b] = await twoDevices()
  const value = JSON.parse(UNSORTED)
  await a.sync({ changes: [{ key: 'm/1', value, timestamp: T, base: null }] })
  const baseValue = Object.fromEntries(Object.entries(value).reverse())
  const edit = await b.sync({ changes: [{ key: 'm/1', value: { z: 1, a: 2 }, timestamp: 1, baseValue }] })
  expect(edit.body).toMatchObject({ results: [{ status: 'applied' }], conflicts: [] })
  const beside = await a.sync({ changes: [{ key: 'm/1', value, timestamp: T, baseValue }] })
  const [{ id, winner }] = beside.body.conflicts
  const path = `/api/conflicts/${id}/resolve`
  await send('POST', path, { body: { choice: 'value', value, base: winner.version }, bearer: a.session })
  expect(JSON.stringify(await valueAt(b, 'm/1'))).toBe(UNSORTED)
})

test('[JS5] keeps the key order of the current value in a merge, and appends new fields', async () => {
  await configure({ policies: { m: 'merge' } })
  const [a, b] = await twoDevices()
  const put = async (by: Device, value: object, base: string | null) =>
    (await by.sync({ changes: [{ key: 'm/1', value, timestamp: T, base }] })).body.results[0]
  const { version } = await put(a, { z: 0, y: { n: 0, m: 0 }, a: 0 }, null)
  await put(a, { z: 0, y: { n: 1, m: 0 }, a: 0, k: 1 }, version)
  const merged = await put(b, { c: 2, a: 2, y: { l: 2, m: 0, n: 0 }, z: 0 }, version)
  const made = '{"z":0,"y":{"n":1,"m":0,"l":2},"a":2,"k":1,"c":2}'
  expect(JSON.stringify(merged.value)).toBe(made)
  expect(JSON.stringify(await valueAt(a, 'm/1'))).toBe(made)
})
