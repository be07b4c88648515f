import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Session } from '../../worker/src/core/access/session.ts'
import type { Listener } from '../../worker/src/core/feed/listener.ts'
import { MAX_MESSAGE_BYTES } from '../../worker/src/core/values/limits.ts'
import {
  MAX_ATTACHMENT_LENGTH,
  MAX_FRAME_BYTES,
  MAX_REFUSED_MESSAGES,
  MAX_UNSEEN,
  MAX_UNSEEN_REPLY_BYTES,
} from '../../worker/src/core/values/socket-limits.ts'
import { handle } from '../../worker/src/http/edge.ts'
import { CONFIG_KEY } from '../../worker/src/schema/config.ts'
import { olderSpaces, withStubs } from '../support/unkind-spaces.ts'
import { overhear } from '../support/witness.ts'
import { call, configure, type Device, device, mint, newSpace, send } from './client.ts'
import { askLive, askPlainly, type Follower, follow, listeners, pause, until } from './follower.ts'
import { bareSession, sessionLike } from './session.ts'

const T = Date.now() - 60_000

interface Entry {
  readonly key: string
  readonly value?: unknown
  readonly version: string
}

function puts(keys: readonly string[], value: unknown = 'x'): object[] {
  return keys.map((key) => ({ key, value, timestamp: T }))
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}/${index}`)
}

async function roomOf(count: number, wanted: object = {}): Promise<{ space: string; devices: Device[] }> {
  const space = crypto.randomUUID()
  const { token } = await mint({ space, ...wanted })
  const devices = await Promise.all(Array.from({ length: count }, () => device({ token })))
  return { space, devices }
}

/** What a session says of itself, as the object is told. */
function claimsIn(session: string): Session {
  const claims = JSON.parse(atob((session.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')))
  const { jti: id, tid: token, sub: subject, iat, exp: expiresAt, ...rest } = claims
  return { id, token, subject, issuedAt: iat * 1000, expiresAt, ...rest }
}

test('[LV1] opens with the session among the subprotocols, and names only its own', async () => {
  const { a } = await newSpace()
  const opened = await askLive(a.session)
  expect(opened.status).toBe(101)
  expect(opened.headers.get('sec-websocket-protocol')).toBe('chronicle.v1')
  expect(opened.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  const headers = { upgrade: 'websocket', authorization: `Bearer ${a.session}` }
  const plain = await call('/api/live', { headers })
  expect(plain.status).toBe(101)
  expect(plain.headers.get('sec-websocket-protocol')).toBeNull()
})

test('[ED11] a Worker and an object of one release apart open sockets, or say when to come again', async () => {
  const { space, a } = await newSpace()
  const session = { ...claimsIn(a.session), expiresAt: Math.floor(Date.now() / 1000) + 60 }
  const opening = encodeURIComponent(JSON.stringify({ session: { ...session, space }, query: {} }))
  const old = await env.CHRONICLE.getByName(space).fetch('https://space/', {
    headers: { upgrade: 'websocket', opening },
  })
  expect(old.status).toBe(101)
  const CHRONICLE = withStubs(env.CHRONICLE, (method, call) =>
    // What JSON.parse says of the header that the last release looks for and does not find.
    method === 'fetch' ? async () => JSON.parse('') : call,
  )
  const headers = { upgrade: 'websocket', authorization: `Bearer ${a.session}` }
  const refused = await handle(new Request('https://sync.example/api/live', { headers }), {
    ...env,
    CHRONICLE,
  })
  expect(await refused.json()).toMatchObject({ status: 503, code: 'busy' })
  const lacking = { ...env, CHRONICLE: olderSpaces(env.CHRONICLE, ['ticket']) }
  const asked = new Request('https://sync.example/api/live/ticket', { method: 'POST', headers })
  expect(await (await handle(asked, lacking)).json()).toMatchObject({ status: 503, code: 'busy' })
})

test('[LV1] refuses what is no upgrade, no session, or another protocol', async () => {
  const session = await sessionLike({})
  const bearer = { authorization: `Bearer ${session}` }
  const protocol = (text: string) => ({ upgrade: 'websocket', 'sec-websocket-protocol': text })
  const refused: [string, RequestInit, string][] = [
    ['', { headers: bearer }, '426 upgrade-required'],
    ['', { headers: { ...bearer, upgrade: 'h2c' } }, '426 upgrade-required'],
    ['', { headers: { upgrade: 'websocket' } }, '401 unauthorized'],
    ['', { headers: protocol('chronicle.v1') }, '401 unauthorized'],
    ['', { headers: protocol('chronicle.v1, bearer.rubbish') }, '401 unauthorized'],
    ['', { headers: protocol('chronicle.v1, bearer.') }, '401 unauthorized'],
    ['', { headers: protocol(`bearer.${session}`) }, '422 invalid-request'],
    ['', { headers: protocol(`chronicle.v2, bearer.${session}`) }, '422 invalid-request'],
    [`?session=${session}`, { headers: { ...bearer, upgrade: 'websocket' } }, '422 invalid-request'],
    ['?cursor=a&cursor=b', { headers: { ...bearer, upgrade: 'websocket' } }, '422 invalid-request'],
  ]
  for (const [query, init, expected] of refused) {
    const response = await call(`/api/live${query}`, init)
    const { status, code } = (await response.json()) as { status: number; code: string }
    expect(`${status} ${code}`, JSON.stringify(init)).toBe(expected)
    if (status === 426) expect(response.headers.get('upgrade')).toBe('websocket')
  }
  // The runtime makes a GET of a HEAD that asks for a socket; other servers of the Worker may not.
  const head = new Request('https://sync.example/api/live', {
    method: 'HEAD',
    headers: { ...bearer, upgrade: 'websocket' },
  })
  expect((await handle(head, env)).status).toBe(426)
  expect((await call('/api/live', { method: 'OPTIONS' })).headers.get('allow')).toBe('GET, HEAD, OPTIONS')
})

test('[LV2] refuses pages of other origins, and what the token does not grant', async () => {
  const { a } = await newSpace()
  expect((await askLive(a.session, '', { origin: 'http://localhost:3000' })).status).toBe(101)
  for (const origin of ['https://evil.example', 'null', 'http://localhost:30000']) {
    const response = await askLive(a.session, '', { origin })
    expect(response.status, origin).toBe(403)
    expect(response.webSocket).toBeNull()
  }
  const writer = await sessionLike({ scopes: ['sync:write'] })
  expect(await (await askLive(writer)).json()).toMatchObject({ status: 403, code: 'forbidden-scope' })
  const some = await sessionLike({ collections: ['k'] })
  expect(await (await askLive(some, '?collections=k,z')).json()).toMatchObject({
    code: 'forbidden-collection',
  })
  await send('DELETE', '/api/auth', { bearer: a.session })
  expect(await (await askPlainly(a.session)).json()).toMatchObject({ status: 401, code: 'session-ended' })
})

test('[LV3] frames lead from cursor to cursor, with what the feed has', async () => {
  const { a, b } = await newSpace()
  const { cursor } = (await b.sync({ changes: [], cursor: null })).body
  const socket = await follow(b, `?cursor=${cursor}`)
  const pushed = await a.sync({ changes: puts(['k/1', 'k/2']) })
  const first = await socket.next()
  const pulled = await b.get(`/api/changes?cursor=${cursor}`)
  expect(first).toEqual({
    type: 'changes',
    from: cursor,
    cursor: pulled.body.cursor,
    changes: pulled.body.changes,
  })
  expect(first.cursor).toBe(pushed.body.head)
  socket.seen(first.cursor)
  await a.sync({ changes: [{ key: 'k/1', deleted: true, timestamp: T + 1 }] })
  const second = await socket.next()
  expect(second).toMatchObject({ from: first.cursor, changes: [{ key: 'k/1', deleted: true }] })
  // Said twice, it leads nowhere else.
  socket.seen(first.cursor)
  expect(await socket.rest()).toEqual([])
})

test('[LV3] a client that has pulled meanwhile is followed from where it says that it stands', async () => {
  const { a, b } = await newSpace()
  const socket = await follow(b)
  const { cursor } = await socket.next()
  await a.sync({ changes: puts(['k/1', 'k/2', 'k/3']) })
  const passed = await socket.next()
  const page = (await b.get(`/api/changes?cursor=${cursor}&limit=2`)).body
  socket.seen(page.cursor)
  const frame = await socket.next()
  expect(frame).toMatchObject({ from: page.cursor, cursor: passed.cursor, changes: [{ key: 'k/3' }] })
  socket.seen(passed.cursor)
  socket.seen(passed.cursor)
  await a.sync({ changes: puts(['k/4']) })
  expect(await socket.next()).toMatchObject({ from: passed.cursor, changes: [{ key: 'k/4' }] })
  expect(await socket.rest()).toEqual([])
})

test('[LV3] a resolved conflict is told like any change', async () => {
  const { a, b } = await newSpace()
  await send('PUT', '/api/config', {
    bearer: env.ADMIN_TOKEN,
    body: { revision: 0, policies: { m: 'manual' } },
  })
  await a.sync({ changes: [{ key: 'm/1', value: 1, timestamp: T, base: null }] })
  const { body } = await b.sync({ changes: [{ key: 'm/1', value: 2, timestamp: T, base: null }] })
  const socket = await follow(a)
  await socket.next()
  const [{ id, winner }] = body.conflicts
  await send('POST', `/api/conflicts/${id}/resolve`, {
    bearer: b.session,
    body: { choice: 'loser', base: winner.version },
  })
  expect(await socket.next()).toMatchObject({ changes: [{ key: 'm/1', value: 2 }] })
})

test('[LV4] brings a copy that is behind up to date, and tells who names no cursor where it stands', async () => {
  const { a, b } = await newSpace()
  const { cursor } = (await b.sync({ changes: [], cursor: null })).body
  const head = (await a.sync({ changes: puts(['k/1']), cursor: null })).body.cursor
  const behind = await follow(b, `?cursor=${cursor}`)
  expect(await behind.next()).toMatchObject({ from: cursor, cursor: head, changes: [{ key: 'k/1' }] })
  const current = await follow(b, `?cursor=${head}`)
  expect(await current.rest()).toEqual([])
  const fresh = await follow(b)
  expect(await fresh.rest()).toEqual([{ type: 'changes', from: null, cursor: head, changes: [] }])
  await a.sync({ changes: puts(['k/2']) })
  expect(await fresh.next()).toMatchObject({ from: head, changes: [{ key: 'k/2' }] })
})

test('[LV5] nothing of other collections arrives, not even that something happened', async () => {
  const { space, devices } = await roomOf(1)
  const [a] = devices as [Device]
  const some = await device(await mint({ space, collections: ['k', 'q'] }))
  const granted = await follow(some)
  const asked = await follow(a, '?collections=k')
  const start = (await granted.next()).cursor
  await asked.next()
  for (let round = 0; round < 3; round++) await a.sync({ changes: puts([`z/${round}`], 'canary') })
  expect(await granted.rest()).toEqual([])
  expect(await asked.rest()).toEqual([])
  await a.sync({ changes: puts(['z/9', 'k/1', 'q/1'], 'canary') })
  const frame = await granted.next()
  expect(frame.from).toBe(start)
  expect(frame.changes.map(({ key }: Entry) => key)).toEqual(['k/1', 'q/1'])
  expect((await asked.next()).changes.map(({ key }: Entry) => key)).toEqual(['k/1'])
  const pulled = await some.get(`/api/changes?cursor=${frame.cursor}`)
  expect(pulled.body).toMatchObject({ reset: false, changes: [] })
})

test('[LV6] past a hundred entries it says to pull, once, and goes on where the client says it stands', async () => {
  const { a, b } = await newSpace()
  const socket = await follow(b)
  await socket.next()
  await a.sync({ changes: puts(numbered('n', 100)) })
  const { changes, cursor } = await socket.next()
  expect(changes).toHaveLength(100)
  const { head } = (await a.sync({ changes: puts(numbered('n', 101), 'y') })).body
  expect(await socket.rest()).toEqual([{ type: 'poke', head }])
  await a.sync({ changes: puts(['k/1']) })
  expect(await socket.rest()).toEqual([])
  socket.seen(cursor)
  expect(await socket.rest()).toEqual([])
  const page = (await b.get(`/api/changes?cursor=${cursor}`)).body
  socket.seen(page.cursor)
  expect(await socket.rest()).toEqual([])
  await a.sync({ changes: puts(['k/2']) })
  expect(await socket.next()).toMatchObject({ type: 'changes', from: page.cursor, changes: [{ key: 'k/2' }] })
})

test('[LV6] so it does past 64 KiB', async () => {
  const { a, b } = await newSpace()
  const socket = await follow(b)
  socket.seen((await socket.next()).cursor)
  await a.sync({ changes: puts(['k/1'], '') })
  const empty = await socket.next()
  socket.seen(empty.cursor)
  const room = MAX_FRAME_BYTES - JSON.stringify(empty).length
  for (const excess of [-1, 0, 1]) {
    await a.sync({ changes: puts(['k/1'], 'v'.repeat(room + excess)) })
    const frame = await socket.next()
    expect(frame.type, `${excess}`).toBe(excess <= 0 ? 'changes' : 'poke')
    if (excess <= 0) socket.seen(frame.cursor)
  }
})

test('[LV6] a client that is still behind after it pulled is told at once', async () => {
  const { a, b } = await newSpace()
  const socket = await follow(b)
  const { cursor } = await socket.next()
  await a.sync({ changes: puts(numbered('n', 150)) })
  expect((await socket.next()).type).toBe('poke')
  const page = (await b.get(`/api/changes?cursor=${cursor}&limit=100`)).body
  socket.seen(page.cursor)
  const frame = await socket.next()
  expect(frame).toMatchObject({ type: 'changes', from: page.cursor })
  expect(frame.changes).toHaveLength(50)
})

test('[LV6] a cursor that cannot be continued is told to pull; so is, with an error, one of other collections', async () => {
  const { a, b } = await newSpace()
  for (const cursor of ['other.1', 'rubbish', '']) {
    const socket = await follow(b, `?cursor=${cursor}`)
    expect((await socket.next()).type).toBe('poke')
    await a.sync({ changes: puts(['k/1'], crypto.randomUUID()) })
    expect(await socket.rest()).toEqual([])
    const page = (await b.get(`/api/changes?cursor=${cursor}`)).body
    expect(page.reset).toBe(true)
    const other = (await b.get('/api/changes?collections=z')).body
    socket.seen(other.cursor)
    expect(await socket.next()).toMatchObject({
      type: 'error',
      body: { status: 422, code: 'invalid-request' },
    })
    socket.seen(page.cursor)
    await a.sync({ changes: puts(['k/2'], crypto.randomUUID()) })
    expect(await socket.next()).toMatchObject({ from: page.cursor, changes: [{ key: 'k/2' }] })
  }
})

test('[LV6] an empty space is no trap for a client that starts over', async () => {
  const { a, b } = await newSpace()
  const socket = await follow(b, '?cursor=other.1')
  expect((await socket.next()).type).toBe('poke')
  const page = (await b.get('/api/changes?cursor=other.1')).body
  socket.seen(page.cursor)
  await a.sync({ changes: puts(['k/1']) })
  expect(await socket.next()).toMatchObject({ from: page.cursor, changes: [{ key: 'k/1' }] })
})

test('[LV7] what is unconfirmed is bounded: 32 frames, or 64 KiB, then only a poke', async () => {
  const { space, a, b } = await newSpace()
  for (const [size, most] of [
    [1, 32],
    [20_000, 3],
  ] as const) {
    const socket = await follow(b)
    await socket.next()
    for (let round = 0; round < most + 3; round++) {
      await a.sync({ changes: puts(['k/1'], `${crypto.randomUUID()}${round}`.padEnd(size, 'x')) })
      await until(async () =>
        (await listeners(space)).every(({ unseen, poked }) => poked || unseen.length > round),
      )
    }
    const frames = await socket.rest()
    expect(frames.map(({ type }) => type)).toEqual([...Array(most).fill('changes'), 'poke'])
    const last = frames.at(-2).cursor
    socket.seen(last)
    expect(await socket.rest()).toEqual([])
    const page = (await b.get(`/api/changes?cursor=${last}`)).body
    socket.seen(page.cursor)
    await a.sync({ changes: puts(['k/1'], crypto.randomUUID()) })
    expect(await socket.next()).toMatchObject({ type: 'changes', from: page.cursor })
    socket.close()
    await socket.closed()
  }
})

test('[LV7] who has not confirmed for half a minute is closed at the next change, and nobody else', async () => {
  const { space, a, b } = await newSpace()
  const [slow, quick] = [await follow(b), await follow(b)]
  await slow.next()
  await quick.next()
  await a.sync({ changes: puts(['k/1']) })
  await slow.next()
  quick.seen((await quick.next()).cursor)
  await until(async () => (await listeners(space)).some(({ unseen }) => unseen.length === 0))
  const age = (ms: number) =>
    listeners(space, (listener) => ({
      ...listener,
      unseen: listener.unseen.map(([seq, bytes, at]) => [seq, bytes, at - ms] as const),
    }))
  await age(29_000)
  await a.sync({ changes: puts(['k/2']) })
  expect(await slow.next()).toMatchObject({ changes: [{ key: 'k/2' }] })
  quick.seen((await quick.next()).cursor)
  await until(async () => (await listeners(space)).some(({ unseen }) => unseen.length === 0))
  await age(1_001)
  await a.sync({ changes: puts(['k/3']) })
  expect(await slow.closed()).toMatchObject({ code: 1013 })
  expect(await slow.rest()).toEqual([])
  expect(await quick.next()).toMatchObject({ changes: [{ key: 'k/3' }] })
})

async function pushed(socket: Follower, id: string, body: unknown) {
  socket.say({ type: 'push', id, body })
  for (;;) {
    const frame = await socket.next()
    if (frame.type === 'ack' && frame.id === id) return frame
  }
}

test('[LV8] a push is answered under its id as POST /api/sync would answer', async () => {
  const { a, b } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  const body = {
    batch: 1,
    changes: [
      { key: 'k/1', value: { t: 1 }, timestamp: T, base: null },
      { key: '/bad', value: 1, timestamp: T },
    ],
  }
  const ack = await pushed(socket, 'first', body)
  expect(ack).toMatchObject({
    type: 'ack',
    status: 200,
    body: {
      success: false,
      synced: ['k/1'],
      results: [{ status: 'applied' }, { code: 'invalid-key' }],
      replayed: false,
    },
  })
  const again = await pushed(socket, 'again', body)
  expect(again.body).toMatchObject({ results: ack.body.results, replayed: true })
  const overHttp = await a.sync(body)
  expect({ ...overHttp.body, serverTime: 0 }).toEqual({ ...again.body, serverTime: 0 })
  expect((await b.get('/api/entries?key=k/1')).body.value).toEqual({ t: 1 })
})

test('[LV8] refuses a push with the problem that HTTP has, and stores nothing', async () => {
  const { space, a } = await newSpace()
  const reader = await device(await mint({ space, scopes: ['sync:read'] }))
  const [socket, reading] = [await follow(a), await follow(reader)]
  const change = { key: 'k/1', value: 1, timestamp: T }
  const cases: [unknown, object][] = [
    ['text', { status: 422, code: 'invalid-request' }],
    [{}, { status: 422, code: 'invalid-request' }],
    [
      { changes: [change], more: 1 },
      { status: 422, code: 'invalid-request' },
    ],
    [{ changes: Array(501).fill(change) }, { status: 413, code: 'too-many-changes', limit: 500 }],
    [
      { changes: [change], clientId: 'other' },
      { status: 403, code: 'foreign-client' },
    ],
    [
      { changes: [change], batch: 2 },
      { status: 409, code: 'batch-gap', expected: 1 },
    ],
    [
      { changes: [change, { key: '', value: 1, timestamp: T }], atomic: true },
      { status: 409, code: 'atomic-failed' },
    ],
  ]
  for (const [body, expected] of cases) {
    const ack = await pushed(socket, 'x', body)
    expect(ack.status, JSON.stringify(ack)).toBe((expected as { status: number }).status)
    expect(ack.body).toMatchObject({ ...expected, success: false, conflicts: [], synced: [] })
    const { body: overHttp } = await send('POST', '/api/sync', { body, bearer: a.session })
    expect({ ...ack.body, instance: '' }).toEqual({ ...overHttp, instance: '' })
  }
  expect((await pushed(reading, 'x', { changes: [change] })).body).toMatchObject({ code: 'forbidden-scope' })
  expect((await a.get('/api/status')).body.entries).toBe(0)
})

test('[LV8] pushes take effect in the order in which they were sent', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  for (let batch = 1; batch <= 30; batch++) {
    // A long one takes longer to seal than the short one after it.
    const value = 'v'.repeat(batch % 2 === 0 ? 1 : 250_000)
    socket.say({ type: 'push', id: String(batch), body: { batch, changes: puts([`k/${batch}`], value) } })
  }
  const acks = (await socket.rest()).filter(({ type }) => type === 'ack')
  expect(acks.map(({ id, status }) => `${id} ${status}`)).toEqual(
    Array.from({ length: 30 }, (_, n) => `${n + 1} 200`),
  )
})

test('[LV9] a push with a cursor moves the client on: its own changes do not come again', async () => {
  const { a, b } = await newSpace()
  const socket = await follow(a)
  const { cursor } = await socket.next()
  await b.sync({ changes: puts(['b/1']) })
  await socket.next()
  const ack = await pushed(socket, 'x', { changes: puts(['a/1']), cursor })
  expect(ack.body).toMatchObject({ changes: [{ key: 'b/1' }], cursor: ack.body.head })
  expect(await socket.rest()).toEqual([])
  await b.sync({ changes: puts(['b/2']) })
  expect(await socket.next()).toMatchObject({ from: ack.body.cursor, changes: [{ key: 'b/2' }] })
  const blind = await pushed(socket, 'y', { changes: puts(['a/2']) })
  expect(blind.body).not.toHaveProperty('cursor')
  expect(await socket.next()).toMatchObject({ changes: [{ key: 'a/2' }], cursor: blind.body.head })
})

test('[LV9] frames and answers make one chain, whatever others write meanwhile', async () => {
  const { a, b } = await newSpace()
  const socket = await follow(a)
  let { cursor } = await socket.next()
  const writing = (async () => {
    for (let round = 0; round < 60; round++) {
      await b.sync({ changes: puts([`b/${round}`]) })
      await pause(1)
    }
  })()
  const steps = { frames: 0, acks: 0 }
  const step = async () => {
    const frame = await socket.next()
    if (frame.type === 'changes') expect(frame.from).toBe(cursor)
    steps[frame.type === 'ack' ? 'acks' : 'frames'] += 1
    cursor = frame.cursor ?? frame.body.cursor
    socket.seen(cursor)
  }
  const pushing = (async () => {
    for (let round = 0; round < 60; round++) {
      socket.say({ type: 'push', id: `${round}`, body: { changes: puts([`a/${round}`]), cursor } })
      await pause(1)
    }
  })()
  while (steps.acks < 60) await step()
  await Promise.all([writing, pushing])
  const { head } = (await a.get('/api/status')).body
  while (cursor !== head) await step()
  console.info(`LV9: ${JSON.stringify(steps)}`)
})

test('[LV9] the cursor of a push confirms what was sent up to there', async () => {
  const { space, a, b } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  await b.sync({ changes: puts(['b/1']) })
  const { cursor } = await socket.next()
  await pushed(socket, 'x', { changes: puts(['a/1']), cursor })
  expect((await listeners(space)).map(({ unseen }) => unseen.length)).toEqual([1])
})

test('[LV9] a pull on the socket ends the silence after a poke; one of other collections does not move it', async () => {
  const { a, b } = await newSpace()
  const socket = await follow(b)
  const { cursor } = await socket.next()
  await a.sync({ changes: puts(numbered('n', 150)) })
  expect((await socket.next()).type).toBe('poke')
  await pushed(socket, 'other', { changes: [], cursor: null, collections: ['z'] })
  await a.sync({ changes: puts(['k/1']) })
  expect(await socket.rest()).toEqual([])
  const ack = await pushed(socket, 'pull', { changes: [], cursor })
  expect(ack.body.changes).toHaveLength(151)
  await a.sync({ changes: puts(['k/2']) })
  expect(await socket.next()).toMatchObject({ from: ack.body.cursor, changes: [{ key: 'k/2' }] })
})

test('[LV7] who asks on and on and confirms nothing is closed', async () => {
  const { a } = await newSpace()
  for (let round = 0; round < 4; round++) {
    await a.sync({ changes: puts(numbered(`v${round}`, 4), 'v'.repeat(250_000)) })
  }
  const socket = await follow(a, `?cursor=${(await a.get('/api/status')).body.head}`)
  for (let round = 0; round < 4; round++) {
    await pushed(socket, `${round}`, { changes: [], cursor: null })
  }
  socket.say({ type: 'push', id: 'more', body: { changes: [], cursor: null } })
  expect(await socket.closed()).toMatchObject({ code: 1013 })
})

test('[LV7] of acks with a cursor 64 may be unconfirmed; one more push is not taken, and ends the socket', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  for (let batch = 1; batch <= 70; batch++) {
    const changes = puts([`k/${batch}`])
    socket.say({ type: 'push', id: `${batch}`, body: { batch, changes, cursor: null, limit: 1 } })
  }
  expect(await socket.closed()).toMatchObject({ code: 1013 })
  const acks = (await socket.rest()).filter(({ type }) => type === 'ack')
  expect(acks.map(({ id }) => id)).toEqual(Array.from({ length: 64 }, (_, n) => `${n + 1}`))
  expect((await a.get('/api/status')).body.entries).toBe(64)
})

test('[LV7] the largest session and filter fit beside all that may be unconfirmed', async () => {
  const { space } = await newSpace()
  const at = Number.MAX_SAFE_INTEGER
  const collections = ['']
  const base = { session: bareSession(), filter: collections }
  const length = MAX_ATTACHMENT_LENGTH - JSON.stringify([base.session, collections]).length
  collections[0] = '\u4e00'.repeat(length)
  const listener: Listener = {
    ...base,
    epoch: 'k3x9q2k3x9q2',
    place: { seq: at, scan: at },
    cursor: `k3x9q2k3x9q2.${at}-${at}.1q2w3e4r5t6y7u`,
    stood: at,
    poked: true,
    unseen: Array.from({ length: MAX_UNSEEN }, () => [at, MAX_UNSEEN_REPLY_BYTES, at + 0.5, true] as const),
    replies: MAX_UNSEEN,
    refusals: MAX_REFUSED_MESSAGES,
  }
  expect(JSON.stringify([listener.session, listener.filter])).toHaveLength(MAX_ATTACHMENT_LENGTH)
  await runInDurableObject(env.CHRONICLE.getByName(space), () => {
    const [socket] = Object.values(new WebSocketPair())
    socket?.serializeAttachment(listener)
    expect(socket?.deserializeAttachment()).toEqual(listener)
  })
})

test('[LV10] a message that is no push may have 4 KiB', async () => {
  const { a } = await newSpace()
  for (const [text, excess] of [
    ['{"type":"ping" }', 0],
    ['{"type":"ping" }', 1],
    ['{', 1],
    [`{"type":"seen","cursor":"${'x'.repeat(900_000)}"}`, 1],
  ] as const) {
    const socket = await follow(a)
    await socket.next()
    socket.say(text.padEnd(4096 + excess, ' '))
    if (excess === 0) expect(await socket.next()).toEqual({ type: 'pong' })
    else expect(await socket.closed()).toMatchObject({ code: 1009 })
  }
})

test('[LV10] answers a ping without waking the object, and any other message with an error', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  socket.say('{"type":"ping"}')
  expect(await socket.next()).toEqual({ type: 'pong' })
  socket.say('{ "type": "ping" }')
  expect(await socket.next()).toEqual({ type: 'pong' })
  const wrong: [string, string][] = [
    ['', 'not-json'],
    ['{', 'not-json'],
    ['null', 'invalid-request'],
    ['[]', 'invalid-request'],
    ['{}', 'invalid-request'],
    ['{"type":"toString"}', 'invalid-request'],
    ['{"type":"seen"}', 'invalid-request'],
    ['{"type":"seen","cursor":1}', 'invalid-request'],
    ['{"type":"seen","cursor":"x"}', 'invalid-request'],
    ['{"type":"push","body":{}}', 'invalid-request'],
    [`{"type":"push","id":"${'x'.repeat(65)}","body":{}}`, 'invalid-request'],
    ['{"type":"push","id":7,"body":{"changes":[]}}', 'invalid-request'],
    ['{"type":"push","id":"\\ud800","body":{"changes":[]}}', 'invalid-request'],
    ['{"type":"seen","cursor":"\\ud800"}', 'invalid-request'],
    ['{"type":"seen","id":"x"', 'not-json'],
  ]
  for (const [text, code] of wrong) {
    socket.say(text)
    expect(await socket.next(), text).toMatchObject({ type: 'error', body: { code, success: false } })
  }
  expect(await pushed(socket, 'still', { changes: [] })).toMatchObject({ status: 200 })
})

test('[ER12] every push that tells its id is answered by it, whatever is wrong with its message', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  const long = 'y'.repeat(10_000)
  const wrong: [string, number, string][] = [
    ['{"type":"push","id":"x"}', 422, 'invalid-request'],
    ['{"type":"push","id":"x","body":null}', 422, 'invalid-request'],
    ['{"type":"push","id":"x","body":[]}', 422, 'invalid-request'],
    ['{"type":"push","id":"x","body":{"changes":[]},"more":1}', 422, 'invalid-request'],
    ['{"body":{"changes":[]},"more":{"type":1},"id":"x","type":"push"}', 422, 'invalid-request'],
    [`{"type":"push","id":"x","body":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 422, 'invalid-request'],
    ['{"type":"push","id":"x","body":{"changes":[{"key":"\\ud800"}]}}', 422, 'invalid-request'],
    ['{"type":"push","id":"x","body":{"changes":[]', 400, 'not-json'],
    ['{"id":"x","type":"push","body":{"changes":[]', 400, 'not-json'],
    ['{ "type": "push", "id": "x", "body": {"changes": [,]}}', 400, 'not-json'],
    [`{"type":"push","id":"x","body":{"changes":[{"key":"${long}"`, 400, 'not-json'],
    [`{"type":"push","id":"x","body":${'['.repeat(1_000_000)}`, 400, 'not-json'],
  ]
  for (const [text, status, code] of wrong) {
    socket.say(text)
    const ack = await socket.next()
    expect(ack, text.slice(0, 80)).toMatchObject({
      type: 'ack',
      id: 'x',
      status,
      body: { code, success: false },
    })
  }
  expect(await pushed(socket, 'still', { changes: [] })).toMatchObject({ status: 200 })
})

