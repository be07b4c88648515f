import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { METRICS } from '../../../worker/src/core/report/metrics.ts'
import { damageChunks } from '../../support/worker/ageing.ts'
import { act } from '../../support/worker/audit.ts'
import { device, mint, newSpace, send } from '../../support/worker/client.ts'
import { follow } from '../../support/worker/follower.ts'
import { asOperator, lookInto, metrics, reported, reportLongAgo } from '../../support/worker/registry.ts'
import { pushed, puts, T } from '../../support/worker/room.ts'

test('[MX1] gives OpenMetrics text: types and descriptions before each metric, and an end', async () => {
  const { status, headers, text = '' } = await asOperator('/api/metrics')
  expect([status, headers.get('content-type')]).toEqual([
    200,
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  ])
  expect(text.endsWith('\n# EOF\n')).toBe(true)
  const names = [...text.matchAll(/^# TYPE (\S+) (gauge|counter|info)$/gm)].map(([, name]) => name)
  expect(names).toEqual(['chronicle_build', ...METRICS.map(([, name]) => name)])
  expect(text).toMatch(/^chronicle_build_info\{version="[^"]+",stack="dev",environment="development"\} 1$/m)
})

test('[MX1] adds up all spaces, without their names', async () => {
  const before = await metrics()
  const spaces = [await newSpace(), await newSpace(), await newSpace()]
  for (const { a, space } of spaces) {
    await a.sync({ changes: puts(['k/1', 'k/2']) })
    await reported(space, { entries: 2 })
  }
  const after = await metrics()
  const grown = (name: string) => (after[name] ?? 0) - (before[name] ?? 0)
  expect(grown('chronicle_spaces')).toBe(3)
  expect(grown('chronicle_entries')).toBe(6)
  expect(grown('chronicle_changes_total')).toBe(6)
  expect(grown('chronicle_reports_total')).toBe(3)
  expect(grown('chronicle_storage_bytes')).toBeGreaterThan(3 * 4096)
  const { text } = await asOperator('/api/metrics')
  for (const { space } of spaces) expect(text).not.toContain(space)
})

test('[OS2] writes nothing on a socket, where the audit would not see it', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: puts(['k/1']) })
  await reported(space, { entries: 1 })
  const operator = await lookInto(space, ['sync:read', 'sync:write'])
  const socket = await follow(operator)
  await socket.next()
  const ack = await pushed(socket, 'x', { changes: puts(['k/2']) })
  expect(ack).toMatchObject({ status: 403, body: { code: 'forbidden-scope' } })
  socket.close()
  expect((await operator.sync({ changes: puts(['k/2']) })).status).toBe(200)
})

test('[OS2] leaves the client ids of operators to operators', async () => {
  const { token } = await mint()
  const { status, body } = await send('POST', '/api/auth', { body: { token, clientId: 'operator-0123' } })
  expect([status, body.code]).toEqual([422, 'invalid-request'])
  expect(body.detail).toContain('operator-')
})

test('[MX1] counts a defect of the edge', async () => {
  const before = (await metrics()).chronicle_defects_total ?? 0
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  vi.spyOn(env.CHRONICLE_KV, 'get').mockRejectedValue(new Error('a defect'))
  expect((await send('POST', '/api/auth', { body: { token: (await mint()).token } })).status).toBe(500)
  vi.restoreAllMocks()
  await vi.waitFor(async () => expect((await metrics()).chronicle_defects_total).toBeGreaterThan(before), {
    timeout: 20_000,
    interval: 500,
  })
})

test('[MX1] counts a defect on a socket, which no request at the edge meets', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: puts(['k/1']) })
  await reported(space, { entries: 1 })
  await reportLongAgo(space)
  await damageChunks(space, () => true)
  const before = (await metrics()).chronicle_defects_total ?? 0
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const { epoch } = (await a.get('/api/status')).body
  const socket = await follow(a, `?cursor=${epoch}.0`)
  expect(await socket.closed()).toMatchObject({ code: 1011 })
  await vi.waitFor(async () => expect((await metrics()).chronicle_defects_total).toBe(before + 1), {
    timeout: 15_000,
    interval: 300,
  })
})

