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

// Both wait for ten seconds: at once.
test.concurrent('[ER10] gives up on a body that does not arrive', async () => {
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

test.concurrent('[IM8] an import whose body stalls ends, and what came of it is in', async () => {
  const headers = (bearer: string) => ({
    'content-type': 'application/json',
    authorization: `Bearer ${bearer}`,
  })
  const post = async (path: string, bearer: string, body: object): Promise<Record<string, string>> => {
    const request = { method: 'POST', headers: headers(bearer), body: JSON.stringify(body) }
    return (await (await fetch(cloud.url + path, request)).json()) as Record<string, string>
  }
  const wanted = { subject: 'stalls', scopes: ['sync:read', 'space:admin'] }
  const { token } = await post('/api/tokens', cloud.outputs.adminToken, wanted)
  const { session = '' } = await post('/api/auth', '', { token: token ?? '' })
  const about = {
    type: 'header',
    format: 'chronicle-export',
    version: 1,
    space: 's',
    epoch: 'e',
    head: 'e.1',
  }
  const header = `${JSON.stringify({ ...about, exportedAt: 1 })}\n`
  const entry = `{"key":"k","value":1,"timestamp":1,"version":"e.1","by":"a"}\n`
  const { hostname, port } = new URL(cloud.url)
  const reply = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    socket.on('data', (data) => resolve(String(data)))
    socket.on('error', reject)
    const head = [
      'POST /api/import HTTP/1.1',
      `Host: ${hostname}`,
      'Content-Type: application/x-ndjson',
      `Authorization: Bearer ${session}`,
      'Content-Length: 100000',
    ].join('\r\n')
    socket.write(`${head}\r\n\r\n${header}${entry}{"key"`)
  })
  expect(reply).toMatch(/^HTTP\/1\.1 408 /)
  expect(reply).toContain('"code":"body-timeout"')
  const rest = `{"type":"end","entries":1,"cursor":"e.1"}\n`
  const response = await fetch(`${cloud.url}/api/import?line=3`, {
    method: 'POST',
    headers: { ...headers(session), 'content-type': 'application/x-ndjson' },
    body: rest,
  })
  expect(await response.json()).toEqual({ success: true, line: 3, entries: 1, finished: true, edited: false })
})