test('[LV10] ends with 1003 what is no text', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  socket.say(new TextEncoder().encode('{"type":"ping"}').buffer)
  expect(await socket.closed()).toMatchObject({ code: 1003 })
})

test('[LV10] takes a message up to its limit, and ends with 1009 what is larger', async () => {
  const { a } = await newSpace()
  for (const excess of [-1, 0, 1]) {
    const socket = await follow(a)
    await socket.next()
    const message = JSON.stringify({ type: 'push', id: 'x', body: { changes: [] } })
    socket.say(message.padEnd(MAX_MESSAGE_BYTES + excess, ' '))
    if (excess <= 0) expect(await socket.next()).toMatchObject({ type: 'ack', status: 200 })
    else expect(await socket.closed()).toMatchObject({ code: 1009 })
  }
})

test('[LV10] whatever fits into a request fits into a message', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  const body = { batch: 1, changes: puts(numbered('v', 4), 'v'.repeat(262_000)) }
  expect(JSON.stringify(body).length).toBeLessThan(1_048_576)
  expect((await pushed(socket, 'x'.repeat(64), body)).body.synced).toHaveLength(4)
})

test('[LV11] ends with 4401 at the first event after the session expired: nothing flows', async () => {
  const space = crypto.randomUUID()
  const expiresAt = Math.floor(Date.now() / 1000) + 2
  const session = await sessionLike({ space, expiresAt })
  const lasting = { session: await sessionLike({ space, client: 'd' }) }
  const [reader, writer, other] = [
    await follow({ session }),
    await follow({ session }),
    await follow(lasting),
  ]
  await Promise.all([reader.next(), writer.next(), other.next()])
  await pause(expiresAt * 1000 - Date.now() + 20)
  writer.say({ type: 'push', id: 'late', body: { changes: puts(['k/late']) } })
  expect(await writer.closed()).toMatchObject({ code: 4401 })
  expect(await writer.rest()).toEqual([])
  await pushed(other, 'x', { changes: puts(['k/1']) })
  expect(await reader.closed()).toMatchObject({ code: 4401 })
  expect(await reader.rest()).toEqual([])
  const { body } = await send('GET', '/api/changes', { bearer: lasting.session })
  expect(body.changes.map(({ key }: Entry) => key)).toEqual(['k/1'])
})

