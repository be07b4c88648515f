import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { answer } from '../../worker/src/http/edge.ts'
import { ROUTES } from '../../worker/src/http/router.ts'
import { hangUp } from '../support/unkind-hang-up.ts'
import { lateKv } from '../support/unkind-kv.ts'
import { call, device, mint, send } from './client.ts'
import { until } from './follower.ts'

const SUBJECT = 'https://login.example.com/#sub=ann'

/** The lines that were logged since the test began. */
let logged: { message: string; requestId: string; admin?: string; status?: number }[]

beforeEach(() => {
  logged = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    logged.push(JSON.parse(line))
  })
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

interface Wanted {
  readonly body?: unknown
  readonly bearer?: string
  readonly headers?: Record<string, string>
}

interface Acted {
  readonly status: number
  // The tests read replies as an untyped client does.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any
  /** What is kept of it: as it is listed, and as it was logged. */
  readonly records: readonly object[]
  readonly lines: readonly object[]
}

/** Asks for something as the operator, under a name of its own. */
async function act(method: string, path: string, wanted: Wanted = {}): Promise<Acted> {
  const { body, bearer = env.ADMIN_TOKEN, headers } = wanted
  const requestId = crypto.randomUUID()
  const response = await call(path, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      'x-request-id': requestId,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const lines = logged.filter((line) => line.message === 'audit' && line.requestId === requestId)
  const records = (await listed()).filter((record) => record.requestId === requestId)
  return { status: response.status, body: text === '' ? null : JSON.parse(text), records, lines }
}

// biome-ignore lint/suspicious/noExplicitAny: as above
async function listed(): Promise<any[]> {
  return (await send('GET', '/api/audit', { bearer: env.ADMIN_TOKEN })).body.records
}

/** The fields of every record; the target beside them. */
function recordLike(act: string, status: number, target: object): object {
  return {
    at: expect.any(Number),
    act,
    status,
    requestId: expect.any(String),
    admin: expect.stringMatching(/^[A-Za-z0-9_-]{8}$/),
    address: null,
    target,
  }
}

test('[OP1] minting, rotating and revoking a token leave a record each, of what it was about', async () => {
  const wanted = { subject: 'ann', space: 'team', scopes: ['sync:read'] }
  const began = Date.now()
  const minted = await act('POST', '/api/tokens', { body: wanted })
  const about = { subject: 'ann', space: 'team' }
  const old = { tokenId: minted.body.id, ...about }
  const scopes = ['sync:read']
  expect(minted.records).toEqual([recordLike('POST /api/tokens', 201, { ...old, scopes })])
  expect(minted.records).toMatchObject([{ at: expect.toSatisfy((at) => at >= began && at <= Date.now()) }])
  const rotated = await act('POST', `/api/tokens/${minted.body.id}/rotate`, { body: { overlapSeconds: 60 } })
  const replaced = { ...old, replacedBy: rotated.body.id, scopes }
  expect(rotated.records).toEqual([recordLike('POST /api/tokens/:id/rotate', 201, replaced)])
  const gone = await act('DELETE', `/api/tokens/${minted.body.id}`)
  expect(gone.records).toEqual([recordLike('DELETE /api/tokens/:id', 200, old)])
})

test('[OP1] so does ending sessions, and configuring', async () => {
  const ended = await act('DELETE', '/api/sessions', { body: { subject: SUBJECT, space: 'team' } })
  expect(ended.records).toEqual([
    recordLike('DELETE /api/sessions', 200, { subject: SUBJECT, space: 'team' }),
  ])
  const { revision } = (await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })).body
  const put = await act('PUT', '/api/config', { body: { revision } })
  expect(put.body.revision).toBeGreaterThan(revision)
  expect(put.records).toEqual([recordLike('PUT /api/config', 200, { revision: put.body.revision })])
})

