import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { SESSION_TTL_SECONDS } from '../../../worker/src/core/values/access-limits.ts'
import { device, mint, send } from '../../support/worker/client.ts'
import { follow } from '../../support/worker/follower.ts'
import {
  DAY,
  MINUTE,
  opens,
  pass,
  reads,
  recordOf,
  rotate,
  withMovedTime,
} from '../../support/worker/rotations.ts'

withMovedTime()

test('[TK5] returns a token of the same rights, and ends the old one and its sessions at once', async () => {
  const wanted = {
    subject: 'ann',
    space: crypto.randomUUID(),
    scopes: ['sync:read'],
    collections: ['k'],
    expiresAt: Date.now() + DAY,
    name: 'laptop',
  }
  const old = await mint(wanted)
  const { session } = await device(old)
  pass(MINUTE)
  const { status, body } = await rotate(old.id)
  expect(status).toBe(201)
  expect(body).toEqual({
    success: true,
    ...wanted,
    token: expect.stringMatching(/^chr_dev_/),
    id: expect.any(String),
    createdAt: Date.now(),
    replaces: old.id,
    spaceId: env.CHRONICLE.idFromName(wanted.space).toString(),
  })
  expect(body.token).not.toBe(old.token)
  expect(body.id).not.toBe(old.id)
  expect(await reads(session)).toBe('401 revoked')
  expect(await opens(old.token)).toBe('401 unauthorized')
  expect(await recordOf(old.id)).toBeNull()
  const fresh = await send('POST', '/api/auth', { body: { token: body.token } })
  expect(fresh.body).toMatchObject({ space: wanted.space, scopes: ['sync:read'], collections: ['k'] })
  expect(await reads(fresh.body.session)).toBe('read')
})

test('[TK5] replaces a token without limits by one without limits', async () => {
  const { body } = await rotate((await mint({ subject: 'bob' })).id)
  expect(body).toMatchObject({ subject: 'bob', space: 'bob', collections: null, expiresAt: null, name: null })
})

test('[TK5] continues a numbered client under the new token', async () => {
  const old = await mint({ subject: 'ann' })
  const change = (n: number) => ({ batch: n, changes: [{ key: 'k', value: n, timestamp: n }] })
  await (await device({ ...old, clientId: 'phone' })).sync(change(1))
  const { body } = await rotate(old.id)
  const phone = await device({ token: body.token, clientId: 'phone' })
  expect((await phone.sync(change(2))).body).toMatchObject({ success: true, synced: ['k'] })
})

test('[TK6] opens sessions for both tokens until the overlap ends', async () => {
  const old = await mint()
  const { body } = await rotate(old.id, { overlapSeconds: 600 })
  expect(body.expiresAt).toBeNull()
  expect(await recordOf(old.id)).toMatchObject({ id: old.id, expiresAt: Date.now() + 600_000 })
  const during = await send('POST', '/api/auth', { body: { token: old.token } })
  expect(during.body.expiresAt).toBe(Math.floor((Date.now() + 600_000) / 1000) * 1000)
  pass(600_000 - 1)
  expect([await opens(old.token), await opens(body.token)]).toEqual(['session', 'session'])
  pass(1)
  expect([await opens(old.token), await opens(body.token)]).toEqual(['401 unauthorized', 'session'])
  expect(await reads(during.body.session)).toBe('401 session-expired')
})

test('[TK6] ends the sessions from before the rotation with the overlap, on the millisecond', async () => {
  const old = await mint()
  const { session } = await device(old)
  const { body } = await rotate(old.id, { overlapSeconds: 5 })
  const fresh = await device(body)
  pass(5_000 - 1)
  expect(await reads(session)).toBe('read')
  pass(1)
  expect(await reads(session)).toBe('401 revoked')
  expect(await reads(fresh.session)).toBe('read')
})

test('[TK6] opens no session past the overlap, even where a cache still holds the old record', async () => {
  const space = crypto.randomUUID()
  const old = await mint({ space })
  const record = JSON.stringify(await recordOf(old.id))
  await rotate(old.id, { overlapSeconds: 60 })
  await env.CHRONICLE_KV.put(`token:${old.id}`, record)
  const { session } = await device(old)
  pass(60_000)
  expect(await opens(old.token)).toBe('401 revoked')
  expect(await reads(session)).toBe('401 revoked')
  // The space remembers the end for as long as a location may cache the record (an hour) and the last session could last.
  pass(2 * SESSION_TTL_SECONDS * 1000)
  const another = await mint({ space })
  await send('DELETE', `/api/tokens/${another.id}`, { bearer: env.ADMIN_TOKEN })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect(await opens(old.token)).toBe('401 revoked')
})

test('[TK6] never extends a token by an overlap, and ends the new one when the old one would have ended', async () => {
  const expiresAt = Date.now() + 60_000
  const old = await mint({ expiresAt })
  const { body } = await rotate(old.id, { overlapSeconds: 3600 })
  expect(body.expiresAt).toBe(expiresAt)
  expect(await recordOf(old.id)).toMatchObject({ expiresAt })
  pass(60_000)
  expect([await opens(old.token), await opens(body.token)]).toEqual(['401 unauthorized', '401 unauthorized'])
})

