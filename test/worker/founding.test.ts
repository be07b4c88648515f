import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { handle } from '../../worker/src/http/edge.ts'
import { HTTPError, SyncError } from '../../worker/src/http/exchange/errors.ts'
import { withStubs } from '../support/unkind-spaces.ts'
import { mint, send } from './client.ts'
import { sessionLike } from './session.ts'

test('[FO1] a client that knows only the founding fields works', async () => {
  const { token } = await mint()
  const opened = await send('POST', '/api/auth', { body: { token } })
  expect(opened.body.success).toBe(true)
  const bearer = opened.body.session
  const timestamp = Date.now()
  const body = { changes: [{ key: 'note', value: { title: 'a' }, timestamp }] }
  const synced = await send('POST', '/api/sync', { body, bearer })
  expect(synced.body).toMatchObject({ success: true, conflicts: [], synced: ['note'] })
  const status = await send('GET', '/api/status', { bearer })
  expect(status.body.status).toBe('ok')
  expect(status.body.lastSync).toBeGreaterThanOrEqual(timestamp)
  expect(status.body.pending).toBe(1)
})

/** What the edge answers where code in front of a space throws. */
async function thrownBy(work: () => never): Promise<{ status: number; type: string | null; body: object }> {
  const headers = { authorization: `Bearer ${await sessionLike()}`, 'content-type': 'application/json' }
  const request = new Request('https://sync.example/api/sync', { method: 'POST', headers, body: '{}' })
  const CHRONICLE = withStubs(env.CHRONICLE, () => async () => work())
  const response = await handle(request, { ...env, CHRONICLE })
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: (await response.json()) as object,
  }
}

test('[FO2] the two errors of the founding guide, thrown as it writes them, are answered as problems', async () => {
  const forbidden = await thrownBy(() => {
    // biome-ignore format: the line as the guide has it
    throw new HTTPError(403, "Unauthorized access")
  })
  expect(forbidden).toMatchObject({
    status: 403,
    type: 'application/problem+json',
    body: {
      status: 403,
      title: 'Forbidden',
      code: 'forbidden',
      detail: 'Unauthorized access',
      success: false,
    },
  })
  const conflictData = { key: 'notes/1', version: 'e.2' }
  const conflict = await thrownBy(() => {
    // biome-ignore format: the line as the guide has it
    throw new SyncError("Conflict detected", conflictData)
  })
  expect(conflict).toMatchObject({
    status: 409,
    type: 'application/problem+json',
    body: {
      status: 409,
      title: 'Conflict',
      code: 'conflict',
      detail: 'Conflict detected',
      conflicts: [],
      ...conflictData,
    },
  })
})

test('[FO2] a list of conflicts is where a founding client looks, and no data takes the place of what a problem says', async () => {
  const conflicts = [{ key: 'notes/1' }]
  expect(await thrownBy(() => refuse(conflicts))).toMatchObject({ body: { conflicts } })
  const posing = { status: 200, type: 'x', title: 'x', code: 'ok', detail: 'x', instance: 'x', success: true }
  const { status, body } = await thrownBy(() => refuse(posing))
  expect(status).toBe(409)
  expect(body).toMatchObject({ status: 409, code: 'conflict', detail: 'Conflict detected', success: false })
  const cause = new Error('why')
  expect(new HTTPError(404, 'none', { cause })).toMatchObject({ code: 'not-found', message: 'none', cause })
  expect(new SyncError('none', {}, { cause })).toMatchObject({ status: 409, code: 'conflict', cause })
  expect(new SyncError('none')).toBeInstanceOf(HTTPError)
})

const circular: Record<string, unknown> = {}
circular.itself = circular

test.each<[what: string, error: Error]>([
  ['data that is circular', new SyncError('x', circular)],
  ['data that is no JSON', new SyncError('x', { big: 1n })],
  ['data that writes itself', new SyncError('x', { toJSON: () => 'x' })],
  ['a status that is no refusal', new HTTPError(204, 'x')],
  ['a status that is none', new HTTPError(99, 'x')],
  ['a status of sockets', new HTTPError(101, 'x')],
  ['headers that are none', new HTTPError(403, 'x', { headers: { 'x y': '1' } })],
])('[FO2] an error with %s is a defect, answered as one', async (_, error) => {
  const { status, type, body } = await thrownBy(() => {
    throw error
  })
  expect([status, type]).toEqual([500, 'application/problem+json'])
  expect(body).toMatchObject({ code: 'internal', success: false })
})

function refuse(conflictData: object): never {
  throw new SyncError('Conflict detected', conflictData)
}
