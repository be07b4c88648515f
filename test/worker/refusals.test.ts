import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { MAX_ARRIVING_BYTES, MAX_BODY_BYTES, MIN_BODY_BYTES } from '../../worker/src/core/values/limits.ts'
import { handle } from '../../worker/src/http/edge.ts'
import { readBody } from '../../worker/src/http/exchange/body.ts'
import { ROUTES } from '../../worker/src/http/router.ts'
import { lineReader } from '../../worker/src/objects/transfer/line-reader.ts'
import { call, configure, type Device, device, mint, newSpace, send } from './client.ts'
import { follow } from './follower.ts'

const T = Date.now() - 60_000
const good = '{"changes":[{"key":"n/1","value":1,"timestamp":1}]}'

interface Sent {
  readonly headers?: Record<string, string>
  readonly body: BodyInit
}

/** Sends a body as it is and expects a problem of this code, and that nothing was stored. */
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

test('[ER1] takes a body that begins with a byte order mark', async () => {
  const a = await device()
  const { body } = await send('POST', '/api/sync', { text: `\ufeff${good}`, bearer: a.session })
  expect(body.success).toBe(true)
})

test('[ER1] takes an escaped pair of surrogates, which is text', async () => {
  const a = await device()
  const { body } = await a.sync(
    JSON.parse('{"changes":[{"key":"n/1","value":"\\ud83d\\ude00","timestamp":1}]}'),
  )
  expect(body.success).toBe(true)
})

