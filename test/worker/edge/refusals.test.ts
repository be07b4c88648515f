import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { ROUTES } from '../../../worker/src/http/router.ts'
import { call, configure, type Device, device, mint, newSpace, send } from '../../support/worker/client.ts'
import { follow } from '../../support/worker/follower.ts'

const T = Date.now() - 60_000

const good = '{"changes":[{"key":"n/1","value":1,"timestamp":1}]}'

interface Sent {
  readonly headers?: Record<string, string>
  readonly body: BodyInit
}

/** Sends a body as it is, and expects a problem of this code and nothing stored. */
async function refused(by: Device, { headers, body }: Sent, [status, code]: [number, string]): Promise<void> {
  const response = await call('/api/sync', {
    method: 'POST',
    headers: { authorization: `Bearer ${by.session}`, 'content-type': 'application/json', ...headers },
    body,
  })
  const problem = (await response.json()) as Record<string, unknown>
  expect(problem, code).toMatchObject({ status, code, success: false, conflicts: [], synced: [] })
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(String(problem.detail).length).toBeGreaterThan(10)
  expect((await by.get('/api/status')).body).toMatchObject({ lastSync: null, entries: 0 })
}

test('[ER1] refuses a body that is not JSON, not UTF-8 or not text', async () => {
  const a = await device()
  for (const body of ['', 'hello', '{"changes":[', `${good}x`, "{'changes':[]}"]) {
    await refused(a, { body }, [400, 'not-json'])
  }
  const bytes = new TextEncoder().encode('{"changes":[{"key":"n/x","value":"yy","timestamp":1}]}')
  bytes[bytes.indexOf(0x79)] = 0xff
  await refused(a, { body: bytes }, [400, 'not-utf8'])
})

test('[ER1] accepts a body that begins with a byte order mark', async () => {
  const a = await device()
  const { body } = await send('POST', '/api/sync', { text: `\ufeff${good}`, bearer: a.session })
  expect(body.success).toBe(true)
})

test('[ER1] accepts an escaped pair of surrogates, which is text', async () => {
  const a = await device()
  const { body } = await a.sync(
    JSON.parse('{"changes":[{"key":"n/1","value":"\\ud83d\\ude00","timestamp":1}]}'),
  )
  expect(body.success).toBe(true)
})

test('[ER2] refuses a body of another shape and names the path', async () => {
  const a = await device()
  const shapes: [string, string][] = [
    ['[]', 'expected object'],
    ['null', 'expected object'],
    ['{}', 'changes: is missing'],
    ['{"changes":{}}', 'changes'],
    ['{"changes":[1]}', 'changes[0]'],
    ['{"changes":[{"key":5,"value":1,"timestamp":1}]}', 'changes[0].key'],
    ['{"changes":[{"value":1,"timestamp":1}]}', 'changes[0].key'],
    ['{"changes":[{"key":"k","value":1,"timestamp":"1"}]}', 'changes[0].timestamp'],
    ['{"changes":[{"key":"k","value":1}]}', 'changes[0].timestamp'],
    ['{"changes":[{"key":"k","value":1,"timestamp":1,"base":7}]}', 'changes[0].base'],
    ['{"changes":[{"key":"k","deleted":"yes","timestamp":1}]}', 'changes[0].deleted'],
    ['{"changes":[{"key":"k","value":1,"timestamp":1,"extra":1}]}', 'extra'],
    ['{"changes":[],"extra":1}', 'extra'],
    ['{"changes":[],"__proto__":{"batch":1}}', '__proto__'],
    ['{"changes":[{"key":"k","value":1,"timestamp":1,"__proto__":{}}]}', '__proto__'],
    ['{"changes":[],"batch":0}', 'batch'],
    ['{"changes":[],"batch":1.5}', 'batch'],
    ['{"changes":[],"clientTime":-1}', 'clientTime'],
    ['{"changes":[],"limit":0}', 'limit'],
    ['{"changes":[],"limit":501}', 'limit'],
    ['{"changes":[],"atomic":1}', 'atomic'],
    ['{"changes":[],"collections":"k"}', 'collections'],
    ['{"changes":[],"cursor":1}', 'cursor'],
    ['{"changes":[],"clientId":"a b"}', 'clientId'],
  ]
  for (const [body, place] of shapes) {
    const response = await call('/api/sync', {
      method: 'POST',
      headers: { authorization: `Bearer ${a.session}`, 'content-type': 'application/json' },
      body,
    })
    const problem = (await response.json()) as { detail: string; code: string }
    expect(`${response.status} ${problem.code}`, body).toBe('422 invalid-request')
    expect(problem.detail, body).toContain(place)
  }
  expect((await a.get('/api/status')).body.lastSync).toBeNull()
})

