import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import { DEFAULT_CONFIG } from '../../../worker/src/core/space/config.ts'
import { CONFIG_KEY } from '../../../worker/src/schema/stored/config.ts'
import { call, type Device, device, mint, type Reply, send } from '../../support/worker/client.ts'
import { type Follower, follow } from '../../support/worker/follower.ts'
import { nameOf, requestTo, routesFor } from '../../support/worker/routes.ts'

const T = Date.now() - 60_000

/** Routes that end the session of their request. */
const UNCOUNTED = ['DELETE /api/auth', 'DELETE /api/space']

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  await env.CHRONICLE_KV.delete(CONFIG_KEY)
  return () => vi.useRealTimers()
})

function pass(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000)
}

/** Configures the requests allowed a minute. */
async function allow(requestsPerMinute: object): Promise<Reply> {
  const { body } = await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
  const wanted = { revision: body.revision, requestsPerMinute }
  return send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body: wanted })
}

async function spaceOf(...clients: readonly string[]): Promise<readonly Device[]> {
  const { token } = await mint()
  return Promise.all(clients.map((clientId) => device({ token, clientId })))
}

/** Returns `in`, or the budget that is used up. */
async function asks(by: Device): Promise<string> {
  const { status, body } = await by.get('/api/status')
  return status === 429 ? body.policy : status === 200 ? 'in' : `${status} ${body.code}`
}

async function asksTimes(by: Device, times: number): Promise<readonly string[]> {
  const found: string[] = []
  for (let count = 0; count < times; count++) found.push(await asks(by))
  return found
}

test('[RL2] allows a client its requests a minute, and runs none past them', async () => {
  await allow({ client: 4 })
  const [a, b] = (await spaceOf('a', 'b')) as [Device, Device]
  const push = (batch: number) => a.sync({ batch, changes: [{ key: `k/${batch}`, value: 1, timestamp: T }] })
  for (const batch of [1, 2, 3, 4]) expect((await push(batch)).status).toBe(200)
  const refused = await push(5)
  expect(refused.body).toMatchObject({ status: 429, code: 'rate-limited', policy: 'client', success: false })
  expect((await b.get('/api/status')).body.entries).toBe(4)
  expect((await b.get('/api/entries?key=k/5')).status).toBe(404)
  pass(15)
  expect((await push(5)).body).toMatchObject({ success: true, replayed: false })
})

test('[RL2] counts a credential over all its clients, and a space over all its credentials', async () => {
  await allow({ client: 2, credential: 3, space: 5 })
  const space = crypto.randomUUID()
  const [first, second, third] = await Promise.all([mint({ space }), mint({ space }), mint({ space })])
  const open = (token: { token: string }, clientId: string) => device({ ...token, clientId })
  expect(await asksTimes(await open(first, 'a'), 4)).toEqual(['in', 'in', 'client', 'client'])
  expect(await asksTimes(await open(first, 'b'), 3)).toEqual(['in', 'credential', 'credential'])
  expect(await asksTimes(await open(second, 'a'), 3)).toEqual(['in', 'in', 'client'])
  expect(await asksTimes(await open(third, 'a'), 2)).toEqual(['space', 'space'])
  expect(await asksTimes((await spaceOf('a'))[0] as Device, 1)).toEqual(['in'])
})

test('[RL3] names the exhausted budget, its size and the time of the next request', async () => {
  await allow({ client: 5, credential: 7, space: 7 })
  const [a, b] = (await spaceOf('a', 'b')) as [Device, Device]
  await asksTimes(a, 5)
  const { headers, body } = await a.get('/api/status')
  expect(body).toMatchObject({ policy: 'client', limit: 5, windowSeconds: 60, retryAfterSeconds: 12 })
  expect(headers.get('retry-after')).toBe('12')
  expect(headers.get('ratelimit-policy')).toBe('"client";q=5;w=60')
  expect(headers.get('ratelimit')).toBe('"client";r=0;t=12')
  pass(11)
  expect((await a.get('/api/status')).headers.get('retry-after')).toBe('1')
  pass(1)
  expect(await asksTimes(a, 2)).toEqual(['in', 'client'])
  await asksTimes(b, 2)
  const other = await b.get('/api/status')
  expect(other.headers.get('ratelimit-policy')).toBe('"credential";q=7;w=60')
  expect(other.headers.get('ratelimit')).toBe('"credential";r=0;t=6')
})

test('[RL4] counts each route of a session once, except those that end it', async () => {
  await allow({ client: 2 })
  for (const route of routesFor('session')) {
    const name = nameOf(route)
    const space = crypto.randomUUID()
    const a = await device(await mint({ space, scopes: ['sync:read', 'sync:write', 'space:admin'] }))
    const body = name === 'DELETE /api/space' ? { body: { confirm: space } } : {}
    const ask = async () => (await call(...requestTo(route, { bearer: a.session, ...body }))).status
    if (UNCOUNTED.includes(name)) {
      await asksTimes(a, 2)
      expect(await ask(), name).toBe(200)
      continue
    }
    expect(await ask(), name).not.toBe(429)
    expect(await asks(a), name).toBe('in')
    expect(await ask(), name).toBe(429)
    expect(await asks(a), name).toBe('client')
  }
})