test('[LV12] ends with 4403 at once when the session ends, the token is revoked or the space erased', async () => {
  const space = crypto.randomUUID()
  const [first, second] = [await mint({ space }), await mint({ space })]
  const [a, a2, b] = [await device(first), await device(first), await device(second)]
  const [onA, onA2, onB] = [await follow(a), await follow(a2), await follow(b)]
  await send('DELETE', '/api/auth', { bearer: a.session })
  expect(await onA.closed()).toEqual({ code: 4403, reason: 'session-ended' })
  await send('DELETE', `/api/tokens/${first.id}`, { bearer: env.ADMIN_TOKEN })
  expect(await onA2.closed()).toEqual({ code: 4403, reason: 'revoked' })
  await onB.rest()
  await b.sync({ changes: puts(['k/1']) })
  expect(await onB.next()).toMatchObject({ changes: [{ key: 'k/1' }] })
  const admin = await device(await mint({ space, scopes: ['space:admin'] }))
  await send('DELETE', '/api/space', { bearer: admin.session, body: { confirm: space } })
  expect(await onB.closed()).toEqual({ code: 4403, reason: 'space-erased' })
})

test('[LV13] hibernation forgets nothing: place, filter, poke, what is unconfirmed, and whom to close', async () => {
  const { space, a, b } = await newSpace()
  const sleep = () => evictDurableObject(env.CHRONICLE.getByName(space))
  const filtered = await follow(b, '?collections=k')
  const poked = await follow(b)
  await Promise.all([filtered.next(), poked.next()])
  await sleep()
  await a.sync({ changes: puts(['k/1', ...numbered('z', 120)]) })
  const first = await filtered.next()
  expect(first.changes).toMatchObject([{ key: 'k/1' }])
  expect((await poked.next()).type).toBe('poke')
  await sleep()
  await a.sync({ changes: puts(['k/2', 'z/1'], 2) })
  const second = await filtered.next()
  expect(second).toMatchObject({ from: first.cursor, changes: [{ key: 'k/2' }] })
  expect(await poked.rest()).toEqual([])
  expect((await listeners(space)).map(({ unseen }) => unseen.length).sort()).toEqual([0, 2])
  await sleep()
  filtered.seen(second.cursor)
  filtered.say('{"type":"ping"}')
  expect(await filtered.next()).toEqual({ type: 'pong' })
  expect((await listeners(space)).map(({ unseen }) => unseen.length)).toEqual([0, 0])
  await sleep()
  expect(await pushed(filtered, 'x', { changes: [] })).toMatchObject({ status: 200 })
  await sleep()
  await send('DELETE', '/api/auth', { bearer: b.session })
  expect(await filtered.closed()).toMatchObject({ code: 4403 })
  expect(await poked.closed()).toMatchObject({ code: 4403 })
})

