import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SESSION_TTL_SECONDS } from '../../worker/src/core/values/limits.ts'
import { handle } from '../../worker/src/http/edge.ts'
import { revoke } from '../../worker/src/objects/space/admission.ts'
import { openSpace } from '../../worker/src/objects/space/space.ts'
import { lateKv } from '../support/unkind-kv.ts'
import { device, mint, type Reply, send } from './client.ts'
import { follow } from './follower.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
}

function rotate(id: string, body: object = {}): Promise<Reply> {
  return send('POST', `/api/tokens/${id}/rotate`, { body, bearer: env.ADMIN_TOKEN })
}

/** How the exchange of a token for a session ends. */
async function opens(token: string): Promise<string> {
  const { status, body } = await send('POST', '/api/auth', { body: { token } })
  return status === 200 ? 'session' : `${status} ${body.code}`
}

/** How a read with a session ends. */
async function reads(session: string): Promise<string> {
  const { status, body } = await send('GET', '/api/status', { bearer: session })
  return status === 200 ? 'read' : `${status} ${body.code}`
}

async function recordOf(id: string): Promise<unknown> {
  return env.CHRONICLE_KV.get(`token:${id}`, 'json')
}

test('[TK5] gives a token of the same rights, and ends the old one and its sessions at once', async () => {
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

test('[TK5] a token without bounds is replaced by one without', async () => {
  const { body } = await rotate((await mint({ subject: 'bob' })).id)
  expect(body).toMatchObject({ subject: 'bob', space: 'bob', collections: null, expiresAt: null, name: null })
})

test('[TK5] a numbered client goes on under the new token where it was', async () => {
  const old = await mint({ subject: 'ann' })
  const change = (n: number) => ({ batch: n, changes: [{ key: 'k', value: n, timestamp: n }] })
  await (await device({ ...old, clientId: 'phone' })).sync(change(1))
  const { body } = await rotate(old.id)
  const phone = await device({ token: body.token, clientId: 'phone' })
  expect((await phone.sync(change(2))).body).toMatchObject({ success: true, synced: ['k'] })
})

test('[TK6] with an overlap both tokens open sessions until it ends', async () => {
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

test('[TK6] sessions from before the rotation end with the overlap, on the millisecond', async () => {
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

test('[TK6] a cache that still holds the old record opens no session past the overlap', async () => {
  const space = crypto.randomUUID()
  const old = await mint({ space })
  const record = JSON.stringify(await recordOf(old.id))
  await rotate(old.id, { overlapSeconds: 60 })
  await env.CHRONICLE_KV.put(`token:${old.id}`, record)
  const { session } = await device(old)
  pass(60_000)
  expect(await opens(old.token)).toBe('401 revoked')
  expect(await reads(session)).toBe('401 revoked')
  // The space remembers it for as long as a place may hold the record (an hour), and its last session would go on.
  pass(2 * SESSION_TTL_SECONDS * 1000)
  const another = await mint({ space })
  await send('DELETE', `/api/tokens/${another.id}`, { bearer: env.ADMIN_TOKEN })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect(await opens(old.token)).toBe('401 revoked')
})

test('[TK6] an overlap never makes a token last longer, and the new one ends when the old one would have', async () => {
  const expiresAt = Date.now() + 60_000
  const old = await mint({ expiresAt })
  const { body } = await rotate(old.id, { overlapSeconds: 3600 })
  expect(body.expiresAt).toBe(expiresAt)
  expect(await recordOf(old.id)).toMatchObject({ expiresAt })
  pass(60_000)
  expect([await opens(old.token), await opens(body.token)]).toEqual(['401 unauthorized', '401 unauthorized'])
})

test('[TK6] a token in its overlap can be revoked, and that is not undone', async () => {
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

test('[TK6] a second rotation does not move the end of the overlap out', async () => {
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

test('[TK6] a socket ends with 4403 at its first event after the overlap: nothing flows', async () => {
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

/** A thing of which each method is announced by its name and first argument before it is called. */
function watched<T extends object>(target: T, before: (name: string, first: unknown) => void): T {
  return new Proxy(target, {
    get(object, name) {
      const member: unknown = Reflect.get(object, name)
      if (typeof member !== 'function') return member
      return (...given: readonly unknown[]) => {
        before(String(name), given[0])
        return Reflect.apply(member, object, given)
      }
    },
  })
}

/** Rotates a token in a stack of which every step is announced: what is written where, and what a space is told. */
async function rotateBy(id: string, overlapSeconds: number, before: (step: string) => void): Promise<number> {
  const kv = watched(env.CHRONICLE_KV, (name, key) => {
    if (String(key).startsWith('token:') && name !== 'get')
      before(`${name} ${key === `token:${id}` ? 'old' : 'new'}`)
  })
  const getByName = (space: string) =>
    watched(env.CHRONICLE.getByName(space), (name) => {
      if (name !== 'admit') before(name)
    })
  const request = new Request(`https://sync.example/api/tokens/${id}/rotate`, {
    method: 'POST',
    headers: { authorization: `Bearer ${env.ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ overlapSeconds }),
  })
  const idFromName = (space: string) => env.CHRONICLE.idFromName(space)
  const CHRONICLE = { getByName, idFromName } as never
  return (await handle(request, { ...env, CHRONICLE_KV: kv, CHRONICLE })).status
}

const STEPS = [
  [0, ['put new', 'revoke', 'delete old']],
  [60, ['put new', 'retire', 'put old']],
] as const

test.each(STEPS)(
  '[TK7] with an overlap of %i s the new token is stored first: %j',
  async (overlap, expected) => {
    const { id } = await mint()
    const steps: string[] = []
    expect(await rotateBy(id, overlap, (step) => steps.push(step))).toBe(201)
    expect(steps).toEqual(expected)
  },
)

test.each(STEPS.flatMap(([overlap, steps]) => steps.slice(0, 2).map((step) => [step, overlap] as const)))(
  '[TK7] where "%s" fails, with an overlap of %i s, the old token goes on',
  async (broken, overlap) => {
    vi.spyOn(console, 'error').mockReturnValue()
    const old = await mint()
    const { session } = await device(old)
    const status = await rotateBy(old.id, overlap, (step) => {
      if (step === broken) throw new Error('out of order')
    })
    expect(status).toBe(500)
    pass(MINUTE)
    expect([await opens(old.token), await reads(session)]).toEqual(['session', 'read'])
  },
)

test('[TK8] an id that is none, or of a token that has ended, is not found', async () => {
  const gone = await mint()
  await send('DELETE', `/api/tokens/${gone.id}`, { bearer: env.ADMIN_TOKEN })
  for (const id of ['x', 'x'.repeat(43), 'x'.repeat(507), '%00', gone.id]) {
    expect((await rotate(id)).body, id).toMatchObject({ status: 404, code: 'not-found' })
  }
})

test('[TK8] a token that the erasure of its space has voided is not brought back', async () => {
  const space = crypto.randomUUID()
  const old = await mint({ space })
  const { session } = await device(await mint({ space, scopes: ['space:admin'] }))
  pass(1)
  await send('DELETE', '/api/space', { body: { confirm: space }, bearer: session })
  expect((await rotate(old.id)).body).toMatchObject({ status: 404, code: 'not-found' })
})

test('[TK8] a token that has expired is refused as it would be at minting, and stays what it was', async () => {
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
])('[TK8] refuses %j with the place, and nothing has changed', async (body, place) => {
  const old = await mint()
  const reply = await rotate(old.id, body as object)
  expect(reply.body).toMatchObject({ status: 422, code: 'invalid-request' })
  expect(reply.body.detail).toContain(place)
  expect(await opens(old.token)).toBe('session')
})

test('[TK8] takes the longest overlap, and nothing but the admin token', async () => {
  const old = await mint()
  const { session } = await device(old)
  for (const bearer of [session, old.token, `${env.ADMIN_TOKEN}x`]) {
    const reply = await send('POST', `/api/tokens/${old.id}/rotate`, { body: {}, bearer })
    expect(`${reply.status} ${reply.body.code}`).toBe('401 unauthorized')
  }
  expect((await rotate(old.id, { overlapSeconds: 2_592_000 })).status).toBe(201)
  expect(await recordOf(old.id)).toMatchObject({ expiresAt: Date.now() + 30 * DAY })
})

/** Rotates a token for 30 days, and lets `meanwhile` happen before its record is written to KV the second time. */
async function rotateAround(id: string, meanwhile: () => Promise<unknown>): Promise<number> {
  const put = async (key: string, ...rest: [string, KVNamespacePutOptions?]) => {
    if (key === `token:${id}`) await meanwhile()
    await env.CHRONICLE_KV.put(key, ...rest)
  }
  const kv = new Proxy(
    watched(env.CHRONICLE_KV, () => {}),
    {
      get: (target, name) => (name === 'put' ? put : Reflect.get(target, name)),
    },
  )
  const request = new Request(`https://sync.example/api/tokens/${id}/rotate`, {
    method: 'POST',
    headers: { authorization: `Bearer ${env.ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ overlapSeconds: 30 * 24 * 3600 }),
  })
  return (await handle(request, { ...env, CHRONICLE_KV: kv })).status
}

/** Later, when the object has forgotten what it may, and has started anew. */
async function muchLater(space: string, ms: number): Promise<void> {
  pass(ms)
  const other = await mint({ space })
  await send('DELETE', `/api/tokens/${other.id}`, { bearer: env.ADMIN_TOKEN })
  await evictDurableObject(env.CHRONICLE.getByName(space))
}

test('[TK9] a token that is deleted while it is being rotated stays deleted, hours and weeks later', async () => {
  const space = crypto.randomUUID()
  const old = await mint({ space })
  const remove = () => send('DELETE', `/api/tokens/${old.id}`, { bearer: env.ADMIN_TOKEN })
  expect(await rotateAround(old.id, remove)).toBe(201)
  expect(await recordOf(old.id)).toBeNull()
  for (const wait of [0, 3 * 60 * MINUTE, 7 * DAY, 30 * DAY]) {
    await muchLater(space, wait)
    expect(await opens(old.token)).toBe('401 unauthorized')
  }
})

test('[TK9] so it does where the record of the rotation reaches KV after the deletion, and stays there', async () => {
  const space = crypto.randomUUID()
  const old = await mint({ space })
  const { session } = await device(old)
  await rotate(old.id, { overlapSeconds: 30 * 24 * 3600 })
  const record = JSON.stringify(await recordOf(old.id))
  await send('DELETE', `/api/tokens/${old.id}`, { bearer: env.ADMIN_TOKEN })
  await env.CHRONICLE_KV.put(`token:${old.id}`, record)
  for (const wait of [0, 3 * 60 * MINUTE, 7 * DAY, 23 * DAY - 4 * 60 * MINUTE]) {
    await muchLater(space, wait)
    expect(await opens(old.token)).toBe('401 revoked')
  }
  expect(await reads(session)).toBe('401 session-expired')
  await muchLater(space, DAY)
  expect(await opens(old.token)).toBe('401 unauthorized')
})

test('[TK9] a place whose KV is a minute behind neither revives a deleted token nor moves an end', async () => {
  const late = { ...env, CHRONICLE_KV: lateKv(env.CHRONICLE_KV) }
  const ask = async (method: string, path: string, body: object, bearer?: string) => {
    const headers = {
      'content-type': 'application/json',
      ...(bearer && { authorization: `Bearer ${bearer}` }),
    }
    const request = new Request(`https://sync.example${path}`, {
      method,
      headers,
      body: JSON.stringify(body),
    })
    return (await handle(request, late)).status
  }
  const [gone, kept] = [await mint(), await mint()]
  for (const { token } of [gone, kept]) expect(await ask('POST', '/api/auth', { token })).toBe(200)
  await send('DELETE', `/api/tokens/${gone.id}`, { bearer: env.ADMIN_TOKEN })
  await rotate(kept.id, { overlapSeconds: 5 })
  expect(await ask('POST', '/api/auth', { token: gone.token })).toBe(401)
  expect(await ask('POST', `/api/tokens/${gone.id}/rotate`, {}, env.ADMIN_TOKEN)).toBe(404)
  expect(await ask('POST', `/api/tokens/${kept.id}/rotate`, { overlapSeconds: 600 }, env.ADMIN_TOKEN)).toBe(
    201,
  )
  expect(await recordOf(kept.id)).toMatchObject({ expiresAt: Date.now() + 5_000 })
  pass(5_000)
  expect(await ask('POST', '/api/auth', { token: kept.token })).toBe(401)
  pass(MINUTE)
  for (const { token } of [gone, kept]) expect(await ask('POST', '/api/auth', { token })).toBe(401)
})

test('[TK9] an end that an object knows only ever widens, and is forgotten in memory too', async () => {
  const now = Date.now()
  await runInDurableObject(env.CHRONICLE.getByName(crypto.randomUUID()), async (_, ctx) => {
    const space = openSpace(ctx, env)
    const told = (more: object) =>
      revoke(space, 'id', { now, since: 5, until: now + 50, issuedBy: 50, ...more })
    const rows = () => ctx.storage.sql.exec('SELECT * FROM revoked').toArray()
    told({})
    for (const less of [{ since: 9 }, { until: now + 9 }, { issuedBy: 9 }]) {
      expect(told(less)).toEqual({ since: 5, until: now + 50, issuedBy: 50 })
    }
    expect(told({ since: 1, until: now + 99, issuedBy: 99 })).toEqual({
      since: 1,
      until: now + 99,
      issuedBy: 99,
    })
    expect(rows()).toEqual([{ id: 'id', since: 1, until: now + 99, issued_by: 99 }])
    revoke(space, 'other', { now: now + 100, since: 0, until: now + 200, issuedBy: 1 })
    expect([...space.revoked.keys()]).toEqual(['other'])
    expect(rows()).toMatchObject([{ id: 'other' }])
  })
})
