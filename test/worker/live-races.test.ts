import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { type Live, liveOf } from '../../worker/src/objects/live/live.ts'
import { openSpace, type Space } from '../../worker/src/objects/space/space.ts'
import { push } from '../../worker/src/objects/write/sync.ts'
import { whileOpening, whileSealing } from './ageing.ts'
import { device, mint } from './client.ts'
import { type Follower, follow, listeners } from './follower.ts'

/** One socket of a new space, and what serves it: with a clock and an environment that the test holds in its hand. */
interface Bench {
  readonly live: Live
  readonly space: Space
  readonly socket: WebSocket
  readonly ctx: DurableObjectState
  /** Writes entries, and tells nobody. */
  write(...keys: readonly string[]): Promise<void>
  pass(ms: number): void
}

async function onBench(changed: Partial<Env>, work: (bench: Bench) => Promise<void>): Promise<Follower> {
  const name = crypto.randomUUID()
  const client = await follow(await device(await mint({ space: name })))
  await client.next()
  const [listener] = await listeners(name)
  await runInDurableObject(env.CHRONICLE.getByName(name), async (_, ctx) => {
    const space = openSpace(ctx, env)
    let late = 0
    const clock = () => Date.now() + late
    const live = liveOf({ ctx, env: { ...env, ...changed }, space, clock, newId: () => crypto.randomUUID() })
    await work({
      live,
      space,
      ctx,
      socket: ctx.getWebSockets()[0] as WebSocket,
      async write(...keys) {
        const changes = keys.map((key) => ({ key, value: 'x', timestamp: 1 }))
        if (listener === undefined) throw new Error('nobody follows')
        const session = { ...listener.session, client: 'another' }
        await push(space, session, { request: { changes }, now: Date.now() })
      },
      pass(ms) {
        late += ms
      },
    })
  })
  return client
}

function pushOf(id: string, key: string): string {
  return JSON.stringify({ type: 'push', id, body: { changes: [{ key, value: 1, timestamp: 1 }] } })
}

test('[LV3] a frame that was being read while its client moved on is not sent', async () => {
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

test('[LV3] a client that pulled past a frame in small pages under a filter hears of the next write', async () => {
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

test('[LV3] what is written while a frame is read is told too, though nobody asks for it', async () => {
  const client = await onBench({}, async ({ live, space, write }) => {
    await write('k/1')
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

test('[LV8] a push waits for the one before, however long that takes', async () => {
  let calls = 0
  const slow = {
    async limit() {
      calls += 1
      if (calls === 1) await scheduler.wait(50)
      return { success: true }
    },
  }
  const client = await onBench({ SYNC_LIMIT: slow }, async ({ live, socket }) => {
    await Promise.all(['1', '2', '3'].map((id) => live.receive(socket, pushOf(id, `k/${id}`))))
  })
  const acks = (await client.rest()).filter(({ type }) => type === 'ack')
  expect(acks.map(({ id, body }) => `${id} ${body.results[0].version.split('.')[1]}`)).toEqual([
    '1 1',
    '2 2',
    '3 3',
  ])
})

/** A place that lets nobody through before it is told to. */
function closedPlace(): { readonly SYNC_LIMIT: RateLimit; readonly open: () => void } {
  const opened = Promise.withResolvers<void>()
  return {
    SYNC_LIMIT: { limit: () => opened.promise.then(() => ({ success: true })) },
    open: opened.resolve,
  }
}

test('[LV22] a hundred messages of a socket may wait, or 4 MiB of them; one more ends it, and those are not taken', async () => {
  for (const [message, most] of [
    ['{"type":"ping" }', 100],
    [pushOf('x', 'k'.repeat(1_000_000)), 5],
  ] as const) {
    const place = closedPlace()
    const client = await onBench(place, async ({ live, space, socket }) => {
      const turns = [live.receive(socket, pushOf('first', 'k/1'))]
      await scheduler.wait(1)
      while (turns.length < most) turns.push(live.receive(socket, message))
      expect(socket.readyState).toBe(WebSocket.OPEN)
      turns.push(live.receive(socket, message))
      expect(socket.readyState).not.toBe(WebSocket.OPEN)
      place.open()
      await Promise.all(turns)
      expect(space.state.seq).toBe(1)
    })
    expect(await client.closed()).toMatchObject({ code: 4429 })
  }
})

test('[LV22] where 16 MiB of all sockets wait, one that has a message waiting is ended, and no other', async () => {
  const place = closedPlace()
  await onBench(place, async ({ live, socket, ctx }) => {
    const message = pushOf('x', 'k'.repeat(1_000_000))
    const sockets = Array.from({ length: 20 }, () => {
      const { 0: client, 1: server } = new WebSocketPair()
      ctx.acceptWebSocket(server)
      server.serializeAttachment(socket.deserializeAttachment())
      return { client, server }
    })
    const turns = sockets.map(({ server }) => live.receive(server, message))
    const isOpen = ({ server }: { server: WebSocket }) => server.readyState === WebSocket.OPEN
    // Sixteen of a megabyte: the next ones are too many, short ones of other sockets are not.
    expect(sockets.filter(isOpen)).toHaveLength(16)
    turns.push(
      live.receive(socket, pushOf('y', 'k/1')),
      live.receive(sockets[0]?.server as WebSocket, message),
    )
    expect(sockets.filter(isOpen)).toHaveLength(15)
    expect(socket.readyState).toBe(WebSocket.OPEN)
    place.open()
    await Promise.all(turns)
  })
})

test('[LV16] a data point or a frame that does not go out is all that is lost: the push is stored, its socket ends', async () => {
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

test('[LV9] no frame overtakes the answer of a push that pulls', async () => {
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
    // The page of a retry that is at the head opens nothing: what is opened is the conflict that it is told of again.
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

test('[LV9] what was held back for an answer is told when that is a refusal', async () => {
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

test('[LV8] pushes count against the limit of requests', async () => {
  const client = await onBench(
    { SYNC_LIMIT: { limit: async () => ({ success: false }) } },
    ({ live, socket }) => live.receive(socket, pushOf('x', 'k/1')),
  )
  const { status, body } = await client.next()
  expect(status).toBe(429)
  expect(body).toMatchObject({ code: 'rate-limited', policy: 'place', retryAfterSeconds: 60 })
  expect(body).not.toHaveProperty('limit')
})

test('[LV11] a push during which the session expired is not answered', async () => {
  const client = await onBench({}, async ({ live, space, socket, pass }) => {
    await whileSealing(space, async () => pass(3_600_001))
    await live.receive(socket, pushOf('x', 'k/1'))
  })
  expect(await client.closed()).toMatchObject({ code: 4401 })
  expect(await client.rest()).toEqual([])
})

test('[LV12] nor is one during which it was ended, and it stores nothing', async () => {
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

test('[LV16] a defect while a message is dealt with ends its socket with 1011', async () => {
  const client = await onBench({}, async ({ live, space, socket }) => {
    Object.assign(space, { keys: () => Promise.reject(new Error('no keys')) })
    await live.receive(socket, pushOf('x', 'k/1'))
  })
  expect(await client.closed()).toMatchObject({ code: 1011 })
  expect(await client.rest()).toEqual([])
})
