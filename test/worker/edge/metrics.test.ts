import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { handle } from '../../../worker/src/http/edge.ts'
import { device } from '../../support/worker/client.ts'

test('[ED10] counts each request and the results of each batch, under environment and version', async () => {
  const points: AnalyticsEngineDataPoint[] = []
  const counted: Env = { ...env, ANALYTICS: { writeDataPoint: (point = {}) => points.push(point) } }
  const { session } = await device()
  function sync(body: object): Promise<Response> {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${session}` }
    const request = { method: 'POST', headers, body: JSON.stringify(body) }
    return handle(new Request('https://sync.example/api/sync', request), counted)
  }
  const batch = {
    batch: 1,
    changes: [
      { key: 'k/1', value: 'secret-value', timestamp: 2, base: null },
      { key: 'k/2', value: 2, timestamp: 1, base: 'other.1' },
      { key: '/bad', value: 3, timestamp: 1 },
    ],
  }
  await sync(batch)
  await sync(batch)
  await sync({ changes: 'wrong' })

  const request = (code: string, status: number, ...effects: number[]) => ({
    indexes: ['development'],
    blobs: ['request', 'unreleased', '/api/sync', 'POST', code],
    doubles: [status, expect.any(Number), ...effects],
  })
  // The platform's dataset throws past a number of points.
  const full: AnalyticsEngineDataset = {
    writeDataPoint() {
      throw new Error('too many points')
    },
  }
  counted.ANALYTICS = full
  expect((await sync({ changes: [{ key: 'k/3', value: 3, timestamp: 3 }] })).status).toBe(200)
  expect((await sync({ changes: 'wrong' })).status).toBe(422)

  expect(points).toEqual([
    request('', 200, 3, 1, 1, 0),
    request('', 200, 0, 0, 0, 1),
    request('invalid-request', 422),
  ])
})