test('[OP1] refused acts are recorded with their status, and what is known of their target', async () => {
  const { id } = await mint({ subject: 'ann', space: 'team' })
  const named = { tokenId: id, subject: 'ann', space: 'team' }
  const past = { subject: 'bob', scopes: ['sync:read'], expiresAt: 1 }
  const refused: [string, string, unknown, string, number, object][] = [
    ['POST', '/api/tokens', { subject: 'a/b' }, 'POST /api/tokens', 422, {}],
    [
      'POST',
      '/api/tokens',
      past,
      'POST /api/tokens',
      422,
      { subject: 'bob', space: 'bob', scopes: ['sync:read'] },
    ],
    ['POST', '/api/tokens?x=1', {}, 'POST /api/tokens', 422, {}],
    ['DELETE', '/api/tokens/x', undefined, 'DELETE /api/tokens/:id', 404, {}],
    ['POST', '/api/tokens/x/rotate', {}, 'POST /api/tokens/:id/rotate', 404, {}],
    ['POST', `/api/tokens/${id}/rotate`, { x: 1 }, 'POST /api/tokens/:id/rotate', 422, named],
    ['PUT', '/api/config', { revision: 7 }, 'PUT /api/config', 409, { revision: 7 }],
    ['DELETE', '/api/sessions', { subject: 'ann' }, 'DELETE /api/sessions', 422, {}],
    ['POST', '/api/tokens', undefined, 'POST /api/tokens', 415, {}],
  ]
  for (const [method, path, body, name, status, target] of refused) {
    const acted = await act(method, path, { body })
    expect(acted.status, `${method} ${path}`).toBe(status)
    expect(acted.records).toEqual([recordLike(name, status, target)])
  }
})

test('[OP1] a defect is recorded as the 500 that it answers, and its cause is logged', async () => {
  const errors = vi.spyOn(console, 'error').mockReturnValue()
  const broken = new Proxy(env.CHRONICLE_KV, {
    get: (target, name) =>
      name === 'delete' ? () => Promise.reject(new Error('no delete')) : bound(target, name),
  })
  const { id } = await mint({ subject: 'ann' })
  const response = await answer(requestTo('DELETE', `/api/tokens/${id}`), { ...env, CHRONICLE_KV: broken })
  expect(response.status).toBe(500)
  expect(errors.mock.calls[0]?.[0]).toContain('no delete')
  expect((await listed())[0]).toEqual(
    recordLike('DELETE /api/tokens/:id', 500, { tokenId: id, subject: 'ann', space: 'ann' }),
  )
})

test('[OP1] tells the generations of the admin token apart, and where the request came from', async () => {
  const added = `adm_dev_${'b'.repeat(64)}`
  const both = { ...env, ADMIN_TOKEN: `${added} ${env.ADMIN_TOKEN}` }
  const fingerprints: string[] = []
  for (const [bearer, address, kept] of [
    [added, '203.0.113.7', '203.0.113.7'],
    [env.ADMIN_TOKEN, '2001:db8::1', '2001:db8::1'],
    [env.ADMIN_TOKEN, 'rubbish', null],
  ] as const) {
    const headers = { authorization: `Bearer ${bearer}`, 'cf-connecting-ip': address }
    expect((await answer(requestTo('DELETE', '/api/tokens/x', headers), both)).status).toBe(404)
    const [record] = await listed()
    expect(record.address).toBe(kept)
    fingerprints.push(record.admin)
  }
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(added))
  const [first, second, third] = fingerprints
  expect(first).toBe(
    btoa(String.fromCharCode(...new Uint8Array(digest)))
      .slice(0, 8)
      .replaceAll('+', '-')
      .replaceAll('/', '_'),
  )
  expect(second).toBe(third)
  expect(second).not.toBe(first)
})

test('[OP2] the log line says the same but for the names of subject and space', async () => {
  const { body, records, lines } = await act('POST', '/api/tokens', {
    body: { subject: 'ann', space: 'team', scopes: ['sync:read'], name: 'laptop' },
  })
  const [record] = records
  expect(lines).toEqual([
    {
      level: 'info',
      message: 'audit',
      environment: 'development',
      ...record,
      target: { tokenId: body.id, scopes: ['sync:read'] },
    },
  ])
  expect(JSON.stringify([record, lines])).not.toContain('laptop')
})

