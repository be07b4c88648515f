import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { verifySession } from '../../worker/src/http/auth/session-token.ts'
import { Chronicle } from '../../worker/src/objects/chronicle.ts'
import { hangUp } from '../support/unkind-hang-up.ts'
import { device, mint, send } from './client.ts'
import { until } from './follower.ts'
import { sessionLike } from './session.ts'

const soon = () => Math.floor(Date.now() / 1000) + 60

test('[AU1] exchanges a token for a session bound to its client, space and rights', async () => {
  const { token } = await mint({ subject: 'ann', space: 'shared', collections: ['k'] })
  const { status, body } = await send('POST', '/api/auth', { body: { token, clientId: 'phone' } })
  expect(status).toBe(200)
  expect(body).toMatchObject({
    success: true,
    clientId: 'phone',
    space: 'shared',
    scopes: ['sync:read', 'sync:write'],
    collections: ['k'],
    limits: { changes: 500 },
  })
  expect(body.expiresAt - Date.now()).toBeGreaterThan(3_500_000)
  expect(body.expiresAt - Date.now()).toBeLessThanOrEqual(3_600_000)
})

test('[AU1] without a clientId the session gets one of its own', async () => {
  const { token } = await mint()
  const [first, second] = [await device({ token }), await device({ token })]
  expect(first.id).not.toBe(second.id)
})

test('[AU2] refuses a token that is mistyped, unknown, expired or of another environment', async () => {
  const { token } = await mint()
  const last = token.at(-10) === 'x' ? 'y' : 'x'
  const wrong = [
    'rubbish',
    `${token.slice(0, -10)}${last}${token.slice(-9)}`,
    token.replace('chr_dev_', 'chr_prod_'),
    `${token} `,
    token.toUpperCase(),
    env.ADMIN_TOKEN,
  ]
  for (const given of wrong) {
    const { status, body, headers } = await send('POST', '/api/auth', { body: { token: given } })
    expect(`${status} ${body.code}`, given).toBe('401 unauthorized')
    expect(headers.get('www-authenticate')).toContain('Bearer')
  }
  const expiresAt = Date.now() + 50
  const short = await mint({ expiresAt })
  await new Promise((resolve) => setTimeout(resolve, 80))
  expect((await send('POST', '/api/auth', { body: { token: short.token } })).status).toBe(401)
})

test('[AU3] refuses a session that is missing, expired, forged, or of another environment', async () => {
  const valid = await sessionLike()
  expect((await send('GET', '/api/status', { bearer: valid })).status).toBe(200)
  const [header, payload, signature] = valid.split('.')
  const none = btoa('{"alg":"none","typ":"chronicle-session+jwt"}').replace(/=+$/, '')
  const forged = [
    await sessionLike({}, { ENVIRONMENT: 'production' }),
    await sessionLike({}, { SESSION_KEY: '1:another-key' }),
    await sessionLike({}, { SESSION_KEY: env.SESSION_KEY.replace('1:', '2:') }),
    `${none}.${payload}.`,
    `${header}.${payload}.${signature?.slice(0, -2)}AA`,
    `${header}.${payload}x.${signature}`,
    'rubbish',
    'x'.repeat(9_000),
  ]
  for (const bearer of forged) {
    const { status, body } = await send('GET', '/api/status', { bearer })
    expect(`${status} ${body.code}`, bearer.slice(0, 20)).toBe('401 unauthorized')
  }
  const expired = await send('GET', '/api/status', { bearer: await sessionLike({ expiresAt: soon() - 120 }) })
  expect(expired.body).toMatchObject({ status: 401, code: 'session-expired' })
  const missing = await send('GET', '/api/status')
  expect(missing.body).toMatchObject({ status: 401, code: 'unauthorized' })
  expect(missing.body.detail).toContain('POST /api/auth')
})

test('[AU3] says so when an API token is sent where a session belongs', async () => {
  const { token } = await mint()
  const { status, body } = await send('GET', '/api/status', { bearer: token })
  expect(status).toBe(401)
  expect(body.detail).toContain('exchange it')
})

