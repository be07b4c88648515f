import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Listener } from '../../../worker/src/core/feed/listener.ts'
import { REPORT_DELAY_MS } from '../../../worker/src/core/values/report-limits.ts'
import {
  MAX_ATTACHMENT_LENGTH,
  MAX_REFUSED_MESSAGES,
  MAX_UNSEEN,
  MAX_UNSEEN_FRAMES,
  MAX_UNSEEN_REPLY_BYTES,
  SEEN_DEADLINE_MS,
} from '../../../worker/src/core/values/socket-limits.ts'
import { newSpace } from '../../support/worker/client.ts'
import { changeListeners, follow, listeners, pause, until } from '../../support/worker/follower.ts'
import { numbered, pushed, puts } from '../../support/worker/room.ts'
import { bareSession } from '../../support/worker/session.ts'
import { onBench } from './socket-bench.ts'

test('[LV7] sends at most 32 unconfirmed frames or 64 KiB, then a poke', async () => {
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

test('[LV7] takes one `seen` for all frames up to its position, and no other', async () => {
  const { space, a, b } = await newSpace()
  const socket = await follow(b)
  await socket.next()
  const cursors: string[] = []
  for (const key of ['k/1', 'k/2', 'k/3', 'k/4']) {
    await a.sync({ changes: puts([key]) })
    cursors.push((await socket.next()).cursor)
  }
  const unconfirmed = async () => (await listeners(space)).flatMap(({ unseen }) => unseen.map(([seq]) => seq))
  await until(async () => (await unconfirmed()).length === 4)
  socket.seen(cursors[2] ?? '')
  await until(async () => (await unconfirmed()).length === 1)
  expect(await unconfirmed()).toEqual([4])
  socket.close()
})

test('[LV7] closes only the socket that has confirmed nothing for half a minute, at the next change', async () => {
  const { space, a, b } = await newSpace()
  const [slow, quick] = [await follow(b), await follow(b)]
  await slow.next()
  await quick.next()
  await a.sync({ changes: puts(['k/1']) })
  await slow.next()
  quick.seen((await quick.next()).cursor)
  await until(async () => (await listeners(space)).some(({ unseen }) => unseen.length === 0))
  async function age(ms: number): Promise<void> {
    // An object with a timer does not hibernate, and loses its sockets if it is evicted.
    const quiet = 2 * REPORT_DELAY_MS
    await pause(quiet)
    await changeListeners(space, (listener) => ({
      ...listener,
      unseen: listener.unseen.map(([seq, bytes, at]) => [seq, bytes, at - (ms - quiet)] as const),
    }))
  }
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

test('[LV7] closes the socket of a client that keeps pulling and confirms nothing', async () => {
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

test('[LV7] leaves 64 acks with a cursor unconfirmed, and ends the socket at one more push without taking it', async () => {
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

test('[LV7] fits the largest session and filter beside all that may be unconfirmed', async () => {
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

test('[LV7] ends a silent client that was told to pull, when nobody else follows', async () => {
  const client = await onBench({}, async ({ live, write, pass }) => {
    for (let frame = 0; frame <= MAX_UNSEEN_FRAMES; frame++) {
      await write(`k/${frame}`)
      live.changed()
      await scheduler.wait(5)
    }
    pass(SEEN_DEADLINE_MS)
    await write('k/late')
    live.changed()
    await scheduler.wait(5)
  })
  expect(await client.closed()).toMatchObject({ code: 1013 })
  expect((await client.rest()).at(-1)).toMatchObject({ type: 'poke' })
})
