import { describe, expect, test } from 'vitest'
import type { SyncRequest } from '../../../../client/src/values/wire.ts'
import { Hand, settle } from '../../../support/client/hand.ts'
import { contentOf, handDevice } from '../../../support/client/hand-device.ts'
import { cursorOf, live, write } from '../../../support/client/hand-live.ts'
import { PlainService, problem } from '../../../support/client/plain-service.ts'

describe('a socket', () => {
  test('is opened with a ticket and the collections, and carries the edits', async () => {
    const device = await live({ collections: ['notes', 'tags'] })
    const { db, service, socket } = device
    expect(socket().protocols).toEqual(['chronicle.v1', 'ticket.ticket'])
    expect(socket().url).toBe('wss://sync.test/api/live?collections=notes%2Ctags')
    expect(db.status.getSnapshot()).toMatchObject({ live: true, online: true })
    const before = service.count('/api/sync')
    await db.collection('notes').put('a', { n: 1 }).synced
    expect(service.count('/api/sync')).toBe(before)
    expect(service.values()).toEqual({ 'notes/a': { n: 1 } })
  })

  test('brings what others write without a request, and confirms it', async () => {
    const device = await live()
    const { db, service, socket } = device
    const before = service.requests.length
    for (let n = 0; n < 3; n += 1) socket().say(write(device, await cursorOf(device), 'notes/a', { n }))
    await settle()
    for (let n = 3; n < 6; n += 1) {
      socket().say(write(device, await cursorOf(device), 'notes/a', { n }))
      await settle()
    }
    expect(await contentOf(db)).toEqual({ a: { n: 5 } })
    expect(service.requests.length).toBe(before)
  })

  test('that pokes, or sends a frame that does not fit, lets the client pull', async () => {
    const device = await live()
    const { db, service, socket } = device
    service.write('notes/a', { n: 1 })
    socket().say({ type: 'poke', head: 'one.1' })
    await settle()
    expect(await contentOf(db)).toEqual({ a: { n: 1 } })
    socket().say(write(device, 'one.77', 'notes/a', { n: 2 }))
    await settle()
    expect(await contentOf(db)).toEqual({ a: { n: 2 } })
    const pulls = socket().sent.filter(({ type }) => type === 'push').length
    socket().say({ type: 'changes', from: 'one.0', cursor: await cursorOf(device), changes: [] })
    await settle()
    expect(socket().sent.filter(({ type }) => type === 'push')).toHaveLength(pulls)
  })

  test('never lets an empty copy skip what is there already', async () => {
    const service = new PlainService()
    service.write('notes/old', { n: 1 })
    service.answer = ({ path }) => (path === '/api/sync' ? problem(503, 'busy') : undefined)
    const fresh = new Hand()
    fresh.sockets.onNew = async (socket) => {
      await Promise.resolve()
      socket.open()
      for (let tick = 0; tick < 20; tick += 1) {
        await Promise.resolve()
        socket.say({ type: 'changes', from: null, cursor: 'one.1', changes: [] })
      }
    }
    const { db, store } = await handDevice({ hand: fresh, service, platform: fresh.withSockets })
    await settle()
    expect((await store.read({})).state?.cursor).toBeNull()
    service.answer = () => undefined
    fresh.sockets.onNew = () => {}
    fresh.sockets.last.end(1006)
    await fresh.pass(10_000)
    expect(await contentOf(db)).toEqual({ old: { n: 1 } })
  })
})

