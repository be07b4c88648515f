import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { FAILED_FOR_MS } from '../../../worker/src/core/values/access-limits.ts'

import { handle } from '../../../worker/src/http/edge.ts'
import { newApiToken } from '../../../worker/src/http/kv/api-token.ts'
import { ROUTES } from '../../../worker/src/http/router.ts'
import { documented } from '../../support/documented.ts'
import { device, mint, send } from '../../support/worker/client.ts'
import { nameOf, requestTo } from '../../support/worker/routes.ts'
import { sessionLike } from '../../support/worker/stronghold.ts'

/** Lets a number of requests through for each key, as the platform does within a period. */
function limitOf(most: number) {
  const counts = new Map<string, number>()
  async function limit({ key }: RateLimitOptions): Promise<RateLimitOutcome> {
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return { success: count <= most }
  }
  return { counts, limit }
}

interface Sent {
  readonly method?: string
  readonly bearer?: string
  readonly body?: object
  readonly address?: string
}

/** A Worker that lets an address fail a number of times, with optional further changes. */
function workerWith(FAILURE_LIMIT: RateLimit, more: Partial<Env> = {}) {
  const ask = async (request: Request) => {
    const response = await documented(request, await handle(request, { ...env, ...more, FAILURE_LIMIT }))
    const { status, headers, webSocket } = response
    const text = webSocket === null ? await response.text() : ''
    return { status, headers, body: text.startsWith('{"') ? JSON.parse(text) : {} }
  }
  return {
    ask,
    async tell(path: string, { method = 'GET', bearer, body, address = '192.0.2.1' }: Sent = {}) {
      const headers = {
        'cf-connecting-ip': address,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      }
      const text = body === undefined ? {} : { body: JSON.stringify(body) }
      return ask(new Request(`https://sync.example${path}`, { method, headers, ...text }))
    },
  }
}

test('[RL5] tells an address that fails too often to wait, and no other', async () => {
  const { tell } = workerWith(limitOf(3))
  const fail = (address?: string) => tell('/api/status', { bearer: 'rubbish', ...(address && { address }) })
  for (const expected of [401, 401, 401, 429, 429]) expect((await fail()).status).toBe(expected)
  const { headers, body } = await fail()
  expect(body).toMatchObject({ code: 'rate-limited', policy: 'place', retryAfterSeconds: 60, success: false })
  expect(headers.get('retry-after')).toBe('60')
  expect(headers.get('ratelimit')).toBe('"place";r=0')
  expect(headers.get('ratelimit-policy')).toBeNull()
  expect(headers.get('www-authenticate')).toBeNull()
  expect((await fail('192.0.2.2')).status).toBe(401)
})

test('[RL8] counts a whole IPv6 network as one caller, and IPv4 written as IPv6 as the same caller', async () => {
  const { tell } = workerWith(limitOf(2))
  const fail = async (address: string) => (await tell('/api/status', { bearer: 'rubbish', address })).status
  for (const expected of [401, 401, 429]) expect(await fail(`2001:db8:1:2::${expected}`)).toBe(expected)
  expect(await fail('2001:db8:1:2:aaaa:bbbb:cccc:dddd')).toBe(429)
  expect(await fail('2001:db8:1:3::1')).toBe(401)
  for (const expected of [401, 401]) expect(await fail('192.0.2.9')).toBe(expected)
  expect(await fail('::ffff:192.0.2.9')).toBe(429)
})

test('[RL5] counts every kind of failure once, on every route that authenticates', async () => {
  const failures = limitOf(1_000)
  const { ask, tell } = workerWith(failures)
  const count = () => [...failures.counts.values()].reduce((sum, count) => sum + count, 0)
  const { token } = await mint()
  const wrong = [
    undefined,
    'rubbish',
    token,
    env.ADMIN_TOKEN.slice(0, -1),
    await sessionLike({}, { ENVIRONMENT: 'production' }),
  ]
  for (const route of ROUTES.filter(({ access }) => access !== 'anyone')) {
    // The metrics take API tokens, and refuse this one for its scopes.
    for (const bearer of wrong.filter((one) => one !== token || route.access !== 'monitor')) {
      const before = count()
      const [path, init] = requestTo(route, { bearer })
      const { status } = await ask(new Request(`https://sync.example${path}`, init))
      expect(status, nameOf(route)).toBe(401)
      expect(count(), nameOf(route)).toBe(before + 1)
    }
  }
  const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL3guZXhhbXBsZSJ9.AA'
  for (const given of [
    'rubbish',
    token.toUpperCase(),
    `${token.slice(0, -1)}!`,
    token.replace('dev', 'prod'),
    jwt,
  ]) {
    const before = count()
    expect((await tell('/api/auth', { method: 'POST', body: { token: given } })).status, given).toBe(401)
    expect(count(), given).toBe(before + 1)
  }
})

