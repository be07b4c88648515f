import { expect, test } from 'vitest'
import { listed, logged, recordLike } from '../../support/worker/audit.ts'
import { call, device, mint, send } from '../../support/worker/client.ts'

/** Opens a session for a space; returns it with the fields of its records. */
async function ownerOf(
  space: string,
  scopes: readonly string[] = ['sync:read', 'sync:write', 'space:admin'],
) {
  const { token, id } = await mint({ subject: 'ann', space, scopes })
  const { session } = await device({ token })
  return { session, target: { tokenId: id, subject: 'ann', space } }
}

const NDJSON = { 'content-type': 'application/x-ndjson' }

test('[OP6] records each export, import and erasure with its actor and space', async () => {
  const space = crypto.randomUUID()
  const { session: bearer, target } = await ownerOf(space)
  const byIt = (act: string, status: number) => ({ ...recordLike(act, status, target), admin: 'session' })
  const asked = async (method: string, path: string, init: RequestInit = {}) => {
    const requestId = crypto.randomUUID()
    const headers = { authorization: `Bearer ${bearer}`, 'x-request-id': requestId, ...init.headers }
    const response = await call(path, { ...init, method, headers })
    const text = await response.text()
    const lines = logged.filter((line) => line.message === 'audit' && line.requestId === requestId)
    return { text, lines, records: (await listed()).filter((record) => record.requestId === requestId) }
  }
  const exported = await asked('GET', '/api/export')
  expect(exported.records).toEqual([byIt('GET /api/export', 200)])
  expect(exported.lines).toMatchObject([{ admin: 'session', target: { tokenId: target.tokenId } }])
  expect(JSON.stringify(exported.lines)).not.toContain(space)
  const wrong = await asked('POST', '/api/import', { headers: NDJSON, body: '{"x":1}\n' })
  expect(wrong.records).toEqual([byIt('POST /api/import', 422)])
  const filled = await asked('POST', '/api/import?line=1', { headers: NDJSON, body: exported.text })
  expect(filled.records).toEqual([byIt('POST /api/import', 200)])
  const erase = (confirm: string) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ confirm }),
  })
  const mistaken = await asked('DELETE', '/api/space', erase('other'))
  expect(mistaken.records).toEqual([])
  expect(mistaken.lines).toMatchObject([{ act: 'DELETE /api/space', status: 422 }])
  expect((await asked('DELETE', '/api/space', erase(space))).records).toEqual([
    byIt('DELETE /api/space', 200),
  ])
  // The session is void now, and anybody could hold a void session.
  expect((await asked('DELETE', '/api/space', erase(space))).records).toEqual([])
})

test('[OP6] logs a refusal without an effect and keeps no record, so that no session can fill the records', async () => {
  const space = crypto.randomUUID()
  const before = (await listed()).length
  const { session: reader } = await ownerOf(space, ['sync:read'])
  const { token } = await mint({
    subject: 'ann',
    space,
    scopes: ['sync:read', 'space:admin'],
    collections: ['k'],
  })
  const { session: part } = await device({ token })
  for (const bearer of [reader, part, 'rubbish']) {
    await send('GET', '/api/export', { bearer })
    await send('DELETE', '/api/space', { bearer, body: { confirm: space } })
  }
  // Two tokens were minted before.
  const acts = (await listed()).slice(0, (await listed()).length - before - 2)
  expect(acts).toEqual([])
  const lines = logged.filter(
    ({ message, admin, status }) => message === 'audit' && admin === 'session' && status === 403,
  )
  expect(lines.length).toBeGreaterThanOrEqual(2)
})
