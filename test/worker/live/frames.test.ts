import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { MAX_FRAME_BYTES } from '../../../worker/src/core/values/socket-limits.ts'
import { age } from '../../support/worker/ageing.ts'
import { type Device, device, mint, newSpace, send } from '../../support/worker/client.ts'
import { follow } from '../../support/worker/follower.ts'
import { type Entry, numbered, puts, roomOf, T } from '../../support/worker/room.ts'

test('[LV3] sends frames from cursor to cursor with the entries of the feed', async () => {
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
  // A repeated `seen` changes nothing.
  socket.seen(first.cursor)
  expect(await socket.rest()).toEqual([])
})

test('[LV3] follows a client that has pulled meanwhile from the position that it confirms', async () => {
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

test('[LV3] sends a resolved conflict like any change', async () => {
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

test('[LV4] brings a stale copy up to date, and sends the head to a client without a cursor', async () => {
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

test('[LV5] sends nothing of other collections, not even that something happened', async () => {
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

test('[LV6] sends one poke past a hundred entries, and continues at the position that the client confirms', async () => {
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

test('[LV6] sends a poke past 64 KiB', async () => {
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

test('[LV6] sends a frame at once to a client that is still behind after its pull', async () => {
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

test('[LV6] sends a poke for a cursor that cannot be continued, and an error for one of other collections', async () => {
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

test('[LV6] sends a poke for a cursor below the floor, because a dropped deletion could not reach it', async () => {
  const { space, a, b } = await newSpace()
  const { cursor } = (await a.sync({ changes: puts(['k/1', 'k/2']), cursor: null })).body
  await a.sync({ changes: [{ key: 'k/1', deleted: true, timestamp: T + 1 }] })
  await a.sync({ changes: puts(['k/3']) })
  const stood = (await a.get('/api/changes')).body.cursor
  await age(space, 100)
  const behind = await follow(b, `?cursor=${cursor}`)
  expect((await behind.rest()).map(({ type }) => type)).toEqual(['poke'])
  behind.seen(cursor)
  expect(await behind.next()).toMatchObject({ type: 'error', body: { code: 'invalid-request' } })
  expect((await b.get(`/api/changes?cursor=${cursor}`)).body.reset).toBe(true)
  const current = await follow(b, `?cursor=${stood}`)
  await a.sync({ changes: puts(['k/4']) })
  expect(await current.next()).toMatchObject({ from: stood, changes: [{ key: 'k/4' }] })
})

test('[LV6] lets a client start over in an empty space', async () => {
  const { a, b } = await newSpace()
  const socket = await follow(b, '?cursor=other.1')
  expect((await socket.next()).type).toBe('poke')
  const page = (await b.get('/api/changes?cursor=other.1')).body
  socket.seen(page.cursor)
  await a.sync({ changes: puts(['k/1']) })
  expect(await socket.next()).toMatchObject({ from: page.cursor, changes: [{ key: 'k/1' }] })
})