test('[LV20] the seen after a poke is free, whatever the page that was pulled led to', async () => {
  await configure({ requestsPerMinute: { client: 6 } })
  const space = crypto.randomUUID()
  const [writer, reader] = [await device(await mint({ space })), await device(await mint({ space }))]
  let { cursor } = (await writer.sync({ cursor: null, changes: [{ key: 'k/0', value: 0, timestamp: T }] }))
    .body
  const socket = await follow(reader, `?cursor=${cursor}`)
  for (let n = 1; n <= 4; n++) {
    await writer.sync({ changes: [{ key: `k/${n}`, value: 'x'.repeat(100_000), timestamp: T }] })
    expect((await socket.next()).type).toBe('poke')
    const pulled = await reader.get(`/api/changes?cursor=${cursor}`)
    expect(pulled.status).toBe(200)
    cursor = pulled.body.cursor
    socket.seen(cursor)
  }
  await pause(50)
  expect(socket.poll()).toBeUndefined()
  await env.CHRONICLE_KV.delete(CONFIG_KEY)
})

test('[LV20] a flood in gusts ends its socket, and a long message over budget is answered by its id unread', async () => {
  await configure({ requestsPerMinute: { client: 1 } })
  const reader = await device(await mint({ space: crypto.randomUUID() }))
  const socket = await follow(reader)
  await socket.next()
  const long = (id: string) => `{"type":"push","id":"${id}","body":{"changes":[],"x":"${'y'.repeat(10_000)}"`
  socket.say(long('no-json-at-all'))
  expect(await socket.next()).toMatchObject({ type: 'ack', id: 'no-json-at-all', status: 429 })
  for (let n = 0; n < 16; n++) socket.say(long(`p${n}`))
  expect(await socket.closed()).toMatchObject({ code: 4429 })
  await env.CHRONICLE_KV.delete(CONFIG_KEY)
})