test('[RL5] never refuses a valid credential for the failures of its address', async () => {
  const { tell } = workerWith(limitOf(0))
  const { token } = await mint()
  const { session } = await device({ token })
  expect((await tell('/api/status', { bearer: 'rubbish' })).status).toBe(429)
  expect((await tell('/api/status', { bearer: session })).status).toBe(200)
  expect((await tell('/api/auth', { method: 'POST', body: { token } })).status).toBe(200)
  expect((await tell('/api/tokens', { bearer: env.ADMIN_TOKEN })).status).toBe(200)
  expect((await tell('/api/health')).status).toBe(200)
})

test('[RL5] counts neither a credential that was once valid nor any other refusal', async () => {
  const failures = limitOf(0)
  const { tell } = workerWith(failures)
  const expired = await sessionLike({ expiresAt: Math.floor(Date.now() / 1000) - 1 })
  expect((await tell('/api/status', { bearer: expired })).body.code).toBe('session-expired')
  const { session } = await device()
  await send('DELETE', '/api/auth', { bearer: session })
  expect((await tell('/api/status', { bearer: session })).body.code).toBe('session-ended')
  const writer = await device(await mint({ scopes: ['sync:write'] }))
  expect((await tell('/api/status', { bearer: writer.session })).body.code).toBe('forbidden-scope')
  expect((await tell('/api/status?odd=1', { bearer: (await device()).session })).status).toBe(422)
  expect((await tell('/nowhere', { bearer: 'rubbish' })).status).toBe(404)
  expect(failures.counts.size).toBe(0)
})

test('[RL5] counts a malformed attempt to authenticate', async () => {
  const failures = limitOf(2)
  const { ask, tell } = workerWith(failures)
  const attempt = async (body: object) =>
    (await tell('/api/auth', { method: 'POST', body, address: '192.0.2.30' })).status
  expect(await attempt({})).toBe(422)
  expect(await attempt({ token: 'x', odd: 1 })).toBe(422)
  expect(await attempt({ token: 1 })).toBe(429)
  const headers = { 'cf-connecting-ip': '192.0.2.31', 'content-type': 'application/json' }
  const request = () => new Request('https://sync.example/api/auth', { method: 'POST', headers, body: '{' })
  expect([
    (await ask(request())).status,
    (await ask(request())).status,
    (await ask(request())).status,
  ]).toEqual([400, 400, 429])
})

/** Makes a well-formed token that was never issued. */
function guess(): string {
  return newApiToken(env.ENVIRONMENT)
}

test('[RL9] looks up well-formed guesses no more often than the stack allows, and wakes no object', async () => {
  const read: string[] = []
  const get = async (name: string) => {
    read.push(name)
    return null
  }
  const CHRONICLE_KV = { get } as unknown as KVNamespace
  const CHRONICLE = new Proxy({}, { get: () => expect.unreachable('an object') }) as Env['CHRONICLE']
  const AUTH_LIMIT = limitOf(2)
  const { tell } = workerWith(limitOf(3), { AUTH_LIMIT, CHRONICLE_KV, CHRONICLE })
  const attempt = async (token: string) =>
    (await tell('/api/auth', { method: 'POST', body: { token }, address: '192.0.2.40' })).status
  const statuses: number[] = []
  for (let round = 0; round < 20; round++) statuses.push(await attempt(guess()))
  expect(statuses.slice(0, 4)).toEqual([401, 401, 401, 429])
  expect(new Set(statuses.slice(4))).toEqual(new Set([429]))
  expect(read).toHaveLength(3 + 1 + 2)
  // A wrong checksum costs no look-up and is not counted as one.
  const counted = [...AUTH_LIMIT.counts.values()]
  expect(await attempt(`${guess().slice(0, -1)}!`)).toBe(429)
  expect([...AUTH_LIMIT.counts.values()]).toEqual(counted)
})

