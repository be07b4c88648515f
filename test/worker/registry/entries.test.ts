import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { listEntries } from '../../../worker/src/objects/read/entries.ts'
import { openSpace } from '../../../worker/src/objects/space/space.ts'
import { type Device, device, mint, newSpace } from '../../support/worker/client.ts'
import { puts, T } from '../../support/worker/room.ts'
import { bareSession } from '../../support/worker/session.ts'

async function keysOf(a: Device, prefix: string, limit = 50): Promise<string[]> {
  const keys: string[] = []
  for (let after: string | null = null, pages = 0; pages < 1000; pages++) {
    const query = new URLSearchParams({ prefix, limit: `${limit}`, ...(after !== null && { after }) })
    const { status, body } = await a.get(`/api/entries?${query}`)
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.entries.length).toBeLessThanOrEqual(limit)
    keys.push(...body.entries.map(({ key }: { key: string }) => key))
    if (body.next === null) return keys
    after = body.next
  }
  throw new Error('the list does not end')
}

const inBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other))

test('[EN2] lists the current entries of a prefix in the order of their bytes, in pages of any size', async () => {
  const { a } = await newSpace()
  const keys = [
    'n/1',
    'n/10',
    'n/2',
    'n/ä',
    'n/\u{1f600}',
    'n/\uffff',
    'n/%',
    'n/_',
    "n/'",
    'm/1',
    'n',
    'na/1',
    'n/\u{10ffff}\u{10ffff}',
  ]
  await a.sync({ changes: puts(keys) })
  await a.sync({ changes: [{ key: 'n/2', deleted: true, timestamp: Date.now() }] })
  const current = keys.filter((key) => key !== 'n/2').toSorted(inBytes)
  for (const limit of [1, 2, 50, 100])
    for (const prefix of ['', 'n', 'n/', 'n/1', 'n/%', 'n/\u{10ffff}', 'x', '\u{10ffff}'])
      expect(await keysOf(a, prefix, limit), `${prefix} ${limit}`).toEqual(
        current.filter((key) => key.startsWith(prefix)),
      )
})

test('[EN2] brings every entry once among hundreds that are partly in their table and partly pending', async () => {
  const { a } = await newSpace()
  const keys = Array.from({ length: 330 }, (_, index) => `k/${index}`)
  for (let start = 0; start < keys.length; start += 11)
    await a.sync({ changes: puts(keys.slice(start, start + 11)) })
  await a.sync({ changes: keys.slice(0, 40).map((key) => ({ key, deleted: true, timestamp: Date.now() })) })
  expect(await keysOf(a, 'k/', 100)).toEqual(keys.slice(40).toSorted(inBytes))
})

test('[EN2] ends a page of large values early, and shows only collections of the token', async () => {
  const { space, a } = await newSpace()
  for (let index = 0; index < 8; index++)
    await a.sync({ changes: [{ key: `k/${index}`, value: 'v'.repeat(250_000), timestamp: T }] })
  await a.sync({ changes: puts(['other/1', 'k']) })
  const { body } = await a.get('/api/entries?prefix=k/')
  expect(body.entries.length).toBeLessThan(8)
  expect(body.next).not.toBeNull()
  expect(await keysOf(a, 'k/')).toHaveLength(8)
  const narrow = await device({ token: (await mint({ space, collections: ['other'] })).token })
  expect(await keysOf(narrow, '')).toEqual(['other/1'])
})

test('[EN2] refuses a key beside a prefix, neither, a bad limit, and a page without its scope', async () => {
  const { space, a } = await newSpace()
  for (const query of [
    '',
    '?key=a&prefix=a',
    '?prefix=a&limit=0',
    '?prefix=a&limit=101',
    '?prefix=a&odd=1',
    '?key=a&limit=1',
    '?key=a&after=b',
  ])
    expect((await a.get(`/api/entries${query}`)).body, query).toMatchObject({ code: 'invalid-request' })
  const writer = await device({ token: (await mint({ space, scopes: ['sync:write'] })).token })
  expect((await writer.get('/api/entries?prefix=')).body).toMatchObject({ code: 'forbidden-scope' })
})

test('[EN2] refuses a list where the rows hold digests of the keys', async () => {
  await runInDurableObject(env.CHRONICLE.getByName(crypto.randomUUID()), async (_, ctx) => {
    const space = openSpace(ctx, { ...env, ENTRY_NAMES: 'keyed' })
    const listed = await listEntries(space, bareSession(), { prefix: '', limit: 50 })
    expect(listed).toMatchObject({ ok: false, fault: { code: 'invalid-request' } })
  })
})
