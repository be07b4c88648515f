import { env } from 'cloudflare:workers'
import { expect, onTestFinished, test, vi } from 'vitest'
import { CLOCK_TOLERANCE_MS } from '../../../worker/src/core/values/limits.ts'
import { handle } from '../../../worker/src/http/edge.ts'
import { device, twoDevices } from '../../support/worker/client.ts'
import { pause } from '../../support/worker/follower.ts'

const T = Date.now() - 60_000

test('[CL1] corrects a timestamp by the skew that clientTime shows, and reports it', async () => {
  const a = await device()
  const clientTime = Date.now() - 3_600_000
  const { body } = await a.sync({
    clientTime,
    changes: [{ key: 'n/1', value: 1, timestamp: clientTime - 5_000 }],
  })
  const corrected = body.serverTime - 5_000
  expect(Math.abs(body.results[0].effectiveTimestamp - corrected)).toBeLessThan(2)
  const entry = await a.get('/api/entries?key=n/1')
  expect(entry.body.timestamp).toBe(body.results[0].effectiveTimestamp)
})

test('[CL2] does not take the time of a slow body for a wrong clock', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const a = await device()
  const now = Date.now()
  const text = JSON.stringify({
    clientTime: now,
    changes: [{ key: 'k/1', value: 1, timestamp: now - 5_000 }],
  })
  const parts = [text.slice(0, 20), text.slice(20)]
  // In the test's own context the body is read by the Worker only, after it has noted the time of arrival.
  const slow = new ReadableStream(
    {
      // The body of a request from the network is a stream of bytes too.
      type: 'bytes',
      pull(controller) {
        vi.setSystemTime(Date.now() + CLOCK_TOLERANCE_MS / 2 + 1)
        controller.enqueue(new TextEncoder().encode(parts.shift()))
        if (parts.length > 0) return
        controller.close()
        controller.byobRequest?.respond(0)
      },
    },
    { highWaterMark: 0 },
  )
  const headers = { authorization: `Bearer ${a.session}`, 'content-type': 'application/json' }
  const request = new Request('https://sync.example/api/sync', { method: 'POST', headers, body: slow })
  const { results } = (await (await handle(request, env)).json()) as { results: object[] }
  expect(Date.now() - now).toBeGreaterThan(CLOCK_TOLERANCE_MS)
  expect(results).toEqual([{ key: 'k/1', status: 'applied', version: expect.any(String) }])
})

test('[CL2] trusts a clock that differs no more than the network may explain', async () => {
  const a = await device()
  const { body } = await a.sync({
    clientTime: Date.now() - 1_500,
    changes: [{ key: 'n/1', value: 1, timestamp: T }],
  })
  expect(body.results[0]).not.toHaveProperty('effectiveTimestamp')
})

test('[CL3] clamps a time in the future to now, reports it and refuses nothing', async () => {
  const a = await device()
  const far = Number.MAX_SAFE_INTEGER
  const { body } = await a.sync({ changes: [{ key: 'n/1', value: 1, timestamp: far }] })
  expect(body.success).toBe(true)
  expect(body.results[0]).toMatchObject({ status: 'applied', effectiveTimestamp: body.serverTime })
})

test('[CL5] rounds a fraction of a millisecond down, and reports the effective time', async () => {
  const [a, b] = await twoDevices()
  const whole = T + 10
  const { body } = await a.sync({ batch: 1, changes: [{ key: 'n/1', value: 1, timestamp: whole + 0.999 }] })
  expect(body.results[0]).toMatchObject({ status: 'applied', effectiveTimestamp: whole })
  expect((await b.get('/api/entries?key=n/1')).body.timestamp).toBe(whole)
  // Both times are of one millisecond, so the greater client id decides and not the fraction.
  const tie = await b.sync({ changes: [{ key: 'n/1', value: 2, timestamp: whole, base: null }] })
  expect(tie.body.results[0].status).toBe('applied')
  const skewed = Date.now() - 3_600_000 + 0.5
  const late = await a.sync({
    clientTime: skewed,
    changes: [{ key: 'n/2', value: 1, timestamp: skewed - 5_000 }],
  })
  expect(late.body.results[0].effectiveTimestamp % 1).toBe(0)
  expect(Math.abs(late.body.results[0].effectiveTimestamp - late.body.serverTime + 5_000)).toBeLessThan(2)
  for (const [timestamp, code] of [
    [0.5, undefined],
    [2 ** 53 - 1, undefined],
    [-Number.MIN_VALUE, 'invalid-timestamp'],
    [2 ** 53, 'invalid-timestamp'],
    [1e308, 'invalid-timestamp'],
  ] as const) {
    const { body } = await a.sync({ changes: [{ key: 'n/edge', value: timestamp, timestamp }] })
    expect(body.results[0].code, String(timestamp)).toBe(code)
  }
})

test('[CL6] uses the time of arrival for a change without a time in a numbered batch', async () => {
  const [a, b] = await twoDevices()
  const timeless = { key: 'n/1', value: 1, base: null }
  await b.sync({ changes: [{ key: 'n/1', value: 'earlier', timestamp: T }] })
  const clientTime = Date.now() + 3_600_000
  const first = await a.sync({ batch: 1, clientTime, changes: [timeless] })
  const { serverTime } = first.body
  expect(first.body.results[0]).toMatchObject({ status: 'applied', effectiveTimestamp: serverTime })
  expect((await a.get('/api/entries?key=n/1')).body.timestamp).toBe(serverTime)
  expect((await a.get('/api/history?key=n/1')).body.versions[0].timestamp).toBe(serverTime)
  await pause(5)
  const again = await a.sync({ batch: 1, changes: [timeless] })
  expect(again.body).toMatchObject({ replayed: true, results: first.body.results })
  const timed = await a.sync({ batch: 1, changes: [{ ...timeless, timestamp: serverTime }] })
  expect(timed.body.code).toBe('batch-mismatch')
  const unnumbered = await a.sync({ changes: [{ key: 'n/2', value: 1, timestamp: T }, timeless] })
  expect(unnumbered.body).toMatchObject({ status: 422, code: 'invalid-request' })
  expect(unnumbered.body.detail).toContain('changes[1].timestamp: is missing, and only a batch with a number')
})