test('[ER1] refuses a body other than a batch for its fault and names the path', async () => {
  const a = await device()
  const [auth, resolve] = ['/api/auth', '/api/conflicts/1/resolve']
  const value = (text: string) => `{"choice":"value","base":null,"value":${text}}`
  const secret = `adm_dev_${'a'.repeat(64)}`
  const cases: [string, string, string, string][] = [
    [auth, '{"token":"\\ud800"}', 'lone-surrogate', ' at /token contains'],
    [auth, `{"${secret}":{"x":[1,"\\udfff"]}}`, 'lone-surrogate', ' at /…/x/1 contains'],
    [auth, '"\\ud800"', 'lone-surrogate', 'A string contains'],
    [resolve, value('{"\\ud800":1}'), 'lone-surrogate', ' at /value contains'],
    [resolve, value('{"a":[-1e999]}'), 'number-out-of-range', ' at /value/a/0 is outside'],
  ]
  for (const [path, text, code, place] of cases) {
    const { status, body } = await send('POST', path, { text, bearer: a.session })
    expect(`${status} ${body.code}`, text).toBe(`400 ${code}`)
    expect(body.detail, text).toContain(place)
    expect(body.detail).not.toContain(secret)
  }
})

test('[ER3] accepts a value that nests 128 deep and none deeper, whatever the nesting', async () => {
  const a = await device()
  const objects = `${'{"a":'.repeat(129)}1${'}'.repeat(129)}`
  for (const value of ['['.repeat(129) + ']'.repeat(129), '['.repeat(1000) + ']'.repeat(1000), objects]) {
    const text = `{"choice":"value","base":null,"value":${value}}`
    const { body } = await send('POST', '/api/conflicts/1/resolve', { text, bearer: a.session })
    expect(body).toMatchObject({ status: 400, code: 'too-deep' })
    expect(body.detail).toContain('at /value/')
  }
  const text = `{"choice":"value","base":null,"value":${objects.replace('{"a":', '').replace('}', '')}}`
  const { body } = await send('POST', '/api/conflicts/1/resolve', { text, bearer: a.session })
  expect(body.code).toBe('not-found')
})

test('[ER3] stores, feeds and merges a value that nests 128 deep unchanged', async () => {
  const { a, b } = await newSpace()
  await configure({ policies: { m: 'merge' } })
  const deep = (leaf: unknown) => JSON.parse(`${'{"a":'.repeat(127)}{"b":${leaf}}${'}'.repeat(127)}`)
  const [first] = (await a.sync({ changes: [{ key: 'm/1', value: deep(1), timestamp: T, base: null }] })).body
    .results
  expect(first.status).toBe('applied')
  const side = JSON.parse(`${'{"a":'.repeat(127)}{"b":1,"c":2}${'}'.repeat(127)}`)
  await a.sync({ changes: [{ key: 'm/1', value: side, timestamp: T + 1, base: first.version }] })
  const merged = (
    await b.sync({ changes: [{ key: 'm/1', value: deep(3), timestamp: T + 2, base: first.version }] })
  ).body
  expect(merged.results[0]).toMatchObject({ status: 'merged' })
  const both = JSON.parse(`${'{"a":'.repeat(127)}{"b":3,"c":2}${'}'.repeat(127)}`)
  expect(merged.results[0].value).toEqual(both)
  expect((await a.get('/api/changes')).body.changes[0].value).toEqual(both)
  expect((await a.get('/api/history?key=m/1')).body.versions[0].value).toEqual(both)
})

test('[ER4] refuses a body over the limit, with and without an honest Content-Length', async () => {
  const a = await device()
  const over = `${good}${' '.repeat(1024 * 1024 - good.length + 1)}`
  await refused(a, { body: over }, [413, 'body-too-large'])
  const stream = new Blob([over]).stream()
  await refused(a, { body: stream }, [413, 'body-too-large'])
  const exactly = await call('/api/sync', {
    method: 'POST',
    headers: { authorization: `Bearer ${a.session}`, 'content-type': 'application/json' },
    body: over.slice(0, -1),
  })
  expect(exactly.status).toBe(200)
})

test('[ER5] refuses 501 changes and takes 500', async () => {
  const a = await device()
  const changes = Array.from({ length: 501 }, (_, index) => ({
    key: `k/${index}`,
    value: index,
    timestamp: T,
  }))
  await refused(a, { body: JSON.stringify({ changes }) }, [413, 'too-many-changes'])
  const { body } = await a.sync({ changes: changes.slice(1) })
  expect(body.synced).toHaveLength(500)
})

test('[ER6] refuses another media type or an encoded body', async () => {
  const a = await device()
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', '']) {
    await refused(a, { body: good, headers: { 'content-type': type } }, [415, 'unsupported-media-type'])
  }
  await refused(a, { body: good, headers: { 'content-encoding': 'gzip' } }, [415, 'unsupported-media-type'])
  const charset = await call('/api/sync', {
    method: 'POST',
    headers: { authorization: `Bearer ${a.session}`, 'content-type': 'Application/JSON; charset=utf-8' },
    body: good,
  })
  expect(charset.status).toBe(200)
})