test('[RL4] counts a request that is refused for another reason, but none of an ended session', async () => {
  await allow({ credential: 3 })
  const [a, b] = (await spaceOf('a', 'b')) as [Device, Device]
  expect((await a.sync({ changes: 'wrong' })).status).toBe(422)
  expect(await asksTimes(a, 1)).toEqual(['in'])
  await send('DELETE', '/api/auth', { bearer: a.session })
  expect(await asksTimes(a, 4)).toEqual(Array(4).fill('401 session-ended'))
  expect(await asksTimes(b, 2)).toEqual(['in', 'credential'])
})

test("[RL4] charges nothing for the operator's requests and for opening sessions", async () => {
  await allow({ client: 1, credential: 1, space: 1 })
  const { token, id } = await mint()
  const [a] = await Promise.all([1, 2, 3].map(() => device({ token, clientId: 'a' })))
  expect(await asksTimes(a as Device, 2)).toEqual(['in', 'client'])
  expect((await send('DELETE', `/api/tokens/${id}`, { bearer: env.ADMIN_TOKEN })).status).toBe(200)
  expect(await asks(a as Device)).toBe('401 revoked')
})

test('[RL4] counts a push on a socket and refuses it as HTTP would, but does not count `seen`', async () => {
  await allow({ client: 4 })
  const [a, b] = (await spaceOf('a', 'b')) as [Device, Device]
  const socket = await follow(a)
  let { cursor } = await socket.next()
  socket.seen(cursor)
  const push = async (id: string) => {
    socket.say({ type: 'push', id, body: { changes: [{ key: `k/${id}`, value: 1, timestamp: T }], cursor } })
    const frame = await socket.next()
    if (frame.status === 200) {
      cursor = frame.body.cursor
      socket.seen(cursor)
    }
    return frame
  }
  for (const id of ['1', '2', '3']) expect((await push(id)).status, id).toBe(200)
  const refused = await push('4')
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate-limited', policy: 'client', limit: 4 } })
  expect(refused.body.retryAfterSeconds).toBe(15)
  const { body: overHttp } = await a.get('/api/status')
  expect({ ...refused.body, instance: '' }).toEqual({ ...overHttp, instance: '' })
  expect((await b.get('/api/status')).body.entries).toBe(3)
  pass(refused.body.retryAfterSeconds)
  expect((await push('5')).status).toBe(200)
})

test('[LV20] charges a client that confirms its frames for its pushes only', async () => {
  await allow({ client: 12 })
  const [a, b] = (await spaceOf('a', 'b')) as [Device, Device]
  const socket = await follow(b)
  socket.seen((await socket.next()).cursor)
  for (let round = 1; round <= 10; round++) {
    await a.sync({ changes: [{ key: 'k/1', value: round, timestamp: T + round }] })
    const frame = await socket.next()
    socket.say({ type: 'push', id: `${round}`, body: { changes: [] } })
    expect(await socket.next(), `${round}`).toMatchObject({ type: 'ack', status: 200 })
    socket.seen(frame.cursor)
  }
  expect(await asksTimes(b, 2)).toEqual(['in', 'client'])
})

/** Collects a summary of each frame until the socket ends, and its close code. */
async function spoken(socket: Follower): Promise<string> {
  const { code } = await socket.closed()
  const frames = await socket.rest()
  const found = frames.map(({ type, status, body }) => `${type} ${status ?? ''}${body?.code ?? ''}`)
  const counted = [...Map.groupBy(found, (one) => one)].map(([one, { length }]) => `${length} ${one}`)
  return [...counted, code].join(', ')
}

const NOISE: readonly [what: string, message: string, reply: string][] = [
  ['no JSON', '{', 'error not-json'],
  ['of no kind', '{"type":"x"}', 'error invalid-request'],
  ['a ping of its own spelling', '{ "type": "ping" }', 'pong '],
  ['a cursor that cannot be continued', '{"type":"seen","cursor":"x"}', 'error invalid-request'],
]

test.each(NOISE)('[LV20] charges any other message before it is read: %s', async (_, message, reply) => {
  await allow({ client: 4 })
  const [a] = (await spaceOf('a')) as [Device]
  const socket = await follow(a)
  await socket.next()
  // Opening the socket used one of the four requests.
  for (let count = 0; count < 60; count++) socket.say(message)
  expect(await spoken(socket)).toBe(`3 ${reply}, 16 error rate-limited, 4429`)
  expect(await asks(a)).toBe('client')
})