/** A session for a space, and what its acts are recorded with. */
async function ownerOf(
  space: string,
  scopes: readonly string[] = ['sync:read', 'sync:write', 'space:admin'],
) {
  const { token, id } = await mint({ subject: 'ann', space, scopes })
  const { session } = await device({ token })
  return { session, target: { tokenId: id, subject: 'ann', space } }
}

const NDJSON = { 'content-type': 'application/x-ndjson' }

test('[OP6] export, import and erasure leave a record each, of who did it to which space', async () => {
  const space = crypto.randomUUID()
  const { session: bearer, target } = await ownerOf(space)
  const byIt = (act: string, status: number) => ({ ...recordLike(act, status, target), admin: 'session' })
  const asked = async (method: string, path: string, init: RequestInit = {}) => {
    const requestId = crypto.randomUUID()
    const headers = { authorization: `Bearer ${bearer}`, 'x-request-id': requestId, ...init.headers }
    const response = await call(path, { ...init, method, headers })
    const text = await response.text()
    const lines = logged.filter((line) => line.message === 'audit' && line.requestId === requestId)
    return { text, lines, records: (await listed()).filter((record) => record.requestId === requestId) }
  }
  const exported = await asked('GET', '/api/export')
  expect(exported.records).toEqual([byIt('GET /api/export', 200)])
  expect(exported.lines).toMatchObject([{ admin: 'session', target: { tokenId: target.tokenId } }])
  expect(JSON.stringify(exported.lines)).not.toContain(space)
  const wrong = await asked('POST', '/api/import', { headers: NDJSON, body: '{"x":1}\n' })
  expect(wrong.records).toEqual([byIt('POST /api/import', 422)])
  const filled = await asked('POST', '/api/import?line=1', { headers: NDJSON, body: exported.text })
  expect(filled.records).toEqual([byIt('POST /api/import', 200)])
  const erase = (confirm: string) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ confirm }),
  })
  const mistaken = await asked('DELETE', '/api/space', erase('other'))
  expect(mistaken.records).toEqual([])
  expect(mistaken.lines).toMatchObject([{ act: 'DELETE /api/space', status: 422 }])
  expect((await asked('DELETE', '/api/space', erase(space))).records).toEqual([
    byIt('DELETE /api/space', 200),
  ])
  // Now the session is void, and anybody could hold one that is.
  expect((await asked('DELETE', '/api/space', erase(space))).records).toEqual([])
})

test('[OP6] a refusal without an effect has a line and no record, or a session could fill the records', async () => {
  const space = crypto.randomUUID()
  const before = (await listed()).length
  const { session: reader } = await ownerOf(space, ['sync:read'])
  const { token } = await mint({
    subject: 'ann',
    space,
    scopes: ['sync:read', 'space:admin'],
    collections: ['k'],
  })
  const { session: part } = await device({ token })
  for (const bearer of [reader, part, 'rubbish']) {
    await send('GET', '/api/export', { bearer })
    await send('DELETE', '/api/space', { bearer, body: { confirm: space } })
  }
  // Two tokens were minted.
  const acts = (await listed()).slice(0, (await listed()).length - before - 2)
  expect(acts).toEqual([])
  const lines = logged.filter(
    ({ message, admin, status }) => message === 'audit' && admin === 'session' && status === 403,
  )
  expect(lines.length).toBeGreaterThanOrEqual(2)
})

