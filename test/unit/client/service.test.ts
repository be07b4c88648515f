import { expect, test } from 'vitest'
import { newService } from '../../../client/src/service/service.ts'
import { codeOf } from '../../../client/src/values/errors.ts'
import { Hand, settle } from '../../support/client/hand.ts'
import { problem } from '../../support/client/plain-service.ts'

/** A service that answers a path with these statuses, one after the other, and then with 200. */
function serviceWith(statuses: readonly number[]) {
  const hand = new Hand()
  const asked: string[] = []
  const left = [...statuses]
  async function fetch(url: string): Promise<Response> {
    const { pathname } = new URL(url)
    asked.push(pathname)
    if (pathname === '/api/auth') return Response.json({ session: `s${asked.length}` })
    const status = left.shift() ?? 200
    return status === 200
      ? Response.json({ success: true })
      : problem(status, `code-${status}`, { retryAfter: 30 })
  }
  const service = newService({
    ...{ url: 'https://sync.test', token: () => 'token', clientId: 'c', platform: hand.platform(fetch) },
  })
  return { asked, hand, service }
}

test('waits before the next request as long as the service asked', async () => {
  const { asked, hand, service } = serviceWith([429])
  await expect(service.request('/api/sync')).rejects.toSatisfy((thrown) => codeOf(thrown) === 'code-429')
  const next = service.request('/api/sync')
  await settle()
  expect(asked).toEqual(['/api/auth', '/api/sync'])
  await hand.pass(40_000)
  expect(await next).toEqual({ success: true })
  expect(asked).toEqual(['/api/auth', '/api/sync', '/api/sync'])
})

test('asks for changes now and then without a socket, when the device wakes, and not after a stop', async () => {
  const { hand, service } = serviceWith([])
  let changes = 0
  const following = service.follow('notes', () => {
    changes += 1
  })
  await hand.pass(95_000)
  expect(changes).toBe(3)
  await hand.wake()
  expect(changes).toBe(4)
  following.stop()
  await hand.wake()
  await hand.pass(95_000)
  expect(changes).toBe(4)
  expect(hand.timers).toBe(0)
})