test('[TK6] revokes a token in its overlap for good', async () => {
  const old = await mint()
  const { session } = await device(old)
  await rotate(old.id, { overlapSeconds: 3600 })
  const record = JSON.stringify(await recordOf(old.id))
  expect((await send('DELETE', `/api/tokens/${old.id}`, { bearer: env.ADMIN_TOKEN })).status).toBe(200)
  expect(await reads(session)).toBe('401 revoked')
  await env.CHRONICLE_KV.put(`token:${old.id}`, record)
  expect((await rotate(old.id, { overlapSeconds: 3600 })).status).toBe(404)
  expect([await opens(old.token), await reads(session)]).toEqual(['401 revoked', '401 revoked'])
})

test('[TK6] does not extend the overlap by a second rotation', async () => {
  const old = await mint()
  const record = JSON.stringify(await recordOf(old.id))
  const { session } = await device(old)
  await rotate(old.id, { overlapSeconds: 5 })
  await env.CHRONICLE_KV.put(`token:${old.id}`, record)
  expect((await rotate(old.id, { overlapSeconds: 3600 })).status).toBe(201)
  expect(await recordOf(old.id)).toMatchObject({ expiresAt: Date.now() + 5_000 })
  pass(5_000)
  expect([await opens(old.token), await reads(session)]).toEqual(['401 unauthorized', '401 revoked'])
})

test('[TK6] ends a socket with 4403 at its first event after the overlap, and sends nothing', async () => {
  const old = await mint()
  const reader = await follow(await device(old))
  await reader.next()
  const { body } = await rotate(old.id, { overlapSeconds: 5 })
  const writer = await device(body)
  const write = (key: string) => writer.sync({ changes: [{ key, value: 1, timestamp: 1 }] })
  await write('k/1')
  expect(await reader.next()).toMatchObject({ changes: [{ key: 'k/1' }] })
  pass(5_000)
  await write('k/2')
  expect(await reader.closed()).toMatchObject({ code: 4403 })
  expect(await reader.rest()).toEqual([])
})

test('[TK8] returns 404 for an invalid id or an ended token', async () => {
  const gone = await mint()
  await send('DELETE', `/api/tokens/${gone.id}`, { bearer: env.ADMIN_TOKEN })
  for (const id of ['x', 'x'.repeat(43), 'x'.repeat(507), '%00', gone.id]) {
    expect((await rotate(id)).body, id).toMatchObject({ status: 404, code: 'not-found' })
  }
})

test('[TK8] does not bring back a token that the erasure of its space has voided', async () => {
  const space = crypto.randomUUID()
  const old = await mint({ space })
  const { session } = await device(await mint({ space, scopes: ['space:admin'] }))
  pass(1)
  await send('DELETE', '/api/space', { body: { confirm: space }, bearer: session })
  expect((await rotate(old.id)).body).toMatchObject({ status: 404, code: 'not-found' })
})

test('[TK8] refuses to rotate an expired token, and leaves it unchanged', async () => {
  const old = await mint({ expiresAt: Date.now() + 1000 })
  const record = await recordOf(old.id)
  pass(1000)
  const { body } = await rotate(old.id, { overlapSeconds: 60 })
  expect(body).toMatchObject({ status: 422, code: 'invalid-request' })
  expect(body.detail).toContain('expiresAt')
  expect(await recordOf(old.id)).toEqual(record)
})

test.each<[unknown, string]>([
  [{ overlapSeconds: -1 }, 'overlapSeconds'],
  [{ overlapSeconds: 0.5 }, 'overlapSeconds'],
  [{ overlapSeconds: '60' }, 'overlapSeconds'],
  [{ overlapSeconds: null }, 'overlapSeconds'],
  [{ overlapSeconds: 2_592_001 }, 'overlapSeconds'],
  [{ scopes: ['space:admin'] }, 'scopes'],
  [[], 'object'],
])('[TK8] refuses %j with the path, and changes nothing', async (body, place) => {
  const old = await mint()
  const reply = await rotate(old.id, body as object)
  expect(reply.body).toMatchObject({ status: 422, code: 'invalid-request' })
  expect(reply.body.detail).toContain(place)
  expect(await opens(old.token)).toBe('session')
})

test('[TK8] accepts the longest overlap, and only the admin token', async () => {
  const old = await mint()
  const { session } = await device(old)
  for (const bearer of [session, old.token, `${env.ADMIN_TOKEN}x`]) {
    const reply = await send('POST', `/api/tokens/${old.id}/rotate`, { body: {}, bearer })
    expect(`${reply.status} ${reply.body.code}`).toBe('401 unauthorized')
  }
  expect((await rotate(old.id, { overlapSeconds: 2_592_000 })).status).toBe(201)
  expect(await recordOf(old.id)).toMatchObject({ expiresAt: Date.now() + 30 * DAY })
})