test('[LV14] a filter that does not fit beside the session is refused', async () => {
  const names = (length: number) =>
    Array.from({ length: 64 }, (_, n) => `${n}`.padStart(length, 'c')).join(',')
  const session = await sessionLike({})
  expect((await askLive(session, `?collections=${names(100)}`)).status).toBe(101)
  const refused = await askLive(session, `?collections=${names(128)}`)
  expect(await refused.json()).toMatchObject({
    status: 422,
    detail: 'collections: too many and too long for a socket.',
  })
})

test('[LV15] a push is logged and counted, without contents', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  const points: AnalyticsEngineDataPoint[] = []
  const { writeDataPoint } = env.ANALYTICS
  env.ANALYTICS.writeDataPoint = (point = {}) => points.push(point)
  const lines = await overhear(async () => {
    await pushed(socket, 'x', { changes: puts(['secret-key'], 'secret-value') })
    await pushed(socket, 'y', { changes: 'wrong' })
  }).finally(() => {
    env.ANALYTICS.writeDataPoint = writeDataPoint
  })
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { message: 'request', method: 'PUSH', route: '/api/live', status: 200 },
    { message: 'request', method: 'PUSH', route: '/api/live', status: 422, code: 'invalid-request' },
  ])
  const request = (code: string) => ['request', 'unreleased', '/api/live', 'PUSH', code]
  expect(points.map(({ blobs }) => blobs)).toEqual([
    request(''),
    ['sync', 'unreleased'],
    request('invalid-request'),
  ])
  const noted = lines.join('\n') + JSON.stringify(points)
  for (const secret of ['secret-key', 'secret-value', a.session]) expect(noted).not.toContain(secret)
})