test('[LV20] charges a position that no frame led to, because the feed is read for it', async () => {
  await allow({ client: 4 })
  const [a, b] = (await spaceOf('a', 'b')) as [Device, Device]
  for (const value of [1, 2]) await b.sync({ changes: [{ key: 'k/1', value, timestamp: T + value }] })
  const { epoch } = (await b.get('/api/status')).body
  const socket = await follow(a)
  await socket.next()
  const came: string[] = []
  for (let count = 0; count < 8; count++) {
    socket.seen(`${epoch}.${count % 2}`)
    const frame = await socket.next()
    came.push(frame.type === 'error' ? frame.body.policy : frame.from)
  }
  expect(came).toEqual([...[0, 1, 0].map((seq) => `${epoch}.${seq}`), ...Array(5).fill('client')])
})

test('[LV20] refuses pushes over a budget, and ends the socket past sixteen more of them than were taken', async () => {
  await allow({ client: 3 })
  const [a] = (await spaceOf('a')) as [Device]
  const socket = await follow(a)
  await socket.next()
  const push = { type: 'push', id: 'x', body: { changes: [] } }
  for (let count = 0; count < 18; count++) socket.say(push)
  expect((await socket.rest()).map(({ status }) => status)).toEqual([200, 200, ...Array(16).fill(429)])
  pass(20)
  socket.say(push)
  expect(await socket.next()).toMatchObject({ status: 200 })
  for (let count = 0; count < 17; count++) socket.say({ ...push, body: 'x'.repeat(100_000) })
  // The push that was taken made up for one of the sixteen.
  expect(await spoken(socket)).toBe('1 ack 429rate-limited, 4429')
})

test('[RL4] opens no socket if a budget is used up', async () => {
  await allow({ client: 1 })
  const [a] = (await spaceOf('a')) as [Device]
  await asks(a)
  const refused = await call('/api/live', {
    headers: { upgrade: 'websocket', authorization: `Bearer ${a.session}` },
  })
  expect(await refused.json()).toMatchObject({ status: 429, policy: 'client' })
})

test('[RL6] applies changed budgets to a running space within half a minute, and reads KV no more often', async () => {
  const [a] = (await spaceOf('a')) as [Device]
  expect(await asksTimes(a, 6)).toEqual(Array(6).fill('in'))
  await allow({ client: 2 })
  let reads = 0
  const { get } = env.CHRONICLE_KV
  const counting = (...given: Parameters<typeof get>) => {
    reads += 1
    return get.apply(env.CHRONICLE_KV, given)
  }
  Object.assign(env.CHRONICLE_KV, { get: counting })
  try {
    pass(29)
    expect(await asksTimes(a, 3)).toEqual(['in', 'in', 'in'])
    expect(reads).toBe(0)
    pass(1)
    // The space has read KV three times within the second.
    expect(await asksTimes(a, 2)).toEqual(['client', 'client'])
    // The Worker reads after half a minute, and the space because the Worker knows a newer revision.
    expect(reads).toBe(2)
  } finally {
    // Nothing stays on the binding itself: its prototype has the method.
    Reflect.deleteProperty(env.CHRONICLE_KV, 'get')
  }
  await allow({ client: 8 })
  pass(30)
  expect(await asksTimes(a, 3)).toEqual(['in', 'in', 'in'])
})

test('[RL6] uses the default for a budget that is left out, and for a configuration stored before budgets existed', async () => {
  const defaults = { client: 600, credential: 3000, space: 6000 }
  expect((await allow({ client: 7 })).body.requestsPerMinute).toEqual({ ...defaults, client: 7 })
  const { requestsPerMinute, quota: _, ...before } = { ...DEFAULT_CONFIG, quota: null, revision: 1 }
  expect(requestsPerMinute).toEqual(defaults)
  await env.CHRONICLE_KV.put(CONFIG_KEY, JSON.stringify(before))
  const { body } = await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
  expect(body.requestsPerMinute).toEqual(defaults)
  const space = crypto.randomUUID()
  const a = await device(await mint({ space }))
  expect(await asks(a)).toBe('in')
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage: { sql } }) => {
    sql.exec(`INSERT OR REPLACE INTO meta VALUES ('config', ?)`, JSON.stringify(before))
  })
  expect(await asks(a)).toBe('in')
})

test.each([
  [{ client: 0 }, 'client'],
  [{ credential: 1.5 }, 'credential'],
  [{ space: -1 }, 'space'],
  [{ space: 1_000_001 }, 'space'],
  [{ client: '5' }, 'client'],
  [{ device: 5 }, 'device'],
  [600, 'requestsPerMinute'],
])('[RL6] refuses an invalid budget and names its path: %j', async (wanted, place) => {
  const reply = await allow(wanted as object)
  expect(reply).toMatchObject({ status: 422, body: { code: 'invalid-request' } })
  expect(reply.body.detail).toContain(place)
})
