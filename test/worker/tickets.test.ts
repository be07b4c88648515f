import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { handle } from '../../worker/src/http/edge.ts'
import { spendTicket } from '../../worker/src/objects/space/admission.ts'
import { openSpace } from '../../worker/src/objects/space/space.ts'
import { spacesIn, withStubs } from '../support/unkind-spaces.ts'
import { overhear } from '../support/witness.ts'
import { call, type Device, device, mint, newSpace, send } from './client.ts'
import { askLive, type Follower, followerOn, until } from './follower.ts'
import { sessionLike } from './session.ts'

const T = Date.now() - 60_000

function puts(keys: readonly string[], value: unknown = 'x'): object[] {
  return keys.map((key) => ({ key, value, timestamp: T }))
}

/** A socket that is asked for with a ticket and has had its first frame; otherwise how it was refused. */
function enter(ticket: string, query = '', headers: Record<string, string> = {}): Promise<Follower | string> {
  return enterWith(`ticket.${ticket}`, query, headers)
}

/** The same with any credential among the subprotocols. A refusal is a close code, or the status and code of a problem. */
async function enterWith(
  credential: string,
  query = '',
  headers: Record<string, string> = {},
): Promise<Follower | string> {
  const protocols = { 'sec-websocket-protocol': `chronicle.v1, ${credential}` }
  return outcome(
    await call(`/api/live${query}`, { headers: { upgrade: 'websocket', ...protocols, ...headers } }),
  )
}

async function outcome(response: Response): Promise<Follower | string> {
  const { status, webSocket } = response
  if (webSocket === null) return `${status} ${((await response.json()) as { code: string }).code}`
  expect(response.headers.get('sec-websocket-protocol')).toBe('chronicle.v1')
  const follower = followerOn(webSocket)
  await until(() => follower.ended() !== undefined || follower.poll() !== undefined)
  const ended = follower.ended()
  return ended === undefined ? follower : `${ended.code} ${ended.reason}`
}

const SPENT = '4401 ticket-spent'
const EXPIRED = '4401 session-expired'
const ENDED = '4403 session-ended'

async function ticketFor({ session }: Pick<Device, 'session'>): Promise<string> {
  const { status, body } = await send('POST', '/api/live/ticket', { bearer: session })
  expect(status, JSON.stringify(body)).toBe(200)
  expect(Object.keys(body)).toEqual(['success', 'ticket', 'expiresAt'])
  return body.ticket
}

test("[LV23] a ticket opens one socket, which is its session's, and no second one after a restart either", async () => {
  const { space, a, b } = await newSpace()
  const ticket = await ticketFor(a)
  const reader = await enter(ticket)
  if (typeof reader === 'string') throw new Error(reader)
  await b.sync({ changes: puts(['k/1']) })
  expect(await reader.next()).toMatchObject({ changes: [{ key: 'k/1' }] })
  expect(await enter(ticket)).toBe(SPENT)
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect(await enter(ticket)).toBe(SPENT)
  expect(typeof (await enter(await ticketFor(a)))).not.toBe('string')
  await send('DELETE', '/api/auth', { bearer: a.session })
  expect(await reader.closed()).toMatchObject({ code: 4403 })
})

test('[LV23] of two sockets that one ticket is to open at once, one opens', async () => {
  const { a } = await newSpace()
  const ticket = await ticketFor(a)
  const opened = await Promise.all(Array.from({ length: 8 }, () => enter(ticket)))
  expect(opened.filter((found) => typeof found !== 'string')).toHaveLength(1)
  expect(opened.filter((found) => found === SPENT)).toHaveLength(7)
})

test('[LV23] a ticket lives for a minute and no longer than its session, and an old one is no failed attempt', async () => {
  const { space, a } = await newSpace()
  const ticket = await ticketFor(a)
  const brief = await ticketFor({
    session: await sessionLike({ expiresAt: Math.floor(Date.now() / 1000) + 5 }),
  })
  const failures: string[] = []
  const FAILURE_LIMIT = { limit: async ({ key }: RateLimitOptions) => ({ success: failures.push(key) > 0 }) }
  const late = async (text: string, seconds: number) => {
    const headers = { upgrade: 'websocket', 'sec-websocket-protocol': `chronicle.v1, ticket.${text}` }
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 })
    const response = await handle(new Request('https://sync.example/api/live', { headers }), {
      ...env,
      FAILURE_LIMIT,
    })
    vi.useRealTimers()
    return outcome(response)
  }
  expect(await late(brief, 5)).toBe(SPENT)
  expect(await late(ticket, 60)).toBe(SPENT)
  expect(failures).toEqual([])
  expect(await late(`${ticket.slice(0, -2)}AA`, 0)).toBe('401 unauthorized')
  expect(failures).toHaveLength(1)
  // What the object has of it goes with the minute, and the object takes none that is older by its own clock.
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, ctx) => {
    const opened = openSpace(ctx, env)
    const now = Date.now()
    const old = { id: 'old', expiresAt: Math.floor(now / 1000) }
    expect(spendTicket(opened, old, now)).toMatchObject({ fault: { code: 'ticket-spent' } })
    expect(spendTicket(opened, { id: 'new', expiresAt: old.expiresAt + 60 }, now).ok).toBe(true)
    spendTicket(opened, { id: 'later', expiresAt: old.expiresAt + 200 }, now + 61_000)
    expect([...opened.revoked.keys()]).toEqual(['later'])
  })
})

