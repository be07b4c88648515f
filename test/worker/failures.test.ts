import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { answer } from '../../worker/src/http/edge.ts'
import { ROUTES } from '../../worker/src/http/router.ts'
import { nameOf, requestTo } from '../security/routes.ts'
import { sessionLike } from '../security/stronghold.ts'
import { documented } from '../support/documented.ts'
import { device, mint, send } from './client.ts'

/** Lets so many through for each key, as the platform does within a period. */
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

/** A Worker that lets an address fail so often. */
function workerWith(FAILURE_LIMIT: RateLimit) {
  const ask = async (request: Request) => {
    const response = await documented(request, await answer(request, { ...env, FAILURE_LIMIT }))
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

test('[RL5] an address that fails too often is told to wait, and no other is', async () => {
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

test('[RL8] a caller that has a whole network of IPv6, or writes IPv4 as IPv6, is one caller', async () => {
  const { tell } = workerWith(limitOf(2))
  const fail = async (address: string) => (await tell('/api/status', { bearer: 'rubbish', address })).status
  for (const expected of [401, 401, 429]) expect(await fail(`2001:db8:1:2::${expected}`)).toBe(expected)
  expect(await fail('2001:db8:1:2:aaaa:bbbb:cccc:dddd')).toBe(429)
  expect(await fail('2001:db8:1:3::1')).toBe(401)
  for (const expected of [401, 401]) expect(await fail('192.0.2.9')).toBe(expected)
  expect(await fail('::ffff:192.0.2.9')).toBe(429)
})

test('[RL5] every way to fail counts, once, on every route that asks who it is', async () => {
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
    for (const bearer of wrong) {
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

test('[RL5] a valid credential is never refused for the failures of its address', async () => {
  const { tell } = workerWith(limitOf(0))
  const { token } = await mint()
  const { session } = await device({ token })
  expect((await tell('/api/status', { bearer: 'rubbish' })).status).toBe(429)
  expect((await tell('/api/status', { bearer: session })).status).toBe(200)
  expect((await tell('/api/auth', { method: 'POST', body: { token } })).status).toBe(200)
  expect((await tell('/api/tokens', { bearer: env.ADMIN_TOKEN })).status).toBe(200)
  expect((await tell('/api/health')).status).toBe(200)
})

test('[RL5] what was once real does not count, nor does any other refusal', async () => {
  const failures = limitOf(0)
  const { tell } = workerWith(failures)
  const expired = await sessionLike({ expiresAt: Math.floor(Date.now() / 1000) - 1 })
  expect((await tell('/api/status', { bearer: expired })).body.code).toBe('session-expired')
  const { session } = await device()
  await send('DELETE', '/api/auth', { bearer: session })
  expect((await tell('/api/status', { bearer: session })).body.code).toBe('session-ended')
  const writer = await device(await mint({ scopes: ['sync:write'] }))
  expect((await tell('/api/status', { bearer: writer.session })).body.code).toBe('forbidden-scope')
  expect((await tell('/api/status?odd=1', { bearer: writer.session })).status).toBe(422)
  expect((await tell('/nowhere', { bearer: 'rubbish' })).status).toBe(404)
  expect(failures.counts.size).toBe(0)
})

test('[RL5] a forged credential wakes no object and reads nothing, before and after', async () => {
  const untouched = (name: string) =>
    new Proxy({}, { get: (_, member) => expect.unreachable(`${name}.${String(member)}`) })
  const request = async (bearer: string, most: number) => {
    const there = { CHRONICLE: untouched('CHRONICLE'), CHRONICLE_KV: untouched('CHRONICLE_KV') }
    const here = { ...env, ...there, FAILURE_LIMIT: limitOf(most) } as unknown as Env
    const headers = { authorization: `Bearer ${bearer}` }
    return (await answer(new Request('https://sync.example/api/status', { headers }), here)).status
  }
  for (const bearer of ['rubbish', await sessionLike({}, { ENVIRONMENT: 'production' })]) {
    expect(await request(bearer, 1)).toBe(401)
    expect(await request(bearer, 0)).toBe(429)
  }
})
