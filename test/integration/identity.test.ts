import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunningCloud } from '../../infra/local/start-cloud.ts'
import { type TestCloud, testCloud } from '../support/cloud.ts'
import { fetchDocumented } from '../support/documented.ts'
import { identityProvider, type TestIdentityProvider } from '../support/identity-provider.ts'

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA']

let tested: TestCloud
let cloud: RunningCloud
let provider: TestIdentityProvider
/** Says that it will send its keys, and does not. */
let stalled: Server

beforeAll(async () => {
  tested = testCloud()
  cloud = await tested.start()
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
  await tested.remove()
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
  '[ID1] an access token of a real provider, signed with %s, opens its space',
  async (algorithm) => {
    const { status, body } = await open(await provider.token('ann', algorithm))
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.space).toBe(`${provider.entry.issuer}#sub=ann`)
    const changes = [{ key: `k/${algorithm}`, value: algorithm, timestamp: 1 }]
    const synced = await call('POST', '/api/sync', { bearer: String(body.session), body: { changes } })
    expect(synced.body).toMatchObject({ success: true, synced: [`k/${algorithm}`] })
  },
)

test('[ID5] two subjects of a real provider do not see each other', async () => {
  const { body } = await open(await provider.token('bob', 'ES256'))
  const { body: page } = await call('GET', '/api/changes', { bearer: String(body.session) })
  expect(page.changes).toEqual([])
})

// The keys of the one are not asked for again for half a minute: meanwhile the other one stalls.
test.concurrent('[ID8] the keys of a real provider rotate', async () => {
  const before = await provider.token('ann', 'ES256')
  await provider.rotate()
  const after = await provider.token('ann', 'ES256')
  expect((await open(before)).status).toBe(200)
  const statuses: number[] = []
  while (statuses.at(-1) !== 200 && statuses.length < 40) {
    statuses.push((await open(after)).status)
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  expect(statuses.at(-1)).toBe(200)
  expect((await open(before)).status).toBe(401)
})

test.concurrent('[ID9] a provider that stalls is given up in time, by those too who wait for a request that was cut off', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = `${part({ alg: 'RS256', kid: '1' })}.${part({ iss: 'https://stalled.example', aud: 'x', sub: 'y' })}.AA`
  await open(token, AbortSignal.timeout(300)).catch(() => undefined)
  const began = performance.now()
  const replies = await Promise.all([open(token), open(token)])
  expect(performance.now() - began).toBeLessThan(6000)
  for (const { status, body } of replies) expect(`${status} ${body.code}`).toBe('503 provider-unavailable')
})