test('[LV23] a ticket lends no scope, outlives no session, and opens no other route', async () => {
  const { a } = await newSpace()
  const writer = await sessionLike({ scopes: ['sync:write'] })
  expect((await send('POST', '/api/live/ticket', { bearer: writer })).body.code).toBe('forbidden-scope')
  const ticket = await ticketFor(a)
  expect(await enter(ticket, `?ticket=${ticket}`)).toBe('422 invalid-request')
  expect(await enter(ticket, '?collections=other')).not.toContain('403')
  expect(await enter(a.session)).toBe('401 unauthorized')
  expect((await askLive(ticket)).status).toBe(401)
  const protocols = { 'sec-websocket-protocol': `chronicle.v1, ticket.${await ticketFor(a)}` }
  for (const path of ['/api/status', '/api/entries?key=a/1']) {
    expect((await call(path, { headers: protocols })).status).toBe(401)
  }
  for (const bearer of [ticket, await ticketFor(a)]) {
    expect((await send('GET', '/api/status', { bearer })).body.code).toBe('unauthorized')
  }
  const ended = await ticketFor(a)
  await send('DELETE', '/api/auth', { bearer: a.session })
  expect(await enter(ended)).toBe(ENDED)
  expect((await send('POST', '/api/live/ticket', { bearer: a.session })).body.code).toBe('session-ended')
})

test('[LV23] a refused origin or a missing upgrade does not use up the ticket; the longest session has one', async () => {
  const { a } = await newSpace()
  const ticket = await ticketFor(a)
  expect(await enter(ticket, '', { origin: 'https://evil.example' })).toBe('403 forbidden-origin')
  expect(await enter(ticket, '', { upgrade: 'h2c' })).toBe('426 upgrade-required')
  expect(typeof (await enter(ticket))).not.toBe('string')
  const collections = Array.from({ length: 64 }, (_, index) => `${index}`.padEnd(80, 'x'))
  const long = await sessionLike({ collections })
  expect(long.length).toBeGreaterThan(7_000)
  expect(typeof (await enter(await ticketFor({ session: long }), '?collections=none'))).toBe('string')
  expect(await enter(await ticketFor({ session: long }), '?collections=none')).toBe(
    '403 forbidden-collection',
  )
})

test('[LV23] the Worker tells the object of a session in a header that the platform redacts, and no other', async () => {
  const { a } = await newSpace()
  const seen: Headers[] = []
  const CHRONICLE = withStubs(env.CHRONICLE, (method, call) => {
    if (method !== 'fetch') return call
    return (url, init) => {
      seen.push(new Request(url as string, init as RequestInit).headers)
      return call(url, init)
    }
  })
  const headers = {
    upgrade: 'websocket',
    'sec-websocket-protocol': `chronicle.v1, ticket.${await ticketFor(a)}`,
  }
  const request = new Request('https://sync.example/api/live', { headers })
  expect((await handle(request, { ...env, CHRONICLE })).status).toBe(101)
  const [sent] = seen
  const telling = [...(sent ?? [])].filter(([name]) => !/auth|jwt|key|secret|token/.test(name))
  expect(telling.filter(([name]) => !name.startsWith('sec-websocket-') && name !== 'connection')).toEqual([
    ['upgrade', 'websocket'],
  ])
  expect(sent?.get('x-chronicle-auth')).toContain('subject')
})

test('[LV30] a session that is over closes the socket of a page with the code that says why, and wakes nobody if expired', async () => {
  const { token, id } = await mint()
  const { session } = await device({ token })
  await send('DELETE', `/api/tokens/${id}`, { bearer: env.ADMIN_TOKEN })
  const expired = await sessionLike({ expiresAt: Math.floor(Date.now() / 1000) - 1 })
  expect(await enterWith(`bearer.${session}`)).toBe('4403 revoked')
  expect(await enterWith(`bearer.${expired}`)).toBe(EXPIRED)
  const asleep = {
    ...env,
    CHRONICLE: withStubs(env.CHRONICLE, () => () => Promise.reject(new Error('awake'))),
  }
  const protocols = { upgrade: 'websocket', 'sec-websocket-protocol': `chronicle.v1, bearer.${expired}` }
  const asked = new Request('https://sync.example/api/live', { headers: protocols })
  expect(await outcome(await handle(asked, asleep))).toBe(EXPIRED)
})

