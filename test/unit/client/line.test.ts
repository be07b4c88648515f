import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../client/src/values/errors.ts'
import { Hand, settle } from '../../support/client/hand.ts'
import { contentOf, handDevice, stateOf } from '../../support/client/hand-device.ts'
import { isPush, page, problem } from '../../support/client/plain-service.ts'

const SYNC = '/api/sync'

test('sends edits in one batch, and reads what others wrote', async () => {
  const { db, service } = await handDevice()
  service.write('notes/theirs', { n: 1 })
  const notes = db.collection('notes')
  void notes.put('b', { n: 1 })
  void notes.put('a', { n: 1 })
  void notes.update('b', (value) => ({ ...value, n: 2 }))
  void notes.delete('a')
  await db.sync()
  expect(service.pushes.flat()).toEqual(['notes/b', 'notes/a', 'notes/b', 'notes/a'])
  expect(service.values()).toEqual({ 'notes/theirs': { n: 1 }, 'notes/b': { n: 2 } })
  expect(await contentOf(db)).toEqual({ theirs: { n: 1 }, b: { n: 2 } })
  expect(db.status.getSnapshot()).toMatchObject({ online: true, behind: false, pending: 0, obstacle: null })
})

test('reads page after page, also an empty one, until the feed ends', async () => {
  const { db, service } = await handDevice()
  for (let index = 0; index < 25; index += 1) service.write(`notes/${index}`, { index })
  service.pageSize = 10
  await db.sync()
  expect(Object.keys(await contentOf(db))).toHaveLength(25)
  service.pageSize = 0
  service.reanswer = () => {
    service.pageSize = 500
    return undefined
  }
  service.write('notes/last', {})
  await db.sync()
  expect(Object.keys(await contentOf(db))).toHaveLength(26)
})

test('sends an edit at once, at whatever moment of a round it is made', async () => {
  const { db, service, hand } = await handDevice()
  const late: number[] = []
  for (let ticks = 0; ticks < 150; ticks += 1) {
    const round = db.sync()
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve()
    await db.collection('notes').put('n', { ticks })
    await round
    await settle()
    if (JSON.stringify(service.values()['notes/n']) !== JSON.stringify({ ticks })) late.push(ticks)
    await hand.pass(40_000)
  }
  expect(late).toEqual([])
})

test('reads all that was there when it was asked to, at whatever moment of a round that is', async () => {
  const { db, service } = await handDevice()
  const notes = db.collection('notes')
  const stale: number[] = []
  for (let ticks = 0; ticks < 150; ticks += 1) {
    const round = db.sync()
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve()
    service.write('notes/n', { ticks })
    await db.sync()
    if (JSON.stringify(await notes.get('n')) !== JSON.stringify({ ticks })) stale.push(ticks)
    await round
  }
  expect(stale).toEqual([])
})

test('does not tell a call of the failure of an attempt that began before it', async () => {
  const { db, service } = await handDevice()
  let fail: (() => void) | undefined
  service.answer = () =>
    new Promise((_, reject) => {
      fail = () => reject(new TypeError('fetch failed'))
    })
  const early = db.sync()
  await settle()
  service.answer = () => undefined
  const late = db.sync()
  await settle()
  fail?.()
  await Promise.all([early, late])
  expect(db.status.getSnapshot()).toMatchObject({ online: true, obstacle: null })
})

test('reads again if it is asked to while a request is under way', async () => {
  const { db, service } = await handDevice()
  let hold: (() => void) | undefined
  service.reanswer = async ({ path }) => {
    if (path === SYNC && !hold) await new Promise<void>((resolve) => (hold = resolve))
    return undefined
  }
  const first = db.sync()
  await settle()
  service.write('notes/new', { n: 1 })
  const second = db.sync()
  await settle()
  hold?.()
  await Promise.all([first, second])
  expect(await contentOf(db)).toEqual({ new: { n: 1 } })
})

describe('while the service asks to wait', () => {
  test.each([429, 503])('sends no request before the time of Retry-After (%i)', async (status) => {
    const { db, service, hand } = await handDevice()
    service.answer = () => problem(status, 'rate-limited', { retryAfter: 30 })
    const edit = db.collection('notes').put('a', {})
    await settle()
    const before = service.requests.length
    expect(db.status.getSnapshot()).toMatchObject({ online: true, obstacle: { code: 'rate-limited' } })
    void db.collection('notes').put('b', {})
    await hand.wake()
    await expect(db.sync()).rejects.toMatchObject({ code: 'rate-limited' })
    await hand.pass(29_900)
    expect(service.requests.length).toBe(before)
    service.answer = () => undefined
    await hand.pass(7_000)
    expect(await edit.synced).toMatchObject({ status: 'applied' })
  })

  test('keeps its sockets quiet too', async () => {
    const hand = new Hand()
    const { db, service } = await handDevice({ hand, platform: hand.withSockets })
    hand.sockets.last.end(1006)
    service.answer = () => problem(429, 'rate-limited', { retryAfter: 60 })
    await db.sync().catch(() => {})
    await hand.pass(1_000)
    const before = service.requests.length
    await hand.pass(58_000)
    expect(service.requests.length - before).toBe(0)
  })
})

