import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { MAX_SOCKETS } from '../../worker/src/core/values/socket-limits.ts'

import { device, mint, newSpace } from './client.ts'
import { askPlainly, follow, listeners } from './follower.ts'

/** Gives a space so many sockets that nobody listens to. */
function occupy(space: string, count: number, credentialOf: (taken: number) => string): Promise<void> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, ctx) => {
    for (let taken = 0; taken < count; taken++)
      ctx.acceptWebSocket(new WebSocketPair()[1], ['session', credentialOf(taken)])
  })
}

/** How many open sockets of a space each credential holds. */
function seats(space: string): Promise<object> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, ctx) => {
    const open = ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN)
    const held = Map.groupBy(open, (socket) => ctx.getTags(socket)[1] ?? '')
    return Object.fromEntries(Array.from(held, ([credential, { length }]) => [credential, length]))
  })
}

test('[LV14] a space serves so many sockets, and tells the next one to come again', async () => {
  const { space, a } = await newSpace()
  await follow(a)
  const [listener] = await listeners(space)
  const credential = listener?.session.token ?? ''
  await occupy(space, MAX_SOCKETS - 2, () => credential)
  const last = await askPlainly(a.session)
  expect(last.status).toBe(101)
  const refused = await askPlainly(a.session)
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('30')
  expect(await refused.json()).toMatchObject({ code: 'busy' })
})

test('[LV21] a credential that holds the most gives up a socket for one that would still hold fewer', async () => {
  const space = crypto.randomUUID()
  const member = await device(await mint({ space }))
  await follow(member)
  const [listener] = await listeners(space)
  const mine = listener?.session.token ?? ''
  await occupy(space, 3, () => 'other')
  await occupy(space, MAX_SOCKETS - 4, () => 'greedy')
  const next = await device(await mint({ space, scopes: ['sync:read'] }))
  const socket = await follow(next)
  expect(await socket.next()).toMatchObject({ type: 'changes', from: null })
  expect(await seats(space)).toMatchObject({ greedy: MAX_SOCKETS - 5, other: 3, [mine]: 1 })
  await follow(member)
  expect(await seats(space)).toMatchObject({ greedy: MAX_SOCKETS - 6, other: 3, [mine]: 2 })
})

test('[LV21] where all hold two another one gets in, where all hold one it comes again', async () => {
  for (const [each, status] of [
    [2, 101],
    [1, 503],
  ] as const) {
    const space = crypto.randomUUID()
    const member = await device(await mint({ space }))
    await occupy(space, MAX_SOCKETS, (taken) => `${Math.floor(taken / each)}`)
    expect((await askPlainly(member.session)).status, `${each}`).toBe(status)
    expect(Math.max(...Object.values(await seats(space)))).toBe(each)
  }
})
