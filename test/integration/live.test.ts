import { WebSocket } from 'undici'
import { expect, test } from 'vitest'
import { mintToken } from '../support/cloud/cloud.ts'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { LiveDevice } from '../support/devices/live-device.ts'
import { OfflineDevice } from '../support/devices/offline-device.ts'
import { realDocuments } from '../support/documents.ts'
import { until } from '../support/until.ts'

const cloud = withCloud()

test('[IT4] serves real documents and pushes over the unmodified WebSocket of a browser', async () => {
  const token = await mintToken(cloud, 'live')
  const [early, late] = [new LiveDevice('early', cloud.url), new LiveDevice('late', cloud.url)]
  const writer = new OfflineDevice('writer', cloud.url)
  await early.start(token)
  await writer.open(token)
  const expected = new Map<string, unknown>([...realDocuments()].slice(0, 300))
  for (const [key, document] of expected) writer.put(key, document)
  await writer.sync(10)
  await late.start(token)
  const change = { key: 'live/1', value: { from: 'early' }, timestamp: Date.now(), base: null }
  const reply = await early.push('first', { batch: 1, changes: [change] })
  expect(reply).toMatchObject({ success: true, synced: ['live/1'] })
  expected.set('live/1', change.value)
  for (const device of [early, late]) {
    await until(() => device.entries().has('live/1'), 60_000)
    expect(device.entries()).toEqual(expected)
    device.stop()
  }
  expect(early.seen.frames).toBeGreaterThan(10)
  console.info(`IT4: ${expected.size} documents; early ${JSON.stringify(early.seen)}`)
})

interface Ended {
  readonly protocol: string
  readonly code: number
  readonly wasClean: boolean
}

test('[IT4] opens a socket with Authorization too, closes it cleanly, and drops one that it refuses', async () => {
  const token = await mintToken(cloud, 'plain')
  const opened = await fetch(`${cloud.url}/api/auth`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  })
  const { session } = (await opened.json()) as { session: string }
  const url = `${cloud.url.replace('http', 'ws')}/api/live`
  function outcome(socket: WebSocket): Promise<Ended> {
    return new Promise((resolve) => {
      socket.addEventListener('message', () => socket.close(1000, 'bye'))
      socket.addEventListener('close', ({ code, wasClean }) =>
        resolve({ protocol: socket.protocol, code, wasClean }),
      )
    })
  }
  const authorization = `Bearer ${session}`
  expect(await outcome(new WebSocket(url, { headers: { authorization } }))).toEqual({
    protocol: '',
    code: 1000,
    wasClean: true,
  })
  expect(await outcome(new WebSocket(url, ['chronicle.v1', `bearer.${session}`]))).toEqual({
    protocol: 'chronicle.v1',
    code: 1000,
    wasClean: true,
  })
  expect(await outcome(new WebSocket(url, ['chronicle.v1', 'bearer.rubbish']))).toMatchObject({ code: 1006 })
  const origin = 'https://evil.example'
  const page = { protocols: ['chronicle.v1', `bearer.${session}`], headers: { origin } }
  expect(await outcome(new WebSocket(url, page))).toMatchObject({ code: 1006 })
  // No page can send this pair, because a browser lets no page set Authorization.
  expect(await outcome(new WebSocket(url, { headers: { authorization, origin } }))).toMatchObject({
    code: 1000,
  })
})
