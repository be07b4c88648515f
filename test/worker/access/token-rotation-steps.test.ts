import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { handle } from '../../../worker/src/http/edge.ts'
import { revoke } from '../../../worker/src/objects/space/admission.ts'
import { openSpace } from '../../../worker/src/objects/space/space.ts'
import { lateKv } from '../../support/unkind/kv.ts'
import { device, mint, send } from '../../support/worker/client.ts'
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

/** Wraps an object: `before` is called with the name and first argument of each method call. */
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

/** Rotates a token, and reports each step before it runs: writes to KV and calls of the space. */
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
  '[TK7] stores the new token first with an overlap of %i s: %j',
  async (overlap, expected) => {
    const { id } = await mint()
    const steps: string[] = []
    expect(await rotateBy(id, overlap, (step) => steps.push(step))).toBe(201)
    expect(steps).toEqual(expected)
  },
)

test.each(STEPS.flatMap(([overlap, steps]) => steps.slice(0, 2).map((step) => [step, overlap] as const)))(
  '[TK7] keeps the old token valid if "%s" fails, with an overlap of %i s',
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

/** Rotates a token with an overlap of 30 days, and runs `meanwhile` before its record is written to KV. */
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

/** Moves the time, lets the object drop old revocations, and evicts it. */
async function muchLater(space: string, ms: number): Promise<void> {
  pass(ms)
  const other = await mint({ space })
  await send('DELETE', `/api/tokens/${other.id}`, { bearer: env.ADMIN_TOKEN })
  await evictDurableObject(env.CHRONICLE.getByName(space))
}

test('[TK9] keeps a token deleted that is deleted during its rotation, hours and weeks later', async () => {
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

test('[TK9] keeps a token deleted even if the record of its rotation reaches KV after the deletion', async () => {
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

test('[TK9] neither revives a deleted token nor moves an end where KV is a minute behind', async () => {
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

test('[TK9] only ever extends the revocation that an object knows, and drops it in memory too', async () => {
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