describe('a socket that closes', () => {
  const cases: [number, string, number, boolean][] = [
    [1003, 'send text messages', 0, false],
    [1006, '', 0, false],
    [1009, 'the message is too large', 0, false],
    [1011, 'the service failed', 0, false],
    [1013, 'an import fills the space; reconnect later', 10_000, false],
    [4401, 'session-expired', 0, true],
    [4401, 'ticket-spent', 0, false],
    [4403, 'session-ended', 0, true],
    [4403, 'revoked', 0, true],
    [4403, 'space-erased', 0, true],
    [4429, 'too many messages; reconnect after a minute', 60_000, false],
  ]
  test.each(cases)('with %i %s is opened again', async (code, reason, waitMs, needsSession) => {
    const { db, hand, service, socket } = await live()
    const sessions = service.count('/api/auth')
    socket().end(code, reason)
    await settle()
    expect(db.status.getSnapshot().live).toBe(false)
    expect(hand.sockets.all).toHaveLength(1)
    if (waitMs > 0) await hand.pass(waitMs - 100)
    expect(hand.sockets.all).toHaveLength(1)
    await hand.pass(1_000)
    expect(hand.sockets.all).toHaveLength(2)
    expect(service.count('/api/auth') - sessions).toBe(needsSession ? 1 : 0)
    expect(db.status.getSnapshot().live).toBe(true)
  })

  test('asks for a minute of silence, and a page that is seen again does not end it', async () => {
    const { hand, socket } = await live()
    socket().end(4429, 'too many messages')
    await settle()
    for (let second = 0; second < 50; second += 1) {
      await hand.wake()
      await hand.pass(1_000)
    }
    expect(hand.sockets.all).toHaveLength(1)
    await hand.pass(11_000)
    expect(hand.sockets.all).toHaveLength(2)
  })

  test('in the middle of a push leaves the batch, which takes effect once', async () => {
    const { db, hand, service, socket } = await live()
    socket().onSent = ({ type, body }) => {
      if (type !== 'push') return
      service.sync(body as SyncRequest, 'id-1')
      socket().end(1006)
    }
    const edit = db.collection('notes').put('a', { n: 1 })
    await edit
    await hand.pass(5_000)
    expect(await edit.synced).toMatchObject({ status: 'applied', version: 'one.1' })
    expect(await contentOf(db)).toEqual({ a: { n: 1 } })
  })

  test('again and again is opened less and less often', async () => {
    const { hand } = await live()
    const { onNew } = hand.sockets
    hand.sockets.onNew = (socket) => {
      onNew(socket)
      setImmediate(() => socket.end(1011))
    }
    hand.sockets.last.end(1011)
    await hand.pass(600_000)
    expect(hand.sockets.all.length).toBeGreaterThan(10)
    expect(hand.sockets.all.length).toBeLessThan(25)
  })
})

describe('a connection that died without a word', () => {
  test('is found by a ping that nothing answers', async () => {
    const { db, hand, socket } = await live()
    socket().onSent = () => {}
    await hand.pass(31_000)
    expect(socket().sent.at(-1)).toEqual({ type: 'ping' })
    await hand.pass(12_000)
    expect(hand.sockets.all).toHaveLength(2)
    expect(db.status.getSnapshot().live).toBe(true)
  })

  test('is kept while its pings are answered', async () => {
    const { hand } = await live()
    await hand.pass(300_000)
    expect(hand.sockets.all).toHaveLength(1)
  })

  test('does not hold a push for ever, even if pings are answered', async () => {
    const { db, hand, socket, service } = await live()
    const first = socket()
    first.onSent = ({ type }) => {
      if (type === 'ping') queueMicrotask(() => first.say({ type: 'pong' }))
    }
    const edit = db.collection('notes').put('a', { n: 1 })
    await edit
    await hand.pass(120_000)
    expect(service.values()).toEqual({ 'notes/a': { n: 1 } })
    expect(await edit.synced).toMatchObject({ status: 'applied' })
  })
})

test('frames do not cut a wait short that the service asked for, and are shown meanwhile', async () => {
  const device = await live()
  const { db, hand, socket } = device
  const cursor = await cursorOf(device)
  const pushes = () => socket().sent.filter(({ type }) => type === 'push').length
  socket().onSent = ({ type, id }) => {
    const refusal = { status: 429, code: 'rate-limited', detail: '', retryAfterSeconds: 60 }
    if (type === 'push') queueMicrotask(() => socket().say({ type: 'ack', id, status: 429, body: refusal }))
  }
  await db.collection('notes').put('a', { n: 1 })
  await settle()
  const before = pushes()
  expect(before).toBeGreaterThan(0)
  socket().say(write(device, cursor, 'notes/b', { n: 2 }))
  await hand.pass(20_000)
  expect(pushes()).toBe(before)
  expect(await contentOf(db)).toEqual({ a: { n: 1 }, b: { n: 2 } })
})

test('a service that is down for an hour gets few requests, over sockets too', async () => {
  const { hand, service, socket } = await live()
  service.answer = () => problem(503, 'busy')
  socket().end(1011)
  await settle()
  const before = service.requests.length
  await hand.pass(3_600_000)
  expect(service.requests.length - before).toBeLessThan(200)
})
