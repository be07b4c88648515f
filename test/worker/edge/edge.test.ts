import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import document from '../../../docs/openapi.json' with { type: 'json' }
import { MAX_QUERY_PARAMETERS } from '../../../worker/src/core/values/limits.ts'
import { handle } from '../../../worker/src/http/edge.ts'
import { ROUTES } from '../../../worker/src/http/router.ts'
import { overhear } from '../../support/setup/witness.ts'
import { call, device, mint, send } from '../../support/worker/client.ts'

const allowed = 'http://localhost:3000'
const foreign = [
  'http://localhost:30000',
  'https://localhost:3000',
  'http://LOCALHOST:3000',
  'null',
  'http://a.localhost:3000',
]

test('[ED1] refuses other methods on every route and lists the allowed ones', async () => {
  for (const path of new Set(ROUTES.map((route) => route.path))) {
    const methods = ROUTES.filter((route) => route.path === path).map(({ method }) => method)
    const reply = await send('PATCH', path.replace(':id', 'x'))
    expect(reply.body).toMatchObject({ status: 405, code: 'method-not-allowed', success: false })
    const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    expect(reply.headers.get('allow')).toBe([...allow, 'OPTIONS'].join(', '))
  }
})

test('[ED1] refuses other methods on an upgrade request too', async () => {
  for (const path of new Set(ROUTES.map((route) => route.path))) {
    const allowed = (await call(path.replace(':id', 'x'), { method: 'OPTIONS' })).headers.get('allow') ?? ''
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'].filter((other) => !allowed.includes(other))) {
      const headers = { upgrade: 'websocket', authorization: `Bearer ${env.ADMIN_TOKEN}` }
      const request = new Request(`https://sync.example${path.replace(':id', 'x')}`, { method, headers })
      // The local runtime would pass on every request with an upgrade as a GET.
      const response = await handle(request, env)
      expect([response.status, response.headers.get('allow')], `${method} ${path}`).toEqual([405, allowed])
    }
  }
})

test('[ED1] lists the methods of a path for OPTIONS without an origin', async () => {
  const response = await call('/api/auth', { method: 'OPTIONS' })
  expect(response.status).toBe(204)
  expect(response.headers.get('allow')).toBe('POST, DELETE, OPTIONS')
  expect(response.headers.get('access-control-allow-methods')).toBeNull()
  const status = await call('/api/status', { method: 'OPTIONS', headers: { origin: allowed } })
  expect(status.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  expect((await call('/nowhere', { method: 'OPTIONS' })).status).toBe(404)
})

test('[ED2] returns 404 for a path that is no endpoint', async () => {
  for (const path of [
    '/',
    '/api',
    '/api/synch',
    '/api/tokens/a/b',
    '/api/sync/x',
    '/api/health/',
    '/api/status//',
  ]) {
    expect((await send('GET', path)).body, path).toMatchObject({ status: 404, code: 'not-found' })
  }
})

test('[ED3] returns problems with the members of RFC 9457 and the founding fields', async () => {
  const response = await call('/api/status', { headers: { 'x-request-id': 'my-request_1' } })
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(await response.json()).toEqual({
    type: 'urn:chronicle-sync:problem:unauthorized',
    title: 'Unauthorized',
    status: 401,
    code: 'unauthorized',
    detail: expect.any(String),
    instance: 'urn:chronicle-sync:request:my-request_1',
    success: false,
    conflicts: [],
    synced: [],
  })
})

test('[ED4] marks every reply with its request id, `no-store` unless a rule says otherwise, and `nosniff`', async () => {
  for (const path of ['/api/health', '/api/status', '/nowhere']) {
    const { headers } = await send('GET', path)
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('vary')).toBe('Origin')
  }
  const odd = await call('/api/health', { headers: { 'x-request-id': 'a"b' } })
  expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
})

test('[ED5] lets pages of exact origins read replies, refusals included, and no others', async () => {
  for (const path of ['/api/health', '/api/status']) {
    const near = await call(path, { headers: { origin: allowed } })
    expect(near.headers.get('access-control-allow-origin')).toBe(allowed)
    expect(near.headers.get('access-control-expose-headers')).toContain('x-request-id')
    const own = await call(path, { headers: { origin: 'https://sync.example' } })
    expect(own.headers.get('access-control-allow-origin')).toBe('https://sync.example')
    for (const origin of [
      ...foreign,
      'http://sync.example',
      'https://sync.example:444',
      'https://sync.example.',
    ]) {
      const { headers } = await call(path, { headers: { origin } })
      expect(headers.get('access-control-allow-origin'), origin).toBeNull()
    }
  }
})

