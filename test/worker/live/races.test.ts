import { expect, test } from 'vitest'
import { whileOpening, whileSealing } from '../../support/worker/ageing.ts'
import { device, mint } from '../../support/worker/client.ts'
import { follow } from '../../support/worker/follower.ts'
import { onBench, pushOf } from './socket-bench.ts'

test('[LV3] drops a frame whose client moved on while it was being read', async () => {
  const client = await onBench({}, async ({ live, space, socket, write }) => {
    await write('k/1', 'k/2', 'k/3')
    await whileOpening(space, () =>
      live.receive(socket, JSON.stringify({ type: 'seen', cursor: `${space.state.epoch}.1` })),
    )
    live.changed()
  })
  const frames = await client.rest()
  expect(frames).toMatchObject([{ type: 'changes', changes: [{ key: 'k/2' }, { key: 'k/3' }] }])
  expect(frames[0].from).toMatch(/\.1$/)
})

test('[LV3] sends the next write to a client that pulled past a frame in small filtered pages', async () => {
  const { token } = await mint()
  const [a, b] = [await device({ token }), await device({ token })]
  await a.sync({ changes: [{ key: 'n/a', value: 1, timestamp: 1 }] })
  const page = async (cursor: string) =>
    (await b.get(`/api/changes?collections=n&limit=1&cursor=${cursor}`)).body.cursor as string
  const began = (await b.get('/api/changes?collections=n')).body.cursor as string
  const socket = await follow(b, `?collections=n&cursor=${began}`)
  const write = (...keys: string[]) =>
    a.sync({ changes: keys.map((key) => ({ key, value: 1, timestamp: 2 })) })
  await write('n/b', 'm/x')
  expect(await socket.next()).toMatchObject({ from: began, changes: [{ key: 'n/b' }] })
  const second = await page(began)
  socket.seen(second)
  const third = await page(second)
  expect(third).not.toBe(second)
  expect(await socket.rest()).toEqual([])
  await write('n/c')
  expect(await socket.next()).toMatchObject({ from: second, changes: [{ key: 'n/c' }] })
  socket.seen(third)
  expect(await socket.next()).toMatchObject({ from: third, changes: [{ key: 'n/c' }] })
  await write('n/d')
  expect(await socket.next()).toMatchObject({ changes: [{ key: 'n/d' }] })
})

test('[LV3] sends what is written while a frame is being read', async () => {
  const client = await onBench({}, async ({ live, space, write }) => {
    await write('k/1')
    space.recent.forget()
    const keys = await space.keys()
    let written = false
    const open: typeof keys.open = async (chunk) => {
      const text = await keys.open(chunk)
      if (!written) {
        written = true
        await write('k/2')
      }
      return text
    }
    Object.assign(space, { keys: async () => ({ ...keys, open }) })
    live.changed()
    live.changed()
  })
  const keys = (await client.rest()).flatMap(({ changes }) => changes.map(({ key }: { key: string }) => key))
  expect(keys).toEqual(['k/1', 'k/2'])
})

test('[LV13] decodes the attachment of an awake socket once, and writes it once for a frame and once for its `seen`', async () => {
  const calls = { read: 0, written: 0 }
  const client = await onBench({}, async ({ live, space, socket, write }) => {
    const { serializeAttachment, deserializeAttachment } = socket
    Object.assign(socket, {
      deserializeAttachment: () => {
        calls.read += 1
        return deserializeAttachment.call(socket)
      },
      serializeAttachment: (listener: unknown) => {
        calls.written += 1
        serializeAttachment.call(socket, listener)
      },
    })
    for (let round = 1; round <= 3; round++) {
      await write(`k/${round}`)
      live.changed()
      await scheduler.wait(20)
      await live.receive(socket, `{"type":"seen","cursor":"${space.state.epoch}.${round}"}`)
    }
  })
  expect(await client.rest()).toHaveLength(3)
  expect(calls).toEqual({ read: 1, written: 6 })
})

test('[LV16] stores a push whose data point or ack cannot be sent, and ends the socket of the lost ack', async () => {
  const ANALYTICS = {
    writeDataPoint() {
      throw new Error('too many points')
    },
  }
  const client = await onBench({ ANALYTICS }, async ({ live, space, socket }) => {
    await live.receive(socket, pushOf('counted', 'k/1'))
    expect(space.state.seq).toBe(1)
    socket.send = () => {
      throw new Error('gone')
    }
    await live.receive(socket, pushOf('unsaid', 'k/2'))
    expect(space.state.seq).toBe(2)
  })
  expect(await client.next()).toMatchObject({ type: 'ack', id: 'counted', status: 200 })
  expect(await client.closed()).toMatchObject({ code: 1011 })
})