test('[ER2] refuses what is of another shape, and names the place', async () => {
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

test('[ER1] a body other than a batch is refused for what is wrong in it, and the place is named', async () => {
  const a = await device()
  const [auth, resolve] = ['/api/auth', '/api/conflicts/1/resolve']
  const value = (text: string) => `{"choice":"value","base":null,"value":${text}}`
  const secret = `adm_dev_${'a'.repeat(64)}`
  const cases: [string, string, string, string][] = [
    [auth, '{"token":"\\ud800"}', 'lone-surrogate', ' at /token.'],
    [auth, `{"${secret}":{"x":[1,"\\udfff"]}}`, 'lone-surrogate', ' at /…/x/1.'],
    [auth, '"\\ud800"', 'lone-surrogate', 'is no text.'],
    [resolve, value('{"\\ud800":1}'), 'lone-surrogate', ' at /value.'],
    [resolve, value('{"a":[-1e999]}'), 'number-out-of-range', ' at /value/a/0.'],
  ]
  for (const [path, text, code, place] of cases) {
    const { status, body } = await send('POST', path, { text, bearer: a.session })
    expect(`${status} ${body.code}`, text).toBe(`400 ${code}`)
    expect(body.detail, text).toContain(place)
    expect(body.detail).not.toContain(secret)
  }
})

test('[ER3] a value may nest 128 deep and no deeper, whatever the nesting', async () => {
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

test('[ER3] what nests 128 deep goes through storage, feed, history and merge unchanged', async () => {
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

test('[ER8] takes what is just within the limits', async () => {
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

test('[ER9] refuses a query that it does not know, or that is of another shape', async () => {
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
  const { token } = await mint({ scopes: ['sync:read', 'sync:write', 'space:admin'] })
  const bearers = { anyone: undefined, admin: env.ADMIN_TOKEN, session: (await device({ token })).session }
  for (const { method, path, access } of ROUTES) {
    const bearer = bearers[access]
    const { body } = await send(method, `${path.replace(':id', 'x')}?key=x&odd=1`, bearer ? { bearer } : {})
    expect(body, `${method} ${path}`).toMatchObject({ status: 422, code: 'invalid-request' })
    expect(body.detail).toContain('odd')
  }
})

test('[ER5] counts changes that are none, on a socket too', async () => {
  const a = await device()
  const changes = Array(349_500).fill({})
  const { status, body } = await a.sync({ changes })
  expect(`${status} ${body.code} ${body.limit}`).toBe('413 too-many-changes 500')
  const socket = await follow(a)
  await socket.next()
  socket.say({ type: 'push', id: 'x', body: { changes } })
  expect(await socket.next()).toMatchObject({ type: 'ack', id: 'x', body: { code: 'too-many-changes' } })
})

afterEach(() => vi.useRealTimers())

/** A body of so many bytes that comes in parts, one every so many ms. */
function drip(bytes: number, { part, every }: { part: number; every: number }): ReadableStream<Uint8Array> {
  let sent = 0
  return new ReadableStream({
    async pull(stream) {
      await new Promise((resolve) => setTimeout(resolve, every))
      const next = Math.min(part, bytes - sent)
      sent += next
      if (next > 0) stream.enqueue(new Uint8Array(next).fill(0x78))
      if (sent === bytes) stream.close()
    },
  })
}

function reading(
  body: ReadableStream<Uint8Array>,
  { declared, endsAt }: { declared?: number; endsAt?: number } = {},
) {
  const length = declared === undefined ? {} : { 'content-length': String(declared) }
  const headers = { 'content-type': 'application/json', ...length }
  const request = new Request('https://sync.example', { method: 'POST', headers, body })
  return readBody(request, endsAt).then(
    (text) => text.length,
    ({ code, status }) => `${status} ${code}`,
  )
}

async function after<T>(ms: number, work: Promise<T>): Promise<T | 'waiting'> {
  await vi.advanceTimersByTimeAsync(ms)
  return Promise.race([work, new Promise<'waiting'>((resolve) => queueMicrotask(() => resolve('waiting')))])
}

function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
}

test('[ER10] a slow line is waited for as long as 10 KiB come in ten seconds, whatever the size', async () => {
  fakeTime()
  // 128 kbit/s: 16,000 bytes a second, in parts as a modem has them; the largest body takes a minute.
  const slow = reading(drip(MAX_BODY_BYTES, { part: 1600, every: 100 }), { declared: MAX_BODY_BYTES })
  expect(await after(60_000, slow)).toBe('waiting')
  expect(await after(6_000, slow)).toBe(MAX_BODY_BYTES)
  const least = reading(drip(100 * 1024, { part: MIN_BODY_BYTES, every: 9_900 }))
  expect(await after(99_100, least)).toBe(100 * 1024)
})

test('[ER10] a body that stalls, or drips, is given up after ten seconds, declared or not', async () => {
  fakeTime()
  for (const declared of [MAX_BODY_BYTES, MIN_BODY_BYTES, undefined]) {
    const size = declared === undefined ? {} : { declared }
    const dripping = reading(drip(MIN_BODY_BYTES, { part: 1, every: 9_000 }), size)
    expect(await after(9_900, dripping)).toBe('waiting')
    expect(await after(200, dripping)).toBe('408 body-timeout')
  }
  const almost = reading(drip(100 * 1024, { part: MIN_BODY_BYTES - 1, every: 9_900 }))
  expect(await after(10_100, almost)).toBe('408 body-timeout')
  const stalls = reading(drip(100 * 1024, { part: 50 * 1024, every: 11_000 }))
  expect(await after(10_100, stalls)).toBe('408 body-timeout')
  // The rest may be less than 10 KiB.
  const short = reading(drip(MIN_BODY_BYTES + 10, { part: MIN_BODY_BYTES, every: 9_900 }))
  expect(await after(19_900, short)).toBe(MIN_BODY_BYTES + 10)
})

test('[ER10] nothing is waited for past the end of its session, nor past ten seconds of a stranger', async () => {
  fakeTime()
  const endsAt = Date.now() + 25_000
  const ending = reading(drip(100 * 1024, { part: MIN_BODY_BYTES, every: 9_900 }), { endsAt })
  expect(await after(24_900, ending)).toBe('waiting')
  expect(await after(200, ending)).toBe('408 body-timeout')
  const body = drip(100 * 1024, { part: MIN_BODY_BYTES, every: 3_000 })
  const headers = { 'content-type': 'application/json' }
  const request = new Request('https://sync.example/api/auth', { method: 'POST', headers, body })
  const attempt = handle(request, env).then(({ status }) => status)
  expect(await after(9_900, attempt)).toBe('waiting')
  await vi.advanceTimersByTimeAsync(200)
  expect(await attempt).toBe(408)
})

test('[ER10] slow bodies hold no more than their share of the memory: past it those are given up that take long', async () => {
  fakeTime()
  const part = MAX_BODY_BYTES - MIN_BODY_BYTES
  const count = Math.floor(MAX_ARRIVING_BYTES / part) + 1
  const slow = Array.from({ length: count }, () => reading(drip(MAX_BODY_BYTES, { part, every: 6_000 })))
  const waiting = Promise.all(slow)
  expect(await after(6_100, waiting)).toBe('waiting')
  const quick = reading(drip(MAX_BODY_BYTES, { part: part / 2, every: 1_000 }))
  expect(await after(3_100, quick)).toBe(MAX_BODY_BYTES)
  // Once one is given up there is room for the others.
  expect(new Set(await after(3_000, waiting))).toEqual(new Set([MAX_BODY_BYTES, '408 body-timeout']))
  const alone = reading(drip(MAX_BODY_BYTES, { part, every: 6_000 }))
  expect(await after(12_100, alone)).toBe(MAX_BODY_BYTES)
})

test('[IM8] lines that drip end an import, slow ones do not, and what the space does meanwhile does not count', async () => {
  fakeTime()
  const lines = (body: ReadableStream<Uint8Array>) => lineReader(body.getReader(), 1, Date.now)
  const next = (read: ReturnType<typeof lines>) =>
    read().then((read) => (read.ok ? read.value.length : read.fault.code))
  expect(await after(10_100, next(lines(drip(1_000, { part: 1, every: 9_000 }))))).toBe('body-timeout')
  const slow = lines(drip(100 * 1024, { part: 1_600, every: 100 }))
  expect(await after(30_000, next(slow))).toBe(1)
  const line = new TextEncoder().encode(`${'x'.repeat(1_000)}\n`)
  const busy = lines(
    new ReadableStream({
      async pull(stream) {
        await new Promise((resolve) => setTimeout(resolve, 6_000))
        stream.enqueue(line)
        for (let count = 0; count < 600; count++) stream.enqueue(line)
      },
    }),
  )
  expect(await after(6_100, next(busy))).toBe(500)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await after(6_100, next(busy))).toBe(500)
})