test('[RL9] charges an address nothing for valid tokens, the admin token, minting and tickets', async () => {
  const untouched: RateLimit = { limit: () => expect.unreachable('a limit by address') }
  const { tell } = workerWith(untouched, { AUTH_LIMIT: untouched })
  const { token } = await mint()
  const address = '192.0.2.70'
  for (let round = 0; round < 5; round++) {
    const opened = await tell('/api/auth', { method: 'POST', body: { token }, address })
    expect(opened.status).toBe(200)
    expect(
      (await tell('/api/live/ticket', { method: 'POST', bearer: opened.body.session, address })).status,
    ).toBe(200)
    const wanted = { subject: 's', scopes: ['sync:read'] }
    const minted = await tell('/api/tokens', {
      method: 'POST',
      bearer: env.ADMIN_TOKEN,
      body: wanted,
      address,
    })
    expect(minted.status).toBe(201)
    expect((await tell('/api/tokens', { bearer: env.ADMIN_TOKEN, address })).status).toBe(200)
  }
})

test('[RL9] lets an address that failed too often open a limited number of sessions a minute, and delays no other', async () => {
  const AUTH_LIMIT = limitOf(2)
  const { tell } = workerWith(limitOf(0), { AUTH_LIMIT })
  const { token } = await mint()
  const open = async (address: string) =>
    (await tell('/api/auth', { method: 'POST', body: { token }, address })).status
  expect((await tell('/api/status', { bearer: 'rubbish', address: '192.0.2.50' })).status).toBe(429)
  expect([await open('192.0.2.50'), await open('192.0.2.50'), await open('192.0.2.50')]).toEqual([
    200, 200, 429,
  ])
  expect(await open('192.0.2.51')).toBe(200)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + FAILED_FOR_MS })
  try {
    expect(await open('192.0.2.50')).toBe(200)
  } finally {
    vi.useRealTimers()
  }
  expect(AUTH_LIMIT.counts.get('192.0.2.50')).toBe(3)
})

test('[RL1] counts the exchanges of each credential separately, from any address', async () => {
  const counter = limitOf(2)
  const { tell } = workerWith(limitOf(10), { SYNC_LIMIT: counter })
  const { token } = await mint()
  const open = async (token: string, address: string) =>
    (await tell('/api/auth', { method: 'POST', body: { token }, address })).status
  expect([
    await open(token, '192.0.2.60'),
    await open(token, '192.0.2.61'),
    await open(token, '192.0.2.62'),
  ]).toEqual([200, 200, 429])
  expect(await open((await mint()).token, '192.0.2.60')).toBe(200)
})

test('[RL1] counts the requests of each client at a location separately: none shuts out the others of its space', async () => {
  const { token } = await mint()
  const [a, b] = [await device({ token, clientId: 'a' }), await device({ token, clientId: 'b' })]
  const { tell } = workerWith(limitOf(3), { SYNC_LIMIT: limitOf(2) })
  const read = async ({ session }: { session: string }) =>
    (await tell('/api/status', { bearer: session })).status
  for (const expected of [200, 200, 429]) expect(await read(a)).toBe(expected)
  for (const expected of [200, 200, 429]) expect(await read(b)).toBe(expected)
  const again = await device({ token, clientId: 'a' })
  expect(await read(again)).toBe(429)
})

test('[RL5] wakes no object and reads nothing for a forged credential, before and after the limit', async () => {
  const untouched = (name: string) =>
    new Proxy({}, { get: (_, member) => expect.unreachable(`${name}.${String(member)}`) })
  const request = async (bearer: string, most: number) => {
    const there = { CHRONICLE: untouched('CHRONICLE'), CHRONICLE_KV: untouched('CHRONICLE_KV') }
    const here = { ...env, ...there, FAILURE_LIMIT: limitOf(most) } as unknown as Env
    const headers = { authorization: `Bearer ${bearer}` }
    return (await handle(new Request('https://sync.example/api/status', { headers }), here)).status
  }
  for (const bearer of ['rubbish', await sessionLike({}, { ENVIRONMENT: 'production' })]) {
    expect(await request(bearer, 1)).toBe(401)
    expect(await request(bearer, 0)).toBe(429)
  }
})