test('[MX2] takes a token that opens nothing else, or the admin token', async () => {
  const { token } = await mint({ scopes: ['metrics:read'] })
  expect((await send('GET', '/api/metrics', { bearer: token })).status).toBe(200)
  const { token: other } = await mint({ scopes: ['sync:read', 'space:admin'] })
  expect((await send('GET', '/api/metrics', { bearer: other })).body).toMatchObject({
    code: 'forbidden-scope',
  })
  const scraper = await device({ token })
  for (const path of ['/api/changes', '/api/status', '/api/clients'])
    expect((await scraper.get(path)).body).toMatchObject({ code: 'forbidden-scope' })
  for (const bearer of [undefined, 'rubbish', scraper.session, `${token.slice(0, -1)}!`])
    expect((await send('GET', '/api/metrics', bearer === undefined ? {} : { bearer })).status).toBe(401)
})

test('[OS1] opens a session that reads a space, and no space that does not exist', async () => {
  const { space, a } = await newSpace()
  const body = { space }
  const missing = await send('POST', '/api/sessions', { body, bearer: env.ADMIN_TOKEN })
  expect(missing.body).toMatchObject({ status: 404, code: 'not-found' })
  await a.sync({ changes: puts(['k/1']) })
  await reported(space, { entries: 1 })
  const operator = await lookInto(space)
  expect((await operator.get('/api/entries?prefix=')).body.entries).toMatchObject([{ key: 'k/1' }])
  expect((await operator.get('/api/status')).body).toMatchObject({ entries: 1 })
  expect((await operator.sync({ changes: puts(['k/2']) })).body).toMatchObject({ code: 'forbidden-scope' })
  const opened = await send('POST', '/api/sessions', { body, bearer: env.ADMIN_TOKEN })
  expect(opened.body.expiresAt - Date.now()).toBeLessThanOrEqual(15 * 60_000)
  for (const wrong of [
    {},
    { space: '' },
    { space, scopes: [] },
    { space, scopes: ['all'] },
    { space, odd: 1 },
  ])
    expect((await send('POST', '/api/sessions', { body: wrong, bearer: env.ADMIN_TOKEN })).status).toBe(422)
})

test('[OS2] records the opening, and every act that writes, under the admin token', async () => {
  const { space, a, b } = await newSpace()
  await a.sync({ changes: puts(['k/1']) })
  await reported(space, { entries: 1 })
  const scopes = ['sync:read', 'sync:write', 'space:admin']
  const opened = await act('POST', '/api/sessions', { body: { space, scopes } })
  expect(opened.records).toMatchObject([
    { act: 'POST /api/sessions', status: 200, target: { space, scopes } },
  ])
  const [{ admin }] = opened.records as readonly [{ admin: string }]
  expect(admin).toHaveLength(8)
  const bearer = opened.body.session
  for (const path of ['/api/changes', '/api/status', '/api/conflicts'])
    expect((await act('GET', path, { bearer })).records, path).toEqual([])
  expect((await act('POST', '/api/live/ticket', { bearer })).records).toEqual([])
  const pushed = await act('POST', '/api/sync', { bearer, body: { changes: puts(['k/2']) } })
  expect(pushed.records).toMatchObject([{ act: 'POST /api/sync', status: 200, admin, target: { space } }])
  const [conflict] = (await b.sync({ changes: [{ key: 'k/1', value: 0, timestamp: T - 1, base: null }] }))
    .body.conflicts
  const resolved = await act('POST', `/api/conflicts/${conflict.id}/resolve`, {
    bearer,
    body: { choice: 'winner', base: conflict.winner.version },
  })
  expect(resolved.records).toMatchObject([{ act: 'POST /api/conflicts/{id}/resolve', admin }])
  expect((await act('GET', '/api/export', { bearer })).records).toMatchObject([
    { act: 'GET /api/export', admin },
  ])
  const erased = await act('DELETE', '/api/space', { bearer, body: { confirm: space } })
  expect(erased.records).toMatchObject([{ act: 'DELETE /api/space', status: 200, admin }])
  const ordinary = await act('POST', '/api/sync', {
    bearer: (await newSpace()).a.session,
    body: { changes: [] },
  })
  expect(ordinary.records).toEqual([])
})

test('[OS2] ends a session of an operator like any other', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: puts(['k/1']) })
  await reported(space, { entries: 1 })
  const operator = await lookInto(space)
  const socket = await follow(operator)
  await socket.next()
  expect((await send('DELETE', '/api/auth', { bearer: operator.session })).status).toBe(200)
  expect(await socket.closed()).toMatchObject({ code: 4403 })
  expect((await operator.get('/api/status')).body).toMatchObject({ code: 'session-ended' })
})
