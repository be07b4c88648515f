import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { overhear } from '../../support/setup/witness.ts'
import { device, mint, newSpace, send } from '../../support/worker/client.ts'
import { follow, listeners, pause } from '../../support/worker/follower.ts'
import { numbered, pushed, puts, T } from '../../support/worker/room.ts'

test('[LV8] acknowledges a push under its id with the reply of POST /api/sync', async () => {
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

test('[LV8] refuses a push with the problem of HTTP, and stores nothing', async () => {
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

test('[LV8] applies pushes in the order in which they were sent', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  for (let batch = 1; batch <= 30; batch++) {
    // A long push takes longer to seal than the short one after it.
    const value = 'v'.repeat(batch % 2 === 0 ? 1 : 250_000)
    socket.say({ type: 'push', id: String(batch), body: { batch, changes: puts([`k/${batch}`], value) } })
  }
  const acks = (await socket.rest()).filter(({ type }) => type === 'ack')
  expect(acks.map(({ id, status }) => `${id} ${status}`)).toEqual(
    Array.from({ length: 30 }, (_, n) => `${n + 1} 200`),
  )
})

test('[LV9] moves a client that pushes with a cursor past its own changes', async () => {
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

test('[LV9] chains frames and acks, whatever others write meanwhile', async () => {
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

test('[LV9] takes the cursor of a push as the confirmation of what was sent up to there', async () => {
  const { space, a, b } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  await b.sync({ changes: puts(['b/1']) })
  const { cursor } = await socket.next()
  await pushed(socket, 'x', { changes: puts(['a/1']), cursor })
  expect((await listeners(space)).map(({ unseen }) => unseen.length)).toEqual([1])
})

test('[LV9] resumes after a poke when the client pulls on the socket, but not for a pull of other collections', async () => {
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

test('[LV15] logs and counts a push without its contents', async () => {
  const { a } = await newSpace()
  const socket = await follow(a)
  await socket.next()
  const points: AnalyticsEngineDataPoint[] = []
  env.ANALYTICS.writeDataPoint = (point = {}) => points.push(point)
  const lines = await overhear(async () => {
    await pushed(socket, 'x', { changes: puts(['secret-key'], 'secret-value') })
    await pushed(socket, 'y', { changes: 'wrong' })
  }).finally(() => {
    // The method itself belongs to the prototype, where other tests count its calls.
    Reflect.deleteProperty(env.ANALYTICS, 'writeDataPoint')
  })
  // A report to the registry fails if the test runner has just loaded the modules of another file.
  const requests = lines.map((line) => JSON.parse(line)).filter(({ message }) => message === 'request')
  expect(requests).toMatchObject([
    { method: 'PUSH', route: '/api/live', status: 200 },
    { method: 'PUSH', route: '/api/live', status: 422, code: 'invalid-request' },
  ])
  const request = (code: string) => ['request', 'unreleased', '/api/live', 'PUSH', code]
  expect(points.map(({ blobs }) => blobs)).toEqual([request(''), request('invalid-request')])
  expect(points[0]?.doubles?.slice(2)).toEqual([1, 0, 0, 0])
  const noted = lines.join('\n') + JSON.stringify(points)
  for (const secret of ['secret-key', 'secret-value', a.session]) expect(noted).not.toContain(secret)
})