test('[LV30] a client that sends Authorization is told by HTTP, and so is a page whose request makes no sense', async () => {
  const { a } = await newSpace()
  await send('DELETE', '/api/auth', { bearer: a.session })
  const expired = await sessionLike({ expiresAt: Math.floor(Date.now() / 1000) - 1 })
  const plain = async (bearer: string) =>
    outcome(await call('/api/live', { headers: { upgrade: 'websocket', authorization: `Bearer ${bearer}` } }))
  expect(await plain(a.session)).toBe('401 session-ended')
  expect(await plain(expired)).toBe('401 session-expired')
  const forged = `${expired.slice(0, -3)}AAA`
  expect(await enterWith(`bearer.${forged}`)).toBe('401 unauthorized')
  const foreign = await sessionLike({}, { ENVIRONMENT: 'production' })
  expect(await enterWith(`bearer.${foreign}`)).toBe('401 unauthorized')
  expect(await enterWith(`bearer.${expired}`, '', { origin: 'https://evil.example' })).toBe(
    '401 session-expired',
  )
  expect(await enterWith(`bearer.${expired}`, '', { upgrade: 'h2c' })).toBe('401 session-expired')
  const bare = { upgrade: 'websocket', 'sec-websocket-protocol': `bearer.${expired}` }
  expect((await call('/api/live', { headers: bare })).status).toBe(401)
})

test('[LV30] a space that is busy, being filled or asked too much says so to a page, and when it is logged', async () => {
  const { a } = await newSpace()
  const bearer = `bearer.${a.session}`
  const headers = { upgrade: 'websocket', 'sec-websocket-protocol': `chronicle.v1, ${bearer}` }
  const asked = (more: Partial<Env>) =>
    handle(new Request('https://sync.example/api/live', { headers }), { ...env, ...more })
  const refusing = (fault: object) => ({
    CHRONICLE: withStubs(env.CHRONICLE, () => async () => Response.json(fault)),
  })
  const busy = { code: 'busy', limit: 250, retryAfterSeconds: 30 }
  const limited = { code: 'rate-limited', policy: 'client', limit: 1, retryAfterSeconds: 60 }
  const cases: [Partial<Env>, number][] = [
    [refusing(busy), 1013],
    [refusing({ code: 'importing', retryAfterSeconds: 10 }), 1013],
    [refusing(limited), 4429],
    [{ SYNC_LIMIT: { limit: async () => ({ success: false }) } }, 4429],
    [{ CHRONICLE: spacesIn(env.CHRONICLE, 'overloaded') }, 1013],
  ]
  for (const [more, code] of cases) {
    const lines = await overhear(async () => expect(await outcome(await asked(more))).toMatch(`${code} `))
    expect(lines.some((line) => line.includes('"status":101') && line.includes('"code"'))).toBe(true)
  }
  const guessing = new Request('https://sync.example/api/live', {
    headers: { ...headers, 'sec-websocket-protocol': `chronicle.v1, ${bearer.slice(0, -3)}AAA` },
  })
  const FAILURE_LIMIT = { limit: async () => ({ success: false }) }
  expect((await handle(guessing, { ...env, FAILURE_LIMIT })).status).toBe(429)
})

test("[LV2] a page on the API's own host opens a socket, and Authorization makes an origin count for nothing", async () => {
  const { a } = await newSpace()
  const bearer = `bearer.${a.session}`
  expect(typeof (await enterWith(bearer, '', { origin: 'https://sync.example' }))).toBe('object')
  for (const origin of [
    'http://sync.example',
    'https://sync.example:8443',
    'https://sync.example.evil.example',
  ])
    expect(await enterWith(bearer, '', { origin }), origin).toBe('403 forbidden-origin')
  for (const origin of ['https://sync.example', 'https://evil.example', 'null']) {
    const headers = { upgrade: 'websocket', authorization: `Bearer ${a.session}`, origin }
    expect((await call('/api/live', { headers })).status, origin).toBe(101)
    // A credential among the subprotocols counts first, and a page can put it there.
    const both = { ...headers, 'sec-websocket-protocol': `chronicle.v1, ${bearer}` }
    expect((await call('/api/live', { headers: both })).status).toBe(
      origin === 'https://sync.example' ? 101 : 403,
    )
  }
})

test('[LV2] an app whose pages have a scheme of their own opens a socket by its exact origin', async () => {
  const { a } = await newSpace()
  const origins = [
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'app://obsidian.md',
    `chrome-extension://${'a'.repeat(32)}`,
    'moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc',
  ]
  const CORS_ORIGINS = origins as unknown as Env['CORS_ORIGINS']
  const statusFor = async (origin: string) => {
    const offered = `chronicle.v1, bearer.${a.session}`
    const headers = { upgrade: 'websocket', origin, 'sec-websocket-protocol': offered }
    const request = new Request('https://sync.example/api/live', { headers })
    return (await handle(request, { ...env, CORS_ORIGINS })).status
  }
  for (const origin of origins) {
    expect(await statusFor(origin), origin).toBe(101)
    expect(await statusFor(`${origin}x`), origin).toBe(403)
  }
  expect(await statusFor('null')).toBe(403)
})
