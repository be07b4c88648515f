import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { answer } from '../../worker/src/http/edge.ts'
import { spendTicket } from '../../worker/src/objects/admission.ts'
import { openSpace } from '../../worker/src/objects/space.ts'
import { withStubs } from '../support/unkind-spaces.ts'
import { call, type Device, newSpace, send } from './client.ts'
import { askLive, followerOn } from './follower.ts'
import { sessionLike } from './session.ts'

const T = Date.now() - 60_000

function puts(keys: readonly string[], value: unknown = 'x'): object[] {
  return keys.map((key) => ({ key, value, timestamp: T }))
}

/** A socket that is asked for with a ticket; the code of the refusal otherwise. */
async function enter(
  ticket: string,
  query = '',
  headers: Record<string, string> = {},
): Promise<Response | string> {
  const protocols = { 'sec-websocket-protocol': `chronicle.v1, ticket.${ticket}` }
  const response = await call(`/api/live${query}`, {
    headers: { upgrade: 'websocket', ...protocols, ...headers },
  })
  if (response.status === 101) return response
  return `${response.status} ${((await response.json()) as { code: string }).code}`
}

async function ticketFor({ session }: Pick<Device, 'session'>): Promise<string> {
  const { status, body } = await send('POST', '/api/live/ticket', { bearer: session })
  expect(status, JSON.stringify(body)).toBe(200)
  expect(Object.keys(body)).toEqual(['success', 'ticket', 'expiresAt'])
  return body.ticket
}

test("[LV23] a ticket opens one socket, which is its session's, and no second one after a restart either", async () => {
  const { space, a, b } = await newSpace()
  const ticket = await ticketFor(a)
  const opened = await enter(ticket)
  if (typeof opened === 'string') throw new Error(opened)
  expect(opened.headers.get('sec-websocket-protocol')).toBe('chronicle.v1')
  const reader = followerOn(opened.webSocket as WebSocket)
  await reader.next()
  await b.sync({ changes: puts(['k/1']) })
  expect(await reader.next()).toMatchObject({ changes: [{ key: 'k/1' }] })
  expect(await enter(ticket)).toBe('401 ticket-spent')
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect(await enter(ticket)).toBe('401 ticket-spent')
  expect(typeof (await enter(await ticketFor(a)))).not.toBe('string')
  await send('DELETE', '/api/auth', { bearer: a.session })
  expect(await reader.closed()).toMatchObject({ code: 4403 })
})

test('[LV23] of two sockets that one ticket is to open at once, one opens', async () => {
  const { a } = await newSpace()
  const ticket = await ticketFor(a)
  const opened = await Promise.all(Array.from({ length: 8 }, () => enter(ticket)))
  expect(opened.filter((outcome) => typeof outcome !== 'string')).toHaveLength(1)
  expect(opened.filter((outcome) => outcome === '401 ticket-spent')).toHaveLength(7)
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
    const response = await answer(new Request('https://sync.example/api/live', { headers }), {
      ...env,
      FAILURE_LIMIT,
    })
    vi.useRealTimers()
    return response.status === 101 ? 'open' : ((await response.json()) as { code: string }).code
  }
  expect(await late(brief, 5)).toBe('ticket-spent')
  expect(await late(ticket, 60)).toBe('ticket-spent')
  expect(failures).toEqual([])
  expect(await late(`${ticket.slice(0, -2)}AA`, 0)).toBe('unauthorized')
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
  expect(await enter(ended)).toBe('401 session-ended')
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
  expect((await answer(request, { ...env, CHRONICLE })).status).toBe(101)
  const [sent] = seen
  const telling = [...(sent ?? [])].filter(([name]) => !/auth|jwt|key|secret|token/.test(name))
  expect(telling.filter(([name]) => !name.startsWith('sec-websocket-') && name !== 'connection')).toEqual([
    ['upgrade', 'websocket'],
  ])
  expect(sent?.get('x-chronicle-auth')).toContain('subject')
})