test('[OP1] an act that is refused for coming too often is recorded with its 429', async () => {
  const limited = { ...env, AUTH_LIMIT: { limit: async () => ({ success: false }) } }
  const requestId = crypto.randomUUID()
  const ask = (headers: Record<string, string>) =>
    answer(requestTo('DELETE', '/api/tokens/x', { 'x-request-id': requestId, ...headers }), limited)
  expect((await ask({})).status).toBe(429)
  expect((await ask({ authorization: 'Bearer rubbish' })).status).toBe(429)
  const found = (await listed()).filter((record) => record.requestId === requestId)
  expect(found).toEqual([recordLike('DELETE /api/tokens/:id', 429, {})])
  const get = new Request('https://sync.example/api/tokens', {
    headers: { authorization: `Bearer ${env.ADMIN_TOKEN}` },
  })
  expect((await answer(get, limited)).status).toBe(429)
})

test('[OP1] a client that hangs up keeps no act from its record', async () => {
  const requestId = crypto.randomUUID()
  const put = env.CHRONICLE_KV.put.bind(env.CHRONICLE_KV)
  const slow = async (...given: Parameters<typeof put>) => {
    await scheduler.wait(40)
    await put(...given)
  }
  Object.assign(env.CHRONICLE_KV, { put: slow })
  const body = { subject: 'ann', scopes: ['sync:read'] }
  try {
    await hangUp(requestTo('POST', '/api/tokens', { 'x-request-id': requestId }, body), 10)
    const mine = async () => (await listed()).filter((record) => record.requestId === requestId)
    await until(async () => (await mine()).length > 0)
    expect(await mine()).toMatchObject([{ act: 'POST /api/tokens', status: 201 }])
  } finally {
    Object.assign(env.CHRONICLE_KV, { put })
  }
})

test('[OP3] what fails to authenticate, what only reads, and what clients do leave none', async () => {
  const { token } = await mint()
  const { session } = await device({ token })
  const before = await listed()
  for (const { method, path, access } of ROUTES) {
    if (access !== 'admin') continue
    for (const bearer of ['none', token, session, `${env.ADMIN_TOKEN}x`]) {
      expect((await act(method, path.replace(':id', 'x'), { bearer })).status).toBe(401)
    }
  }
  for (const path of ['/api/tokens', '/api/config', '/api/audit']) {
    for (const method of ['GET', 'HEAD']) expect((await act(method, path)).status).toBe(200)
  }
  expect((await act('GET', '/api/tokens?x=1')).status).toBe(422)
  expect((await act('OPTIONS', '/api/tokens')).status).toBe(204)
  expect((await act('PATCH', '/api/tokens')).status).toBe(405)
  await send('POST', '/api/sync', {
    bearer: session,
    body: { changes: [{ key: 'k', value: 1, timestamp: 1 }] },
  })
  await send('DELETE', '/api/auth', { bearer: session })
  expect(await listed()).toEqual(before)
  expect(logged.filter(({ message }) => message === 'audit')).toHaveLength(1)
})

test('[OP4] lists the newest first, a page of a hundred at a time, each record once', async () => {
  // Before all other tests, and where the time gets a digit more.
  vi.useFakeTimers({ toFake: ['Date'], now: 1e12 - 100 })
  const names: string[] = []
  for (let index = 0; index < 205; index++) {
    vi.setSystemTime(Date.now() + 1)
    const headers = { 'x-request-id': `n${index}` }
    expect((await answer(requestTo('DELETE', '/api/tokens/x', headers), env)).status).toBe(404)
    names.push(`n${index}`)
  }
  const found: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const path: string = cursor === '' ? '/api/audit' : `/api/audit?cursor=${encodeURIComponent(cursor)}`
    const { body } = await send('GET', path, { bearer: env.ADMIN_TOKEN })
    expect(body.records.length).toBeLessThanOrEqual(100)
    found.push(...body.records.map(({ requestId }: { requestId: string }) => requestId))
    cursor = body.next
  }
  expect(found.slice(-205)).toEqual(names.reverse())
  expect(new Set(found).size).toBe(found.length)
})

test('[OP4] two acts of one moment under one request id are two records', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  const headers = { 'x-request-id': 'twice' }
  await Promise.all(['x', 'y'].map((id) => answer(requestTo('DELETE', `/api/tokens/${id}`, headers), env)))
  expect((await listed()).filter(({ requestId }) => requestId === 'twice')).toHaveLength(2)
})