test('[ED6] answers a preflight for an allowed origin, and refuses others', async () => {
  const preflight = (origin: string) =>
    call('/api/sync', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })
  const near = await preflight(allowed)
  expect(near.status).toBe(204)
  expect(near.headers.get('access-control-allow-origin')).toBe(allowed)
  expect(near.headers.get('access-control-allow-methods')).toBe('POST, OPTIONS')
  expect(near.headers.get('access-control-allow-headers')).toContain('authorization')
  for (const origin of foreign) {
    const far = await preflight(origin)
    expect(far.status).toBe(403)
    expect(far.headers.get('access-control-allow-origin')).toBeNull()
  }
})

test('[ED7] replies to HEAD as to GET, without a body', async () => {
  const response = await call('/api/health', { method: 'HEAD' })
  expect(response.status).toBe(200)
  expect(await response.text()).toBe('')
})

test('[ED8] reports health with environment and version', async () => {
  expect((await send('GET', '/api/health')).body).toEqual({
    status: 'ok',
    environment: 'development',
    version: 'unreleased',
    serverTime: expect.any(Number),
  })
})

test('[ED9] logs one line a request, without credentials, values or keys', async () => {
  const secrets = [env.ADMIN_TOKEN, 'secret-key', 'secret-value']
  const lines = await overhear(async () => {
    const { token } = await mint()
    const a = await device({ token })
    await a.sync({ changes: [{ key: 'secret-key', value: 'secret-value', timestamp: 1 }] })
    await a.get('/api/entries?key=secret-key')
    await send('GET', `/api/${token}`)
    secrets.push(token, a.session)
  })
  const parsed = lines.map((line) => JSON.parse(line))
  const [acts, requests] = ['audit', 'request'].map((kind) =>
    parsed.filter(({ message }) => message === kind),
  )
  expect(acts).toMatchObject([{ act: 'POST /api/tokens', status: 201 }])
  expect(parsed).toHaveLength(6)
  expect(requests?.map(({ method, route, status }) => `${method} ${route} ${status}`)).toEqual([
    'POST /api/tokens 201',
    'POST /api/auth 200',
    'POST /api/sync 200',
    'GET /api/entries 200',
    'GET * 404',
  ])
  for (const secret of secrets) expect(lines.join('\n')).not.toContain(secret)
})

test('[OP8] spells every route as the documents do, in log lines and in records', async () => {
  const bearer = env.ADMIN_TOKEN
  const lines = await overhear(async () => {
    for (const { method, path } of ROUTES) await send(method, path.replace(':id', 'x'), { bearer })
    await send('PATCH', '/api/tokens/x', { bearer })
  })
  const told = lines.map((line) => JSON.parse(line))
  const routes = told.flatMap(({ route, act }) => route ?? act?.split(' ')[1] ?? [])
  expect(routes.length).toBeGreaterThan(ROUTES.length)
  expect(routes.filter((route) => !(route in document.paths))).toEqual([])
  const { body } = await send('GET', '/api/audit', { bearer })
  const acts = body.records.map(({ act }: { act: string }) => act)
  expect(acts).toContain('POST /api/tokens/{id}/rotate')
})

test('[OA3] serves the committed document at GET /api/openapi.json, which describes every route and no other', async () => {
  const { status, body } = await send('GET', '/api/openapi.json')
  expect(status).toBe(200)
  expect(body).toEqual(document)
  const described = Object.entries<object>(body.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/, ':$1')}`),
  )
  expect(described.sort()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).sort())
})

test('[RL3] lets pages read when to retry', async () => {
  const response = await call('/api/health', { headers: { origin: allowed } })
  const exposed = response.headers.get('access-control-expose-headers')?.split(', ')
  expect(exposed).toEqual(expect.arrayContaining(['retry-after', 'ratelimit', 'ratelimit-policy']))
})

test('[SC14] refuses a query of thousands of parameters before anything reads them', async () => {
  const began = performance.now()
  const reply = await send('GET', `/api/health?${'=1&'.repeat(15_000)}`)
  expect(reply).toMatchObject({ status: 422, body: { code: 'invalid-request' } })
  // itty-router's own reading would take some seconds.
  expect(performance.now() - began).toBeLessThan(500)
})

test('[ER9] refuses a query with one parameter more than any route takes, on every route', async () => {
  const query = (count: number) => Array.from({ length: count }, (_, index) => `f${index}=`).join('&')
  for (const path of ['/api/changes', '/api/health', '/api/nowhere']) {
    const { body } = await send('GET', `${path}?${query(MAX_QUERY_PARAMETERS + 1)}`)
    expect(body).toMatchObject({ code: 'invalid-request', detail: 'too many query parameters.' })
  }
  const { body } = await send('GET', `/api/health?${query(MAX_QUERY_PARAMETERS)}`)
  expect(body.detail).toContain('and 77 more')
})

test('[SC8] does not repeat what a client sends in place of a key', async () => {
  const a = await device()
  for (const path of ['/api/entries', '/api/history']) {
    const { status, body } = await a.get(`${path}?key=${a.token}`)
    expect([status, body.detail]).toEqual([404, 'Not found: there is no entry of this key.'])
  }
})