test('[LV9] lets no frame overtake the ack of a push that pulls', async () => {
  const client = await onBench({}, async ({ live, space, socket, write }) => {
    await write('k/1')
    const { epoch } = space.state
    const changes = [{ key: 'k/1', value: 2, timestamp: 2, base: 'none.1' }]
    const say = (cursor: string) =>
      live.receive(
        socket,
        JSON.stringify({
          type: 'push',
          id: cursor,
          body: { batch: 1, changes, cursor: `${epoch}.${cursor}` },
        }),
      )
    await say('1')
    // The page of a retry at the head opens nothing: the repeated conflict is what is opened.
    await whileOpening(space, async () => {
      await write('k/2')
      live.changed()
      await scheduler.wait(50)
    })
    await say('2')
  })
  const heard = await client.rest()
  expect(heard.map(({ type, id }) => id ?? type)).toEqual(['1', '2', 'changes'])
  expect(heard[2].from).toBe(heard[1].body.cursor)
})

test('[LV9] sends the frames held back for an ack when the ack is a refusal', async () => {
  const client = await onBench({}, async ({ live, space, socket, write }) => {
    await whileSealing(space, async () => {
      await write('k/1')
      live.changed()
      await scheduler.wait(50)
    })
    const changes = [{ key: 'k/2', value: 1, timestamp: 1 }]
    const body = { batch: 2, changes, cursor: `${space.state.epoch}.0` }
    await live.receive(socket, JSON.stringify({ type: 'push', id: 'x', body }))
  })
  expect(await client.rest()).toMatchObject([
    { type: 'ack', body: { code: 'batch-gap' } },
    { type: 'changes', changes: [{ key: 'k/1' }] },
  ])
})

test('[LV8] counts pushes against the rate limit', async () => {
  const client = await onBench(
    { SYNC_LIMIT: { limit: async () => ({ success: false }) } },
    ({ live, socket }) => live.receive(socket, pushOf('x', 'k/1')),
  )
  const { status, body } = await client.next()
  expect(status).toBe(429)
  expect(body).toMatchObject({ code: 'rate-limited', policy: 'place', retryAfterSeconds: 60 })
  expect(body).not.toHaveProperty('limit')
})

test('[LV8] counts pushes under the client of the socket, in its space', async () => {
  const keys: string[] = []
  const limit = async ({ key }: RateLimitOptions) => ({ success: keys.push(key) > 0 })
  let expected = ''
  await onBench({ SYNC_LIMIT: { limit } }, async ({ live, socket }) => {
    const { session } = socket.deserializeAttachment()
    expected = `${session.space}/${session.client}`
    await live.receive(socket, pushOf('x', 'k/1'))
  })
  expect(keys).toEqual([expected])
})

test('[LV11] sends no ack for a push during which the session expired', async () => {
  const client = await onBench({}, async ({ live, space, socket, pass }) => {
    await whileSealing(space, async () => pass(3_600_001))
    await live.receive(socket, pushOf('x', 'k/1'))
  })
  expect(await client.closed()).toMatchObject({ code: 4401 })
  expect(await client.rest()).toEqual([])
})

test('[LV12] sends no ack for a push during which the session was ended, and stores nothing', async () => {
  const client = await onBench({}, async ({ live, space, socket }) => {
    const { session } = socket.deserializeAttachment()
    await whileSealing(space, async () =>
      space.revoked.set(session.id, { issuedBy: Number.MAX_SAFE_INTEGER, until: 0, since: 0 }),
    )
    await live.receive(socket, pushOf('x', 'k/1'))
    expect(space.state.seq).toBe(0)
  })
  expect(await client.closed()).toMatchObject({ code: 4403 })
  expect(await client.rest()).toEqual([])
})

test('[LV16] ends a socket with 1011 on a defect while its message is handled', async () => {
  const client = await onBench({}, async ({ live, space, socket }) => {
    Object.assign(space, { keys: () => Promise.reject(new Error('no keys')) })
    await live.receive(socket, pushOf('x', 'k/1'))
  })
  expect(await client.closed()).toMatchObject({ code: 1011 })
  expect(await client.rest()).toEqual([])
})