test('[OP4] a record is kept for 400 days', async () => {
  const now = Date.now() / 1000
  await act('DELETE', '/api/tokens/x')
  const { keys } = await env.CHRONICLE_KV.list({ prefix: 'audit:' })
  for (const { expiration } of keys) {
    expect(Math.abs((expiration ?? 0) - now - 400 * 86_400)).toBeLessThan(120)
  }
})

test('[OP4] takes the longest names that there are', async () => {
  const issuer = `https://${'x'.repeat(248)}`
  const [subject, space] = ['sub', 'c'.repeat(128)].map((claim) => `${issuer}#${claim}=${'"'.repeat(255)}`)
  const { status, records } = await act('DELETE', '/api/sessions', { body: { subject, space } })
  expect(status).toBe(200)
  expect(records).toEqual([recordLike('DELETE /api/sessions', 200, { subject, space })])
})

test('[OP4] a place whose KV is a minute behind lists a record as soon as it has heard of it', async () => {
  const late = { ...env, CHRONICLE_KV: lateKv(env.CHRONICLE_KV) }
  const list = async () =>
    (await answer(requestTo('GET', '/api/audit'), late)).json() as Promise<{ records: object[] }>
  const before = (await list()).records
  const { records } = await act('DELETE', '/api/tokens/x')
  expect((await list()).records).toEqual([...records, ...before].slice(0, 100))
})

test('[OP5] where the record cannot be written the answer is 500: the act took place, and the line is there', async () => {
  const errors = vi.spyOn(console, 'error').mockReturnValue()
  const before = await listed()
  const steps: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    steps.push(JSON.parse(line).message)
  })
  const broken = new Proxy(env.CHRONICLE_KV, {
    get: (target, name) => {
      if (name !== 'put') return bound(target, name)
      return (key: string, ...rest: [string]) => {
        steps.push(`put ${key.split(':')[0]}`)
        return key.startsWith('audit:') ? Promise.reject(new Error('KV is full')) : target.put(key, ...rest)
      }
    },
  })
  const subject = crypto.randomUUID()
  const request = requestTo('POST', '/api/tokens', {}, { subject, scopes: ['sync:read'] })
  const response = await answer(request, { ...env, CHRONICLE_KV: broken })
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('chr_')
  expect(steps).toEqual(['put token', 'audit', 'put audit', 'request'])
  expect(errors.mock.calls[0]?.[0]).toContain('KV is full')
  expect(await listed()).toEqual(before)
  const { tokens } = (await send('GET', '/api/tokens', { bearer: env.ADMIN_TOKEN })).body
  expect(tokens).toContainEqual(expect.objectContaining({ subject }))
})

test('[OP7] a list takes no cursor but its own', async () => {
  for (let count = 0; count < 101; count++) await mint()
  const ask = (path: string) => send('GET', path, { bearer: env.ADMIN_TOKEN })
  const [tokens, records] = await Promise.all(
    ['/api/tokens', '/api/audit'].map(async (path) => (await ask(path)).body.next),
  )
  for (const [path, next, foreign] of [
    ['/api/tokens', tokens, records],
    ['/api/audit', records, tokens],
  ]) {
    const list = (cursor: string) => ask(`${path}?cursor=${encodeURIComponent(cursor)}`)
    expect((await list(next)).status).toBe(200)
    for (const wrong of ['nonsense', '', '0', next.slice(1), `${next}x`, next.slice(7), foreign]) {
      expect((await list(wrong)).body, wrong).toMatchObject({ status: 422, code: 'invalid-request' })
    }
  }
})

function bound(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name)
  return typeof member === 'function' ? member.bind(target) : member
}

function requestTo(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: object,
): Request {
  return new Request(`https://sync.example${path}`, {
    method,
    headers: {
      authorization: `Bearer ${env.ADMIN_TOKEN}`,
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  })
}
