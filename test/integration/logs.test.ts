import { expect, test } from 'vitest'
import { mintToken, secretsOf, type TestCloud, testCloud } from '../support/cloud/cloud.ts'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { fetchDocumented } from '../support/documented.ts'
import { secretsIn } from '../support/secrets.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

const cloud = withCloud()

/** Resolves once these requests are in the log. */
async function logged(by: TestCloud, ids: readonly string[]): Promise<void> {
  const missing = () => ids.filter((id) => !by.logged().some((line) => line.includes(id)))
  await expect.poll(missing, { timeout: 30_000 }).toEqual([])
}

async function openSession(token: string): Promise<string> {
  const body = JSON.stringify({ token })
  const response = await fetchDocumented(`${cloud.url}/api/auth`, {
    method: 'POST',
    headers: JSON_TYPE,
    body,
  })
  return ((await response.json()) as { session: string }).session
}

test('[SC8] logs no secret of the stack, and no credential of its clients', async () => {
  const token = await mintToken(cloud, 'logged')
  const secrets = [...secretsOf(cloud.folder), token, await openSession(token), 'canary-1-value']
  const asked = new Set<string>()
  async function ask(path: string, secret: string, body?: object): Promise<void> {
    const id = crypto.randomUUID()
    const marked = { authorization: `Bearer ${secret}`, cookie: secret, 'user-agent': secret }
    const headers = { ...JSON_TYPE, ...marked, 'x-request-id': id }
    const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    await fetch(cloud.url + path, { headers, ...sent })
    asked.add(id)
  }
  for (const secret of secrets) {
    await ask(`/api/changes?cursor=${secret}&${secret}=1`, secret)
    await ask(`/api/${secret}`, secret)
    await ask('/api/sync', secret, { changes: [{ key: secret, value: secret, timestamp: 1, [secret]: 1 }] })
  }
  expect(asked.size).toBe(3 * 6)
  await logged(cloud, [...asked])
  expect(cloud.logged().filter((line) => secretsIn(line).length > 0)).toEqual([])
})

test('[EX4] logs one line for an export that it breaks off, and no line for a client that hangs up', async () => {
  const scopes = ['sync:read', 'sync:write', 'space:admin']
  const session = await openSession(await mintToken(cloud, 'exported', { scopes }))
  const headers = { ...JSON_TYPE, authorization: `Bearer ${session}` }
  for (let batch = 1; batch <= 10; batch++) {
    const keys = Array.from({ length: 4 }, (_, index) => `n/${batch}-${index}`)
    const changes = keys.map((key) => ({ key, value: 'x'.repeat(200_000), timestamp: 1 }))
    await fetch(`${cloud.url}/api/sync`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ batch, changes }),
    })
  }
  const exceptions = () => cloud.logged().filter((line) => line.includes('xception'))
  const begun = async () => {
    const reader = (await fetch(`${cloud.url}/api/export`, { headers })).body?.getReader()
    await reader?.read()
    return async () => {
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read());
    }
  }
  const hangUp = new AbortController()
  const left = await fetch(`${cloud.url}/api/export`, { headers, signal: hangUp.signal })
  await left.body?.getReader().read()
  hangUp.abort()
  const readOn = await begun()
  expect(exceptions()).toEqual([])
  await fetch(`${cloud.url}/api/auth`, { method: 'DELETE', headers })
  await expect(readOn()).rejects.toThrow()
  await expect
    .poll(exceptions)
    .toEqual([expect.stringContaining('GET /api/export was broken off: its session')])
})

test('[SC8] fails the test file whose stack logged a secret', async () => {
  const other = testCloud()
  const { url } = await other.start()
  const id = 'canary-1-request'
  await fetch(`${url}/api/health`, { headers: { 'x-request-id': id } })
  await logged(other, [id])
  await expect(other.remove()).rejects.toThrow(/^secrets in the log:\n\{.*canary-1-request.*\}$/)
})
