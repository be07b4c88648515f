import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Device, device, mint, newSpace, send } from '../../support/worker/client.ts'
import { askPlainly, follow, listeners, until } from '../../support/worker/follower.ts'
import { exportOf, upload } from '../../support/worker/imports.ts'
import { type Entry, numbered, pushed, puts, roomOf } from '../../support/worker/room.ts'
import { sessionLike } from '../../support/worker/session.ts'

test('[LV11] ends a socket with 4401 at the first event after its session expired, and sends nothing', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const space = crypto.randomUUID()
  const expiresAt = Math.floor(Date.now() / 1000) + 60
  const session = await sessionLike({ space, expiresAt })
  const lasting = { session: await sessionLike({ space, client: 'd' }) }
  const [reader, writer, other] = [
    await follow({ session }),
    await follow({ session }),
    await follow(lasting),
  ]
  await Promise.all([reader.next(), writer.next(), other.next()])
  vi.setSystemTime(expiresAt * 1000)
  writer.say({ type: 'push', id: 'late', body: { changes: puts(['k/late']) } })
  expect(await writer.closed()).toMatchObject({ code: 4401 })
  expect(await writer.rest()).toEqual([])
  await pushed(other, 'x', { changes: puts(['k/1']) })
  expect(await reader.closed()).toMatchObject({ code: 4401 })
  expect(await reader.rest()).toEqual([])
  const { body } = await send('GET', '/api/changes', { bearer: lasting.session })
  expect(body.changes.map(({ key }: Entry) => key)).toEqual(['k/1'])
})

test('[LV12] ends a socket with 4403 at once when its session ends, its token is revoked or its space erased', async () => {
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

test('[LV13] keeps position, filter, poke, unconfirmed frames and session through hibernation', async () => {
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

test('[LV16] keeps the other sockets working when one goes away', async () => {
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

test('[LV16] closes only the sockets that need an unreadable part of the log, with 1011', async () => {
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
  await evictDurableObject(env.CHRONICLE.getByName(space))
  const current = await follow(b)
  await current.next()
  const behind = await follow(b, `?cursor=${start}`)
  expect(await behind.closed()).toMatchObject({ code: 1011 })
  await a.sync({ changes: puts(['k/2']) })
  expect(await current.next()).toMatchObject({ changes: [{ key: 'k/2' }] })
})

test('[LV17] sends an import to the sockets of an empty space, and ends them if the import stops half-way', async () => {
  const entries = [{ key: 'k/1', value: 1 }]
  for (const [text, status] of [
    [exportOf(entries), 200],
    [exportOf(entries, { type: 'rubbish' }), 422],
  ] as const) {
    const scopes = ['sync:read', 'sync:write', 'space:admin']
    const { devices } = await roomOf(1, { scopes })
    const [a] = devices as [Device]
    const socket = await follow(a)
    const { cursor } = await socket.next()
    expect((await upload(a, text)).status).toBe(status)
    if (status === 200) expect(await socket.next()).toMatchObject({ from: cursor, changes: [{ key: 'k/1' }] })
    else expect(await socket.closed()).toMatchObject({ code: 1013 })
    expect(await socket.rest()).toEqual([])
    expect((await askPlainly(a.session)).status).toBe(status === 200 ? 101 : 503)
  }
})