test('[LV16] a socket that goes away troubles no other', async () => {
  const { space, a, b } = await newSpace()
  const sockets = await Promise.all(Array.from({ length: 6 }, () => follow(b)))
  await Promise.all(sockets.map((socket) => socket.next()))
  sockets[1]?.close(1000, 'bye')
  sockets[3]?.close()
  await a.sync({ changes: puts(['k/1']) })
  for (const index of [0, 2, 4, 5])
    expect(await sockets[index]?.next()).toMatchObject({ changes: [{ key: 'k/1' }] })
  expect(await sockets[1]?.closed()).toMatchObject({ code: 1000 })
  await sockets[3]?.closed()
  await until(async () => (await listeners(space)).length === 4)
})

test('[LV16] where the log cannot be read, those who need it are closed with 1011, and the object goes on', async () => {
  const { space, a, b } = await newSpace()
  await a.sync({ changes: puts(['k/1'], 'v'.repeat(20_000)) })
  const start = `${(await a.get('/api/status')).body.epoch}.0`
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
    const { first, body } = storage.sql
      .exec<{ first: number; body: ArrayBuffer }>('SELECT first, body FROM segment')
      .one()
    const bytes = new Uint8Array(body)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    storage.sql.exec('UPDATE segment SET body = ? WHERE first = ?', bytes, first)
  })
  const current = await follow(b)
  await current.next()
  const behind = await follow(b, `?cursor=${start}`)
  expect(await behind.closed()).toMatchObject({ code: 1011 })
  await a.sync({ changes: puts(['k/2']) })
  expect(await current.next()).toMatchObject({ changes: [{ key: 'k/2' }] })
})