test('[AU4] DELETE /api/auth ends the session at once, and no other', async () => {
  const { token } = await mint()
  const [a, b] = [await device({ token }), await device({ token })]
  expect((await send('DELETE', '/api/auth', { bearer: a.session })).body).toEqual({ success: true })
  expect((await a.get('/api/status')).body).toMatchObject({ status: 401, code: 'session-ended' })
  expect((await a.sync({ changes: [{ key: 'k', value: 1, timestamp: 1 }] })).body.code).toBe('session-ended')
  expect((await b.get('/api/status')).body).toMatchObject({ status: 'ok', entries: 0 })
})

test('[AU4] a session that is ended by a client who hangs up at once has ended all the same', async () => {
  const { session, get } = await device()
  const { admit } = Chronicle.prototype
  const slow = vi.spyOn(Chronicle.prototype, 'admit').mockImplementation(async function (
    this: Chronicle,
    credential,
  ) {
    await scheduler.wait(40)
    return admit.call(this, credential)
  })
  const headers = { authorization: `Bearer ${session}` }
  await hangUp(new Request('https://sync.example/api/auth', { method: 'DELETE', headers }), 10)
  await until(async () => (await get('/api/status')).status === 401)
  slow.mockRestore()
})

test('[SC2] to end a session again is no error and writes nothing, whatever has ended it', async () => {
  const space = crypto.randomUUID()
  const writes: unknown[] = []
  const object = env.CHRONICLE.getByName(space)
  await runInDurableObject(object, (_, { storage }) => {
    const exec = storage.sql.exec.bind(storage.sql)
    vi.spyOn(storage.sql, 'exec').mockImplementation((query, ...bindings) => {
      if (/INSERT|UPDATE|DELETE/.test(query)) writes.push(query)
      return exec(query, ...bindings)
    })
  })
  const end = async (session: string) => {
    writes.length = 0
    expect((await send('DELETE', '/api/auth', { bearer: session })).body).toEqual({ success: true })
    return writes.length
  }
  const { token, id } = await mint({ space, scopes: ['sync:read', 'space:admin'] })
  const [own, ofToken] = [await device({ token }), await device({ token })]
  expect(await end(own.session)).toBeGreaterThan(0)
  expect(await end(own.session)).toBe(0)
  await send('DELETE', `/api/tokens/${id}`, { bearer: env.ADMIN_TOKEN })
  expect(await end(ofToken.session)).toBe(0)
  const eraser = await device(await mint({ space, scopes: ['space:admin'] }))
  await send('DELETE', '/api/space', { bearer: eraser.session, body: { confirm: space } })
  expect(await end(eraser.session)).toBe(0)
})

test('[AU5] a scope that the token lacks is refused', async () => {
  const reader = await device(await mint({ scopes: ['sync:read'] }))
  const change = { key: 'k/1', value: 1, timestamp: 1 }
  expect((await reader.sync({ changes: [change] })).body).toMatchObject({
    status: 403,
    code: 'forbidden-scope',
  })
  expect((await reader.sync({ changes: [], cursor: null })).status).toBe(200)
  const writer = await device(await mint({ scopes: ['sync:write'] }))
  expect((await writer.sync({ changes: [change] })).status).toBe(200)
  expect((await writer.sync({ changes: [change], cursor: null })).status).toBe(403)
  for (const path of ['/api/changes', '/api/status', '/api/entries?key=k', '/api/conflicts']) {
    expect((await writer.get(path)).body, path).toMatchObject({ status: 403, code: 'forbidden-scope' })
  }
})

test('[AU6] a numbered client belongs to its subject: another one of the space cannot take its place', async () => {
  const space = crypto.randomUUID()
  const ann = await device({ ...(await mint({ subject: 'ann', space })), clientId: 'phone' })
  const bob = await device({ ...(await mint({ subject: 'bob', space })), clientId: 'phone' })
  await ann.sync({ batch: 1, changes: [] })
  expect((await bob.sync({ batch: 2, changes: [] })).body).toMatchObject({
    status: 403,
    code: 'foreign-client',
  })
})

test('[AU3] a session of another shape is refused, and a defect is no refusal', async () => {
  const odd = await sessionLike({ scopes: ['sync:everything'] as never })
  expect((await send('GET', '/api/status', { bearer: odd })).body).toMatchObject({ code: 'unauthorized' })
  const request = new Request('https://x.test', { headers: { authorization: `Bearer ${odd}` } })
  await expect(verifySession(request, { ...env, SESSION_KEY: 'none' })).rejects.toThrow(
    'SESSION_KEY is no ring',
  )
})
