import { expect, test } from 'vitest'
import type { Platform, Socket } from '../../client/src/values/platform.ts'
import { mintToken } from '../support/cloud/cloud.ts'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { until } from '../support/until.ts'
import { bearerOf, deviceOf, openDevice, operate, rowsOf } from './device.ts'

const cloud = withCloud()

/** Real sockets that a test can cut, and the types of the messages that they bring. */
function sockets() {
  const open: WebSocket[] = []
  const heard: string[] = []
  const Watched = class extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols)
      open.push(this)
      this.addEventListener('message', ({ data }) => heard.push(JSON.parse(String(data)).type))
    }
  }
  const platform: Partial<Platform> = {
    WebSocket: Watched as unknown as new (url: string, protocols: string[]) => Socket,
  }
  return { open, heard, platform }
}

async function liveDevice(space: string, more: { collections?: string[] } = {}) {
  const { open, heard, platform } = sockets()
  const device = await deviceOf(cloud, space, { platform, ...more })
  await until(() => device.db.status.getSnapshot().live)
  return { ...device, open, heard }
}

const pulls = (requests: readonly { path: string }[]) =>
  requests.filter(({ path }) => path === '/api/sync').length

test('edits reach another device over its socket, without a request', async () => {
  const [one, other] = [await liveDevice('live'), await liveDevice('live')]
  const before = [pulls(one.network.requests), pulls(other.network.requests)]
  for (let n = 0; n < 10; n += 1) await one.db.collection('notes').put(String(n), { n }).synced
  await one.db.collection('notes').delete('3').synced
  await until(async () => Object.keys(await rowsOf(other.db)).length === 9)
  await other.db.collection('notes').put('3', { by: 'other' }).synced
  await until(async () => '3' in (await rowsOf(one.db)))
  expect([pulls(one.network.requests), pulls(other.network.requests)]).toEqual(before)
})

test('a large change comes by a poke and a pull', async () => {
  const [one, other] = [await liveDevice('poked'), await liveDevice('poked')]
  const text = 'x'.repeat(1_000)
  for (let n = 0; n < 300; n += 1) void one.db.collection('notes').put(String(n), { text })
  await one.db.sync()
  await until(async () => Object.keys(await rowsOf(other.db)).length === 300)
  expect(other.heard).toContain('poke')
  // The reply to a pull, which goes over the socket too.
  expect(other.heard.slice(other.heard.indexOf('poke'))).toContain('ack')
})

test('an empty device that opens its socket first misses nothing', async () => {
  const writer = await deviceOf(cloud, 'first-frame')
  await writer.db.collection('notes').put('old', { n: 1 }).synced
  const { platform } = sockets()
  const device = await deviceOf(cloud, 'first-frame', { platform })
  let failures = 0
  device.network.instead = ({ path }) => {
    if (path !== '/api/sync' || failures > 2) return undefined
    failures += 1
    return Promise.reject(new TypeError('fetch failed'))
  }
  await until(() => device.db.status.getSnapshot().live)
  await until(async () => 'old' in (await rowsOf(device.db)))
})

test('a socket that is cut in the middle of edits loses and repeats nothing', async () => {
  const [one, other] = [await liveDevice('cut'), await liveDevice('cut')]
  const edits: Promise<unknown>[] = []
  for (let n = 0; n < 60; n += 1) {
    edits.push(one.db.collection('notes').put(String(n % 20), { n }).synced)
    if (n % 15 === 7) one.open.at(-1)?.close()
    if (n % 15 === 11) other.open.at(-1)?.close()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await Promise.all(edits)
  const expected = Object.fromEntries(Array.from({ length: 20 }, (_, id) => [String(id), { n: 40 + id }]))
  await until(async () => JSON.stringify((await rowsOf(other.db))['19']) === '{"n":59}')
  await other.db.sync()
  expect([await rowsOf(one.db), await rowsOf(other.db)]).toEqual([expected, expected])
  expect((await one.db.history('notes/0')).versions).toHaveLength(3)
})

test('a session that ends closes the socket, and the device gets another of both', async () => {
  const { db, open, network } = await liveDevice('ended')
  const sessions = network.requests.filter(({ path }) => path === '/api/auth').length
  await operate(cloud, '/api/auth', { method: 'DELETE', bearer: network.bearer })
  await until(() => open.length > 1 && db.status.getSnapshot().live)
  expect(network.requests.filter(({ path }) => path === '/api/auth').length).toBeGreaterThan(sessions)
  expect((await db.collection('notes').put('a', {}).synced).status).toBe('applied')
})

test('an erased space ends the socket, and the device starts over', async () => {
  const admin = await mintToken(cloud, 'gone', { scopes: ['sync:read', 'sync:write', 'space:admin'] })
  let token = Promise.resolve(admin)
  const { open, platform } = sockets()
  const { db } = await openDevice(cloud, { token: () => token, platform })
  await db.collection('notes').put('a', { n: 1 }).synced
  await until(() => db.status.getSnapshot().live)
  const bearer = await bearerOf(cloud, admin)
  const erasing = operate(cloud, '/api/space', { method: 'DELETE', body: { confirm: 'gone' }, bearer })
  // The erasure ends the token of the device too.
  token = erasing.then(() => mintToken(cloud, 'gone'))
  await erasing
  await until(() => db.troubles.getSnapshot().length === 1)
  await until(() => open.length > 1 && db.status.getSnapshot().live)
  expect(db.troubles.getSnapshot()).toMatchObject([{ key: 'notes/a', status: 'orphaned' }])
})

test('a socket brings only the collections of the client', async () => {
  const [one, other] = [await liveDevice('narrow'), await liveDevice('narrow', { collections: ['notes'] })]
  await one.db.collection('tags').put('a', {}).synced
  await one.db.collection('notes').put('a', {}).synced
  await until(async () => 'a' in (await rowsOf(other.db)))
  expect((await other.store.count()).entries).toBe(1)
})
