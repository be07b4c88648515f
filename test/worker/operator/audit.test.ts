import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { handle } from '../../../worker/src/http/edge.ts'
import { ROUTES } from '../../../worker/src/http/router.ts'
import { hangUp } from '../../support/unkind/hang-up.ts'
import { act, listed, logged, recordLike, requestTo } from '../../support/worker/audit.ts'
import { device, mint, send } from '../../support/worker/client.ts'
import { until } from '../../support/worker/follower.ts'

const SUBJECT = 'https://login.example.com/#sub=ann'

test('[OP1] records each minting, rotation and revocation of a token with its target', async () => {
  const wanted = { subject: 'ann', space: 'team', scopes: ['sync:read'] }
  const began = Date.now()
  const minted = await act('POST', '/api/tokens', { body: wanted })
  const about = { subject: 'ann', space: 'team' }
  const old = { tokenId: minted.body.id, ...about }
  const scopes = ['sync:read']
  expect(minted.records).toEqual([recordLike('POST /api/tokens', 201, { ...old, scopes })])
  expect(minted.records).toMatchObject([{ at: expect.toSatisfy((at) => at >= began && at <= Date.now()) }])
  const rotated = await act('POST', `/api/tokens/${minted.body.id}/rotate`, { body: { overlapSeconds: 60 } })
  const replaced = { ...old, replacedBy: rotated.body.id, scopes }
  expect(rotated.records).toEqual([recordLike('POST /api/tokens/{id}/rotate', 201, replaced)])
  const gone = await act('DELETE', `/api/tokens/${minted.body.id}`)
  expect(gone.records).toEqual([recordLike('DELETE /api/tokens/{id}', 200, old)])
})

test('[OP1] records the ending of sessions and each configuration', async () => {
  const ended = await act('DELETE', '/api/sessions', { body: { subject: SUBJECT, space: 'team' } })
  expect(ended.records).toEqual([
    recordLike('DELETE /api/sessions', 200, { subject: SUBJECT, space: 'team' }),
  ])
  const { revision } = (await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })).body
  const put = await act('PUT', '/api/config', { body: { revision } })
  expect(put.body.revision).toBeGreaterThan(revision)
  expect(put.records).toEqual([recordLike('PUT /api/config', 200, { revision: put.body.revision })])
})

test('[OP1] records refused acts with their status and the known part of their target', async () => {
  const { id } = await mint({ subject: 'ann', space: 'team' })
  const named = { tokenId: id, subject: 'ann', space: 'team' }
  const past = { subject: 'bob', scopes: ['sync:read'], expiresAt: 1 }
  const refused: [string, string, unknown, string, number, object][] = [
    ['POST', '/api/tokens', { subject: 'a/b' }, 'POST /api/tokens', 422, {}],
    [
      'POST',
      '/api/tokens',
      past,
      'POST /api/tokens',
      422,
      { subject: 'bob', space: 'bob', scopes: ['sync:read'] },
    ],
    ['POST', '/api/tokens?x=1', {}, 'POST /api/tokens', 422, {}],
    ['DELETE', '/api/tokens/x', undefined, 'DELETE /api/tokens/{id}', 404, {}],
    ['POST', '/api/tokens/x/rotate', {}, 'POST /api/tokens/{id}/rotate', 404, {}],
    ['POST', `/api/tokens/${id}/rotate`, { x: 1 }, 'POST /api/tokens/{id}/rotate', 422, named],
    ['PUT', '/api/config', { revision: 7 }, 'PUT /api/config', 409, { revision: 7 }],
    ['DELETE', '/api/sessions', { subject: 'ann' }, 'DELETE /api/sessions', 422, {}],
    ['POST', '/api/tokens', undefined, 'POST /api/tokens', 415, {}],
  ]
  for (const [method, path, body, name, status, target] of refused) {
    const acted = await act(method, path, { body })
    expect(acted.status, `${method} ${path}`).toBe(status)
    expect(acted.records).toEqual([recordLike(name, status, target)])
  }
})

test('[OP1] records a defect as the 500 that it returns, and logs its cause', async () => {
  const errors = vi.spyOn(console, 'error').mockReturnValue()
  const broken = new Proxy(env.CHRONICLE_KV, {
    get: (target, name) =>
      name === 'delete' ? () => Promise.reject(new Error('no delete')) : bound(target, name),
  })
  const { id } = await mint({ subject: 'ann' })
  const response = await handle(requestTo('DELETE', `/api/tokens/${id}`), { ...env, CHRONICLE_KV: broken })
  expect(response.status).toBe(500)
  expect(errors.mock.calls[0]?.[0]).toContain('no delete')
  expect((await listed())[0]).toEqual(
    recordLike('DELETE /api/tokens/{id}', 500, { tokenId: id, subject: 'ann', space: 'ann' }),
  )
})