test('[LV17] who follows an empty space hears of what fills it; one that is half full ends its sockets', async () => {
  const header = {
    type: 'header',
    format: 'chronicle-export',
    version: 1,
    space: 's',
    epoch: 'e',
    head: 'e.9',
    exportedAt: 1,
  }
  const entry = { key: 'k/1', value: 1, timestamp: 5, version: 'e.1', by: 'a' }
  const finish = { type: 'end', entries: 1, cursor: 'e.9' }
  for (const [lines, status] of [
    [[header, entry, finish], 200],
    [[header, entry, { type: 'rubbish' }], 422],
  ] as const) {
    const scopes = ['sync:read', 'sync:write', 'space:admin']
    const { devices } = await roomOf(1, { scopes })
    const [a] = devices as [Device]
    const socket = await follow(a)
    const { cursor } = await socket.next()
    const headers = { authorization: `Bearer ${a.session}`, 'content-type': 'application/x-ndjson' }
    const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    expect((await call('/api/import', { method: 'POST', headers, body })).status).toBe(status)
    if (status === 200) expect(await socket.next()).toMatchObject({ from: cursor, changes: [{ key: 'k/1' }] })
    else expect(await socket.closed()).toMatchObject({ code: 1013 })
    expect(await socket.rest()).toEqual([])
    expect((await askPlainly(a.session)).status).toBe(status === 200 ? 101 : 503)
  }
})

