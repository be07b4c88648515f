import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectWithLimits } from '../support/cloud/project.ts'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { fetchDocumented } from '../support/documented.ts'
import { identityProvider, type TestIdentityProvider } from './identity-provider.ts'

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA']

/** Shorter than the real 30 s and 10 s, which the worker project tests. */
const [KEYS_COOLDOWN_MS, BODY_DEADLINE_MS] = [2_000, 1_000]

const cloud = withCloud({ root: projectWithLimits({ KEYS_COOLDOWN_MS, BODY_DEADLINE_MS }).root })
let provider: TestIdentityProvider
/** Provider that stalls in the middle of its key set. */
let stalled: Server

beforeAll(async () => {
  provider = await identityProvider(ALGORITHMS)
  stalled = createServer((_, response) => response.writeHead(200).write('{"keys":'))
  await new Promise<void>((resolve) => stalled.listen(0, '127.0.0.1', resolve))
  const { port } = stalled.address() as AddressInfo
  const identityProviders = [
    { ...provider.entry, algorithms: ALGORITHMS, scopes: ['sync:read', 'sync:write'] },
    {
      issuer: 'https://stalled.example',
      audiences: ['x'],
      jwksUrl: `http://127.0.0.1:${port}`,
      scopes: ['sync:read'],
    },
  ]
  const bearer = cloud.outputs.adminToken
  const { revision } = (await call('GET', '/api/config', { bearer })).body
  const body = { revision, identityProviders }
  expect((await call('PUT', '/api/config', { bearer, body })).status).toBe(200)
})

afterAll(async () => {
  stalled.closeAllConnections()
  stalled.close()
  await provider.stop()
})

interface Sent {
  readonly bearer?: string
  readonly body?: object
  readonly signal?: AbortSignal
}

async function call(method: string, path: string, { bearer, body, signal }: Sent) {
  const response = await fetchDocumented(cloud.url + path, {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(bearer && { authorization: `Bearer ${bearer}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

function open(token: string, signal?: AbortSignal) {
  return call('POST', '/api/auth', { body: { token }, ...(signal && { signal }) })
}

test.each(ALGORITHMS)(
  '[ID1] opens the space of a subject for an access token of a real provider, signed with %s',
  async (algorithm) => {
    const { status, body } = await open(await provider.token('ann', algorithm))
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.space).toBe(`${provider.entry.issuer}#sub=ann`)
    const changes = [{ key: `k/${algorithm}`, value: algorithm, timestamp: 1 }]
    const synced = await call('POST', '/api/sync', { bearer: String(body.session), body: { changes } })
    expect(synced.body).toMatchObject({ success: true, synced: [`k/${algorithm}`] })
  },
)

test('[ID5] keeps two subjects of a real provider apart', async () => {
  const { body } = await open(await provider.token('bob', 'ES256'))
  const { body: page } = await call('GET', '/api/changes', { bearer: String(body.session) })
  expect(page.changes).toEqual([])
})

// The tests below wait for deadlines, and therefore run concurrently.
test.concurrent('[ID8] follows a real provider that rotates its keys', async () => {
  const before = await provider.token('ann', 'ES256')
  await provider.rotate()
  const after = await provider.token('ann', 'ES256')
  expect((await open(before)).status).toBe(200)
  const opened = async () => (await open(after)).status
  await expect.poll(opened, { timeout: 5 * KEYS_COOLDOWN_MS, interval: 200 }).toBe(200)
  expect((await open(before)).status).toBe(401)
})

test.concurrent('[ID9] gives up in time on a provider that stalls, also for a request that waits behind one that was cut off', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = `${part({ alg: 'RS256', kid: '1' })}.${part({ iss: 'https://stalled.example', aud: 'x', sub: 'y' })}.AA`
  await open(token, AbortSignal.timeout(300)).catch(() => undefined)
  const began = performance.now()
  const replies = await Promise.all([open(token), open(token)])
  expect(performance.now() - began).toBeLessThan(6000)
  for (const { status, body } of replies) expect(`${status} ${body.code}`).toBe('503 provider-unavailable')
})

/** Sends a request with only the start of a body of 100 kB. Returns the reply. */
async function stallAfter(request: string, headers: readonly string[], body: string): Promise<string> {
  const { hostname, port } = new URL(cloud.url)
  const socket = connect(Number(port), hostname)
  const head = [`${request} HTTP/1.1`, `Host: ${hostname}`, ...headers, 'Content-Length: 100000']
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  const [reply] = await once(socket, 'data')
  return String(reply)
}

test.concurrent('[ER10] gives up on a body that does not arrive', async () => {
  const began = Date.now()
  const reply = await stallAfter('POST /api/auth', ['Content-Type: application/json'], '{"token"')
  expect(reply).toMatch(/^HTTP\/1\.1 408 /)
  expect(reply).toContain('"code":"body-timeout"')
  expect(Date.now() - began).toBeGreaterThan(0.9 * BODY_DEADLINE_MS)
  expect(Date.now() - began).toBeLessThan(BODY_DEADLINE_MS + 5_000)
})

test.concurrent('[IM8] ends an import whose body stalls, and keeps the lines that came', async () => {
  const wanted = { subject: 'stalls', scopes: ['sync:read', 'space:admin'] }
  const minted = await call('POST', '/api/tokens', { bearer: cloud.outputs.adminToken, body: wanted })
  const { session } = (await open(String(minted.body.token))).body
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
  const head = ['Content-Type: application/x-ndjson', `Authorization: Bearer ${session}`]
  const reply = await stallAfter('POST /api/import', head, `${header}${entry}{"key"`)
  expect(reply).toMatch(/^HTTP\/1\.1 408 /)
  expect(reply).toContain('"code":"body-timeout"')
  const rest = `{"type":"end","entries":1,"cursor":"e.1"}\n`
  const response = await fetch(`${cloud.url}/api/import?line=3`, {
    method: 'POST',
    headers: { authorization: `Bearer ${session}`, 'content-type': 'application/x-ndjson' },
    body: rest,
  })
  expect(await response.json()).toEqual({ success: true, line: 3, entries: 1, finished: true, edited: false })
})