test('[OP1] records the generation of the admin token and the address of the request', async () => {
  const added = `adm_dev_${'b'.repeat(64)}`
  const both = { ...env, ADMIN_TOKEN: `${added} ${env.ADMIN_TOKEN}` }
  const fingerprints: string[] = []
  for (const [bearer, address, kept] of [
    [added, '203.0.113.7', '203.0.113.7'],
    [env.ADMIN_TOKEN, '2001:db8::1', '2001:db8::1'],
    [env.ADMIN_TOKEN, 'rubbish', null],
  ] as const) {
    const headers = { authorization: `Bearer ${bearer}`, 'cf-connecting-ip': address }
    expect((await handle(requestTo('DELETE', '/api/tokens/x', headers), both)).status).toBe(404)
    const [record] = await listed()
    expect(record.address).toBe(kept)
    fingerprints.push(record.admin)
  }
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(added))
  const [first, second, third] = fingerprints
  expect(first).toBe(
    btoa(String.fromCharCode(...new Uint8Array(digest)))
      .slice(0, 8)
      .replaceAll('+', '-')
      .replaceAll('/', '_'),
  )
  expect(second).toBe(third)
  expect(second).not.toBe(first)
})

test('[OP2] logs the same fields as the record, without the names of subject and space', async () => {
  const { body, records, lines } = await act('POST', '/api/tokens', {
    body: { subject: 'ann', space: 'team', scopes: ['sync:read'], name: 'laptop' },
  })
  const [record] = records
  expect(lines).toEqual([
    {
      level: 'info',
      message: 'audit',
      environment: 'development',
      ...record,
      target: { tokenId: body.id, scopes: ['sync:read'] },
    },
  ])
  expect(JSON.stringify([record, lines])).not.toContain('laptop')
})

test('[OP1] records every act of the operator: the admin token uses up no limit', async () => {
  const untouched = { limit: () => expect.unreachable('a limit') }
  const limited = { ...env, AUTH_LIMIT: untouched, FAILURE_LIMIT: untouched, SYNC_LIMIT: untouched }
  const requestId = crypto.randomUUID()
  expect(
    (await handle(requestTo('DELETE', '/api/tokens/x', { 'x-request-id': requestId }), limited)).status,
  ).toBe(404)
  const found = (await listed()).filter((record) => record.requestId === requestId)
  expect(found).toEqual([recordLike('DELETE /api/tokens/{id}', 404, {})])
})

test('[OP1] records an act even if its client hangs up', async () => {
  const requestId = crypto.randomUUID()
  const put = env.CHRONICLE_KV.put.bind(env.CHRONICLE_KV)
  const slow = async (...given: Parameters<typeof put>) => {
    await scheduler.wait(40)
    await put(...given)
  }
  Object.assign(env.CHRONICLE_KV, { put: slow })
  const body = { subject: 'ann', scopes: ['sync:read'] }
  try {
    await hangUp(requestTo('POST', '/api/tokens', { 'x-request-id': requestId }, body), 10)
    const mine = async () => (await listed()).filter((record) => record.requestId === requestId)
    await until(async () => (await mine()).length > 0)
    expect(await mine()).toMatchObject([{ act: 'POST /api/tokens', status: 201 }])
  } finally {
    // Nothing stays on the binding itself: its prototype has the method.
    Reflect.deleteProperty(env.CHRONICLE_KV, 'put')
  }
})

test('[OP3] records no failed authentication, no read and no request of a client', async () => {
  const { token } = await mint()
  const { session } = await device({ token })
  const before = await listed()
  for (const { method, path, access } of ROUTES) {
    if (access !== 'admin') continue
    for (const bearer of ['none', token, session, `${env.ADMIN_TOKEN}x`]) {
      expect((await act(method, path.replace(':id', 'x'), { bearer })).status).toBe(401)
    }
  }
  for (const path of ['/api/tokens', '/api/config', '/api/audit']) {
    for (const method of ['GET', 'HEAD']) expect((await act(method, path)).status).toBe(200)
  }
  expect((await act('GET', '/api/tokens?x=1')).status).toBe(422)
  expect((await act('OPTIONS', '/api/tokens')).status).toBe(204)
  expect((await act('PATCH', '/api/tokens')).status).toBe(405)
  await send('POST', '/api/sync', {
    bearer: session,
    body: { changes: [{ key: 'k', value: 1, timestamp: 1 }] },
  })
  await send('DELETE', '/api/auth', { bearer: session })
  expect(await listed()).toEqual(before)
  expect(logged.filter(({ message }) => message === 'audit')).toHaveLength(1)
})

test('[OP5] returns 500 if the record cannot be written, although the act took place and its line was logged', async () => {
  const errors = vi.spyOn(console, 'error').mockReturnValue()
  const before = await listed()
  const steps: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    steps.push(JSON.parse(line).message)
  })
  const broken = new Proxy(env.CHRONICLE_KV, {
    get: (target, name) => {
      if (name !== 'put') return bound(target, name)
      return (key: string, ...rest: [string]) => {
        steps.push(`put ${key.split(':')[0]}`)
        return key.startsWith('audit:') ? Promise.reject(new Error('KV is full')) : target.put(key, ...rest)
      }
    },
  })
  const subject = crypto.randomUUID()
  const request = requestTo('POST', '/api/tokens', {}, { subject, scopes: ['sync:read'] })
  const response = await handle(request, { ...env, CHRONICLE_KV: broken })
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('chr_')
  expect(steps).toEqual(['put token', 'audit', 'put audit', 'request'])
  expect(errors.mock.calls[0]?.[0]).toContain('KV is full')
  expect(await listed()).toEqual(before)
  const { tokens } = (await send('GET', '/api/tokens', { bearer: env.ADMIN_TOKEN })).body
  expect(tokens).toContainEqual(expect.objectContaining({ subject }))
})

function bound(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name)
  return typeof member === 'function' ? member.bind(target) : member
}
