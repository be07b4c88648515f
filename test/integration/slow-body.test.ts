import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunningCloud } from '../../infra/local/start-cloud.ts'
import { type TestCloud, testCloud } from '../support/cloud.ts'

let tested: TestCloud
let cloud: RunningCloud

beforeAll(async () => {
  tested = testCloud()
  cloud = await tested.start()
})

afterAll(() => tested.remove())

test('[ER10] gives up on a body that does not arrive', async () => {
  const { hostname, port } = new URL(cloud.url)
  const began = Date.now()
  const reply = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.on('data', (data) => resolve(String(data)))
    socket.on('error', reject)
    socket.write(
      `POST /api/auth HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"token"`,
    )
  })
  expect(reply).toMatch(/^HTTP\/1\.1 408 /)
  expect(reply).toContain('"code":"body-timeout"')
  expect(Date.now() - began).toBeGreaterThan(9_000)
  expect(Date.now() - began).toBeLessThan(15_000)
})