describe('a network or a service that fails:', () => {
  const cases: [string, () => Response | Promise<Response>, string][] = [
    ['a proxy that answers 404', () => page(404), 'http-404'],
    ['a proxy that answers 502', () => page(502), 'http-502'],
    ['a proxy that answers 408', () => page(408), 'http-408'],
    ['a login page instead of JSON', () => page(200), 'offline'],
    ['a body that is cut off', () => new Response('{"results": [', { status: 200 }), 'offline'],
    ['JSON of something else', () => new Response('{}', { status: 200 }), 'internal'],
    [
      'a refusal that is cut off',
      () => new Response('{"co', { status: 409, headers: { 'content-type': 'application/problem+json' } }),
      'http-409',
    ],
    ['a network without an answer', () => Promise.reject(new TypeError('fetch failed')), 'offline'],
    [
      'a network that fails in its own way',
      () => Promise.reject(new DOMException('gone', 'NetworkError')),
      'offline',
    ],
    ['a slow body', () => problem(408, 'body-timeout'), 'body-timeout'],
    ['an overloaded service', () => problem(503, 'busy'), 'busy'],
    ['a defect', () => problem(500, 'internal'), 'internal'],
    ['a token without the scope', () => problem(403, 'forbidden-scope'), 'forbidden-scope'],
  ]
  test.each(cases)('%s keeps the batch and its number', async (_, answer, code) => {
    const { db, service, hand } = await handDevice()
    service.answer = (request) => (isPush(request) ? answer() : undefined)
    const edit = db.collection('notes').put('a', { n: 1 })
    await settle()
    expect(db.status.getSnapshot()).toMatchObject({ pending: 1, troubles: 0, obstacle: { code } })
    expect(db.status.getSnapshot().online).toBe(code !== 'offline')
    const thrown: unknown = await db.sync().catch((reason: unknown) => reason)
    expect(codeOf(thrown) || 'internal').toBe(code)
    service.answer = () => undefined
    await hand.pass(60_000)
    expect(await edit.synced).toMatchObject({ status: 'applied' })
    const numbers = service.requests.filter(isPush).map(({ body }) => body['batch'])
    expect(new Set(numbers)).toEqual(new Set([1]))
    expect(service.values()).toEqual({ 'notes/a': { n: 1 } })
  })

  test('a reply that never comes is given up after half a minute, and the batch takes effect once', async () => {
    const { db, service, hand } = await handDevice()
    let lost = 0
    service.reanswer = (request) => {
      if (!isPush(request) || lost > 0) return undefined
      lost += 1
      return new Promise<Response>(() => {})
    }
    const edit = db.collection('notes').put('a', { n: 1 })
    await hand.pass(29_000)
    expect(await stateOf(edit.synced)).toBe('pending')
    await hand.pass(3_000)
    expect(await edit.synced).toMatchObject({ status: 'applied' })
    expect(await contentOf(db)).toEqual({ a: { n: 1 } })
    expect(service.requests.filter(isPush).map(({ body }) => body['batch'])).toEqual([1, 1])
  })
})

test('makes few requests while the service is down, at growing and uneven distances', async () => {
  const { db, service, hand } = await handDevice()
  service.answer = () => problem(503, 'busy')
  void db.collection('notes').put('a', {})
  await settle()
  const before = service.requests.length
  hand.random = 0.9
  await hand.pass(3_600_000)
  const times = service.requests.slice(before).map(({ at }) => at)
  expect(times.length).toBeGreaterThan(50)
  expect(times.length).toBeLessThan(80)
  const distances = times.map((at, index) => at - (times[index - 1] ?? at)).slice(1)
  expect(distances[0]).toBeLessThan(2_000)
  expect(distances.at(-1)).toBe(57_000)
})

test('asks for changes twice a minute where there are no sockets', async () => {
  const { service, hand } = await handDevice()
  const before = service.requests.length
  await hand.pass(600_000)
  expect(service.requests.length - before).toBe(20)
})

describe('a store that fails', () => {
  test('because the disk is full does not end the line', async () => {
    const { db, service, hand, store } = await handDevice()
    const { update } = store
    service.write('notes/theirs', { n: 1 })
    store.update = async () => {
      throw new DOMException('full', 'QuotaExceededError')
    }
    void db.sync().catch(() => {})
    await settle()
    expect(db.status.getSnapshot().obstacle).toMatchObject({ code: 'storage' })
    store.update = update
    await hand.pass(61_000)
    expect(await contentOf(db)).toEqual({ theirs: { n: 1 } })
    expect(db.status.getSnapshot().obstacle).toBeNull()
  })
})
