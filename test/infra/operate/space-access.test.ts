import { createServer } from 'node:http'
import { expect, test, vi } from 'vitest'
import { inSpace } from '../../../infra/operate/service/space-access.ts'
import { listen } from '../fake-api.ts'
import { fakeClock } from './limited-service.ts'

/** Serves what a session in a space needs. Replies to attempts to revoke the token with these statuses in turn. */
async function serviceThatRevokes(statuses: readonly number[]) {
  const attempts: string[] = []
  const server = createServer((request, response) => {
    if (request.method === 'DELETE') {
      attempts.push(`${request.url}`)
      response.statusCode = statuses[attempts.length - 1] ?? 200
    }
    const isRefused = response.statusCode >= 400
    response.end(
      JSON.stringify(
        isRefused
          ? { code: 'internal', detail: 'broken' }
          : { id: 'i', token: 't', session: 's', success: true },
      ),
    )
  })
  const clock = fakeClock()
  return { service: { api: await listen(server), adminToken: 'adm', clock }, attempts, clock }
}

test('retries to revoke its token after a failure, until the service has revoked it', async () => {
  const { service, attempts, clock } = await serviceThatRevokes([500, 500, 200])
  expect(await inSpace(service, { space: 's', clientId: 'c' }, async () => 'done')).toBe('done')
  expect(attempts).toEqual(['/api/tokens/i', '/api/tokens/i', '/api/tokens/i'])
  expect(clock.waits).toEqual([5_000, 5_000])
})

test('takes a token that the service no longer knows for revoked', async () => {
  const { service, attempts } = await serviceThatRevokes([404])
  await inSpace(service, { space: 's', clientId: 'c' }, async () => 'done')
  expect(attempts).toHaveLength(1)
})

test('reports a token that it cannot revoke, and when the token expires', async () => {
  const { service, attempts } = await serviceThatRevokes(Array.from({ length: 20 }, () => 500))
  const error = vi.spyOn(console, 'error').mockReturnValue()
  try {
    await inSpace(service, { space: 's', clientId: 'c' }, async () => 'done')
    expect(error.mock.calls.join()).toMatch(
      /^Error: s: the token of this run is not revoked\. It expires by /,
    )
    expect(process.exitCode).toBe(1)
  } finally {
    error.mockRestore()
    process.exitCode = 0
  }
  expect(attempts).toHaveLength(10)
})