test("[ER7] refuses another client's id", async () => {
  const a = await device()
  await refused(a, { body: JSON.stringify({ clientId: 'someone', changes: [] }) }, [403, 'foreign-client'])
  expect((await a.sync({ clientId: a.id, changes: [] })).status).toBe(200)
})

test('[ER8] rejects a single bad change and applies its neighbours', async () => {
  const a = await device()
  const bad: [object, string][] = [
    [{ key: '', value: 1, timestamp: T }, 'invalid-key'],
    [{ key: 'k'.repeat(513), value: 1, timestamp: T }, 'invalid-key'],
    [{ key: 'é'.repeat(257), value: 1, timestamp: T }, 'invalid-key'],
    [{ key: '/rest', value: 1, timestamp: T }, 'invalid-key'],
    [{ key: 'nul\u0000', value: 1, timestamp: T }, 'invalid-key'],
    [{ key: 'k/unit\u001f', value: 1, timestamp: T }, 'invalid-key'],
    [{ key: 'k/delete\u007f', value: 1, timestamp: T }, 'invalid-key'],
    [{ key: 'next\u0085line/1', value: 1, timestamp: T }, 'invalid-key'],
    [{ key: 'k/last\u009f', value: 1, timestamp: T }, 'invalid-key'],
    [{ key: 'k/1', value: 1, timestamp: -1 }, 'invalid-timestamp'],
    [{ key: 'k/1', value: 1, timestamp: -0.5 }, 'invalid-timestamp'],
    [{ key: 'k/1', value: 1, timestamp: 2 ** 53 }, 'invalid-timestamp'],
    [{ key: 'k/1', timestamp: T }, 'missing-value'],
    [{ key: 'k/1', deleted: false, timestamp: T }, 'missing-value'],
    [{ key: 'k/1', value: 'v'.repeat(256 * 1024 - 1), timestamp: T }, 'value-too-large'],
    [{ key: 'k/1', value: 'é'.repeat(128 * 1024), timestamp: T }, 'value-too-large'],
  ]
  for (const [index, [change, code]] of bad.entries()) {
    const before = { key: `before/${index}`, value: 1, timestamp: T }
    const after = { key: `after/${index}`, value: 1, timestamp: T }
    const { status, body } = await a.sync({ batch: index + 1, changes: [before, change, after] })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      success: false,
      synced: [before.key, after.key],
      results: [{ status: 'applied' }, { status: 'rejected', code }, { status: 'applied' }],
    })
  }
  expect((await a.get('/api/entries?key=k/1')).status).toBe(404)
})

test('[ER8] accepts a change just within the limits', async () => {
  const a = await device()
  const changes = [
    { key: 'k'.repeat(512), value: 1, timestamp: 0 },
    { key: 'é'.repeat(256), value: 1, timestamp: T },
    { key: 'no\u00a0break/\u0020', value: 1, timestamp: T },
    { key: 'k/large', value: 'v'.repeat(256 * 1024 - 2), timestamp: T },
    { key: 'k/two-byte', value: 'é'.repeat(128 * 1024 - 1), timestamp: T },
  ]
  const { body } = await a.sync({ changes, cursor: null })
  expect(body.success).toBe(true)
  expect(body.changes).toHaveLength(5)
})

test('[ER9] refuses an unknown query parameter, or one of another shape', async () => {
  const a = await device()
  const queries = [
    'changes?curser=x',
    'changes?limit=0',
    'changes?limit=many',
    'status?x=1',
    'entries',
    'conflicts?after=-1',
  ]
  for (const query of [...queries, 'changes?limit=1&limit=2']) {
    expect((await a.get(`/api/${query}`)).body, query).toMatchObject({ status: 422, code: 'invalid-request' })
  }
})

test('[ER9] refuses an unknown parameter on every route', async () => {
  const { token } = await mint({ scopes: ['sync:read', 'sync:write', 'space:read', 'space:admin'] })
  const { ADMIN_TOKEN: admin } = env
  const bearers = { anyone: undefined, admin, monitor: admin, session: (await device({ token })).session }
  for (const { method, path, access } of ROUTES) {
    const bearer = bearers[access]
    const { body } = await send(method, `${path.replace(':id', 'x')}?key=x&odd=1`, bearer ? { bearer } : {})
    expect(body, `${method} ${path}`).toMatchObject({ status: 422, code: 'invalid-request' })
    expect(body.detail).toContain('odd')
  }
})

test('[ER5] counts array items that are no changes, on a socket too', async () => {
  const a = await device()
  const changes = Array(349_500).fill({})
  const { status, body } = await a.sync({ changes })
  expect(`${status} ${body.code} ${body.limit}`).toBe('413 too-many-changes 500')
  const socket = await follow(a)
  await socket.next()
  socket.say({ type: 'push', id: 'x', body: { changes } })
  expect(await socket.next()).toMatchObject({ type: 'ack', id: 'x', body: { code: 'too-many-changes' } })
})
