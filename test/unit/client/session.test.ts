import { describe, expect, test } from 'vitest'
import { newSession } from '../../../client/src/service/session.ts'
import { codeOf } from '../../../client/src/values/errors.ts'
import type { AuthReply } from '../../../client/src/values/wire.ts'
import { Hand } from '../../support/client/hand.ts'
import { handDevice, stateOf, URL_OF_SERVICE } from '../../support/client/hand-device.ts'
import { PlainService, page, problem } from '../../support/client/plain-service.ts'

function session(token: () => string | Promise<string> = () => 'token') {
  const hand = new Hand()
  const service = new PlainService(() => hand.now)
  const admitted: AuthReply[] = []
  const opened = newSession({
    ...{ url: URL_OF_SERVICE, token, platform: hand.platform(service.fetch), clientId: () => 'me' },
    onAdmitted: async (reply) => void admitted.push(reply),
  })
  return { hand, service, admitted, session: opened }
}

const codeAfter = (work: Promise<unknown>) => work.then(() => 'fulfilled', codeOf)

describe('a session', () => {
  test('is opened once for all requests of the same moment, and its reply is seen first', async () => {
    const { session: one, service, admitted } = session()
    const requests = ['/api/live/ticket', '/api/live/ticket'].map((path) =>
      one.request(path, { method: 'POST' }),
    )
    expect(admitted).toHaveLength(0)
    await Promise.all(requests)
    expect(service.count('/api/auth')).toBe(1)
    expect(admitted).toMatchObject([{ subject: 'ann', epoch: 'one' }])
  })

  test('is opened again after a 401, with a token that is asked for again', async () => {
    const tokens: string[] = []
    const { session: one, service } = session(() => {
      tokens.push(`token-${tokens.length}`)
      return ` ${tokens.at(-1)}\n`
    })
    await one.request('/api/live/ticket')
    service.sessions.clear()
    expect(await codeAfter(one.request('/api/live/ticket'))).toBe('session-ended')
    await one.request('/api/live/ticket')
    const given = service.requests.filter(({ path }) => path === '/api/auth').map(({ body }) => body['token'])
    expect(given).toEqual(['token-0', 'token-1'])
  })

  test('that another request has opened meanwhile is kept', async () => {
    const { session: one, service } = session()
    await one.open()
    service.sessions.clear()
    await Promise.allSettled([one.request('/api/live/ticket'), one.request('/api/live/ticket')])
    await Promise.all([one.request('/api/live/ticket'), one.request('/api/live/ticket')])
    expect(service.count('/api/auth')).toBe(2)
  })

  test('ends at the service, if there is one', async () => {
    const { session: one, service } = session()
    await one.end()
    expect(service.requests).toEqual([])
    await one.open()
    await one.end()
    expect(service.sessions.size).toBe(0)
  })
})

describe('a token', () => {
  const wrong: [string, () => unknown][] = [
    ['that is not there', () => undefined],
    ['that is empty', () => ''],
    ['that is no text', () => ({ token: 'x' })],
    ['that cannot be had', () => Promise.reject(new Error('signed out'))],
    [
      'that throws',
      () => {
        throw new Error('broken')
      },
    ],
  ]
  test.each(wrong)('%s asks for a log-in, and nothing is sent', async (_, token) => {
    const { session: one, service } = session(token as () => string)
    expect(await codeAfter(one.request('/api/live/ticket'))).toBe('sign-in')
    expect(service.requests).toEqual([])
  })

  test('that the service does not take asks for a log-in', async () => {
    const { session: one, service } = session()
    service.answer = () => problem(401, 'revoked')
    expect(await codeAfter(one.open())).toBe('sign-in')
  })

  test('that never comes is given up', async () => {
    const { session: one, hand } = session(() => new Promise(() => {}))
    const opening = codeAfter(one.open())
    await hand.pass(31_000)
    expect(await opening).toBe('sign-in')
  })
})

describe('a device', () => {
  async function statusWithout(token: () => Promise<string>) {
    const { db } = await handDevice({ token })
    return db.status.getSnapshot()
  }

  test('is offline, and not signed out, if the app cannot reach its own backend for a token', async () => {
    // `fetch` rejects so where there is no network.
    const status = await statusWithout(() => Promise.reject(new TypeError('fetch failed')))
    expect(status).toMatchObject({
      online: false,
      obstacle: { code: 'offline', detail: 'token() failed: fetch failed' },
    })
  })

  test('is signed out if the app has no token for its user', async () => {
    const refused = await statusWithout(() => Promise.reject(new Error('no session')))
    expect(refused.obstacle).toEqual({ code: 'sign-in', detail: 'token() failed: no session' })
    const empty = await statusWithout(async () => '')
    expect(empty.obstacle?.code).toBe('sign-in')
  })
})

describe('a request', () => {
  test('is told by its status if something else than the service answers', async () => {
    const { session: one, service } = session()
    service.answer = () => page(502)
    await expect(one.open()).rejects.toMatchObject({ code: 'http-502', problem: { status: 502 } })
  })

  test('knows how long to wait from the body, or else from Retry-After', async () => {
    const { session: one, service } = session()
    const waits = [
      problem(429, 'rate-limited', { retryAfter: 7 }),
      problem(429, 'x', { retryAfterSeconds: 9 }),
    ]
    for (const response of [...waits, new Response('', { status: 503, headers: { 'retry-after': '5' } })]) {
      service.answer = () => response
      const seconds = response.status === 503 ? 5 : response === waits[0] ? 7 : 9
      await expect(one.open()).rejects.toMatchObject({ problem: { retryAfterSeconds: seconds } })
    }
    service.answer = () =>
      new Response('', { status: 503, headers: { 'retry-after': 'Sun, 29 Nov 2026 02:00:00 GMT' } })
    const dated: unknown = await one.open().catch((thrown: unknown) => thrown)
    expect((dated as { problem: object }).problem).not.toHaveProperty('retryAfterSeconds')
  })

  test('that is never answered is given up after half a minute', async () => {
    const { session: one, service, hand } = session()
    await one.open()
    service.answer = () => new Promise<Response>(() => {})
    const request = one.request('/api/live/ticket')
    await hand.pass(29_000)
    expect(await stateOf(request)).toBe('pending')
    await hand.pass(2_000)
    await expect(request).rejects.toMatchObject({ code: 'offline' })
    expect(hand.timers).toBe(0)
  })
})