/**
 * A client by the book: it applies a frame that begins at its cursor, and knows one that ends there. At any other it
 * pulls, says where it stands, and lets pass what was under way until a frame begins there.
 */
async function byTheBook(device: Device, socket: Follower, isDone: () => boolean) {
  const copy = new Map<string, unknown>()
  const seen = { frames: 0, pulls: 0, pokes: 0 }
  let cursor: string | null = null
  const apply = (changes: Entry[]) => {
    for (const { key, value } of changes) copy.set(key, value)
  }
  const pull = async () => {
    seen.pulls += 1
    for (let more = true; more; ) {
      const { body }: { body: { changes: Entry[]; cursor: string; more: boolean } } = await device.get(
        `/api/changes${cursor === null ? '' : `?cursor=${cursor}`}`,
      )
      apply(body.changes)
      cursor = body.cursor
      more = body.more
    }
  }
  await pull()
  socket.seen(cursor ?? '')
  let pulled = true
  for (let quiet = 0; quiet < 60; quiet++) {
    const frame = socket.poll()
    if (frame === undefined) {
      if (!isDone()) quiet = 0
      await pause(5)
      continue
    }
    quiet = 0
    if (frame.type === 'changes' && frame.from === cursor) {
      apply(frame.changes)
      cursor = frame.cursor
      seen.frames += 1
      pulled = false
    } else if (frame.type === 'poke' || (frame.cursor !== cursor && !pulled)) {
      seen.pokes += Number(frame.type === 'poke')
      await pull()
      pulled = true
    }
    socket.seen(cursor ?? '')
  }
  return { copy, cursor, seen }
}

test('[LV3] a client by the book converges with the feed, whatever is pushed meanwhile', async () => {
  const { devices } = await roomOf(5)
  const [reader, ...writers] = devices as [Device, ...Device[]]
  const socket = await follow(reader)
  let done = false
  const following = byTheBook(reader, socket, () => done)
  await Promise.all(
    writers.map(async (writer, place) => {
      for (let round = 0; round < 25; round++) {
        const many =
          round % 9 === place
            ? numbered(`w${place}`, 130)
            : [`k/${(round * 7 + place) % 20}`, `w${place}/${round}`]
        await pause(place)
        await writer.sync({ batch: round + 1, changes: puts(many, `${place}.${round}`) })
      }
    }),
  )
  done = true
  const { copy, cursor, seen } = await following
  const whole = new Map<string, unknown>()
  let position: string | null = null
  for (let more = true; more; ) {
    const { body }: { body: { changes: Entry[]; cursor: string; more: boolean } } = await reader.get(
      `/api/changes${position === null ? '' : `?cursor=${position}`}`,
    )
    for (const { key, value } of body.changes) whole.set(key, value)
    position = body.cursor
    more = body.more
  }
  expect(copy).toEqual(whole)
  expect(cursor).toBe(position)
  expect(seen.frames).toBeGreaterThan(5)
  console.info(`LV3: ${JSON.stringify(seen)}, ${copy.size} entries`)
})
