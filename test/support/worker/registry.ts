import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, vi } from 'vitest'
import { shardOf } from '../../../worker/src/core/report/shards.ts'
import type { Registry } from '../../../worker/src/objects/registry/registry.ts'
import { type Device, device, mint, type Reply, send } from './client.ts'

/** Reads as the operator. */
export function asOperator(path: string): Promise<Reply> {
  return send('GET', path, { bearer: env.ADMIN_TOKEN })
}

/** Opens a device that may erase its space. */
export async function spaceNamed(space: string): Promise<Device> {
  return device({ token: (await mint({ space, scopes: ['sync:read', 'sync:write', 'space:admin'] })).token })
}

/** Acts in the shard of the registry that lists a space. */
export function inShard<T>(
  space: string,
  act: (registry: Registry, state: DurableObjectState) => T,
): Promise<Awaited<T>> {
  return runInDurableObject(env.REGISTRY.getByName(shardOf(space)), act) as Promise<Awaited<T>>
}

/** The space as the registry lists it, once that is as expected. */
export async function reported(space: string, expected: object): Promise<void> {
  await vi.waitFor(
    async () => {
      const { spaces } = (await asOperator(`/api/spaces?prefix=${encodeURIComponent(space)}`)).body
      expect(spaces).toMatchObject([{ space, ...expected }])
    },
    { timeout: 10_000, interval: 50 },
  )
}

/** Makes the last report of a space a minute older, also in the registry. The object reads the row when it wakes. */
export async function reportLongAgo(space: string): Promise<void> {
  const stub = env.CHRONICLE.getByName(space)
  await runInDurableObject(stub, (_, { storage }) => {
    storage.sql.exec(
      `UPDATE meta SET value = json_set(value, '$.at', json_extract(value, '$.at') - 60000) WHERE name = 'reported'`,
    )
  })
  await evictDurableObject(stub)
  await inShard(space, (_, { storage }) => {
    storage.sql.exec('UPDATE space SET at = at - 60000 WHERE name = ?', space)
  })
}

/** Opens an operator's session, and returns the device that uses it. */
export async function lookInto(
  space: string,
  scopes?: readonly string[],
): Promise<Pick<Device, 'session' | 'get' | 'sync'>> {
  const body = { space, ...(scopes && { scopes }) }
  const opened = await send('POST', '/api/sessions', { body, bearer: env.ADMIN_TOKEN })
  expect(opened.status, opened.text).toBe(200)
  const { session } = opened.body
  return {
    session,
    get: (path) => send('GET', path, { bearer: session }),
    sync: (body) => send('POST', '/api/sync', { body, bearer: session }),
  }
}

/** Reads the metrics as numbers by name. */
export async function metrics(bearer = env.ADMIN_TOKEN): Promise<Readonly<Record<string, number>>> {
  const { text = '' } = await send('GET', '/api/metrics', { bearer })
  const lines = text.split('\n').filter((line) => !line.startsWith('#') && line !== '')
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

/** Opens a device of a space that tells its version. */
export async function deviceOfVersion(
  token: string,
  clientId: string,
  clientVersion: string,
): Promise<Pick<Device, 'session' | 'get'>> {
  const opened = await send('POST', '/api/auth', { body: { token, clientId, clientVersion } })
  expect(opened.status, opened.text).toBe(200)
  const { session } = opened.body
  return { session, get: (path) => send('GET', path, { bearer: session }) }
}
