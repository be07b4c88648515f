import { expect, test } from 'vitest'
import { mintToken } from '../support/cloud/cloud.ts'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { fetchDocumented } from '../support/documented.ts'

const cloud = withCloud({
  config: {
    authRequestsPerMinute: '10',
    authFailuresPerMinute: '4',
    syncRequestsPerMinute: '5',
  },
})

function ask(authorization: string): Promise<Response> {
  return fetchDocumented(`${cloud.url}/api/status`, { headers: { authorization } })
}

async function openSession(space: string): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ token: await mintToken(cloud, space) })
  const opened = await fetchDocumented(`${cloud.url}/api/auth`, { method: 'POST', headers, body })
  return ((await opened.json()) as { session: string }).session
}

test('[RL5] tells a client to wait that fails to authenticate too often, and not one with a valid session', async () => {
  const session = await openSession('valid')
  const statuses: number[] = []
  for (let round = 0; round < 6; round++) statuses.push((await ask('Bearer rubbish')).status)
  expect(statuses).toEqual([401, 401, 401, 401, 429, 429])
  expect((await ask('')).status).toBe(429)
  expect((await ask(`Bearer ${session}`)).status).toBe(200)
})

test('[RL1] refuses requests over the limits of the stack, and says when to retry', async () => {
  const token = await mintToken(cloud, 'limited')
  const headers = { 'content-type': 'application/json' }
  const auth = () =>
    fetchDocumented(`${cloud.url}/api/auth`, { method: 'POST', headers, body: JSON.stringify({ token }) })
  const { session } = (await (await auth()).json()) as { session: string }
  const status = () =>
    fetchDocumented(`${cloud.url}/api/status`, { headers: { authorization: `Bearer ${session}` } })
  const statuses: number[] = []
  for (let round = 0; round < 6; round++) statuses.push((await status()).status)
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429])
  const refused = await status()
  expect(refused.headers.get('retry-after')).toBe('60')
  // Only the stack knows the number of allowed requests.
  expect(refused.headers.get('ratelimit')).toBe('"place";r=0')
  expect(refused.headers.get('ratelimit-policy')).toBeNull()
  const problem = (await refused.json()) as object
  expect(problem).toMatchObject({ code: 'rate-limited', policy: 'place', success: false })
  expect(problem).not.toHaveProperty('limit')

  // Each token has its own limit for exchanges.
  const attempts: number[] = []
  for (let round = 0; round < 6; round++) attempts.push((await auth()).status)
  expect(attempts).toEqual([200, 200, 200, 200, 429, 429])
  expect(await openSession('another')).toMatch(/^ey/)
})
