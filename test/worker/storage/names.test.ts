import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { IMPORT_BATCH_LINES } from '../../../worker/src/core/values/limits.ts'
import { openSpace, type Space } from '../../../worker/src/objects/space/space.ts'
import { HEADS } from '../../support/stored-rows.ts'
import { age } from '../../support/worker/ageing.ts'
import { type Device, device, mint, send } from '../../support/worker/client.ts'
import { exportOf, upload } from '../../support/worker/imports.ts'

const ROTATED = `2:${btoa('n'.repeat(32))} ${env.MASTER_KEY}`
const NEWEST_ONLY = ROTATED.split(' ')[0] as string

const latin1 = new TextDecoder('latin1')
const LONG = 'x'.repeat(511)
const KEYS = ['notes/1', 'notes/2', 'ä/€/😀', `${LONG}x`, `${LONG}y`]

/** Works on the rows of a space that is opened under some master keys. */
function inSpace<T>(
  name: string,
  work: (sql: SqlStorage, open: (masterKeys?: string, names?: string) => Promise<Space>) => Promise<T>,
): Promise<T> {
  return runInDurableObject(env.CHRONICLE.getByName(name), (_, state) =>
    work(state.storage.sql, async (MASTER_KEY = env.MASTER_KEY, ENTRY_NAMES = 'keyed') => {
      const space = openSpace(state, { ...env, MASTER_KEY, ENTRY_NAMES })
      await space.keys()
      return space
    }),
  )
}

function namesIn(sql: SqlStorage): readonly string[] {
  return sql
    .exec<{ key: string }>(`SELECT key FROM (${HEADS}) ORDER BY seq`)
    .toArray()
    .map(({ key }) => key)
}

function write({ store }: Space, keys: readonly string[]): void {
  const head = { root: 0, vacant: true, at: 1, by: 'c', deleted: false, merged: 0 }
  store.putEntryStates(new Map(keys.map((key, index) => [key, { ...head, seq: index + 1 }])))
}

function seqsOf({ store }: Space, keys: readonly string[]): readonly (number | undefined)[] {
  const heads = store.entryStates(keys)
  return keys.map((key) => heads.get(key)?.seq)
}

async function spaceOf(keys: readonly string[]): Promise<{ space: string; a: Device }> {
  const space = crypto.randomUUID()
  await inSpace(space, (_, open) => open())
  const a = await device(await mint({ space, scopes: ['sync:read', 'sync:write', 'space:admin'] }))
  await a.sync({ changes: keys.map((key) => ({ key, value: key, timestamp: 1 })) })
  return { space, a }
}

test('[SG9] stores every key under an opaque name of 22 characters, and finds it by that name', async () => {
  await inSpace(crypto.randomUUID(), async (sql, open) => {
    const space = await open()
    write(space, KEYS)
    const names = namesIn(sql)
    expect(new Set(names).size).toBe(KEYS.length)
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9+/]{22}$/)
    expect(seqsOf(space, KEYS)).toEqual([1, 2, 3, 4, 5])
    expect(seqsOf(space, ['notes/3'])).toEqual([undefined])
  })
})

test('[SG9] keeps names through eviction and rotation, without the older key once the space was opened', async () => {
  await inSpace(crypto.randomUUID(), async (sql, open) => {
    write(await open(), KEYS)
    const names = namesIn(sql)
    for (const masterKeys of [env.MASTER_KEY, ROTATED, NEWEST_ONLY, NEWEST_ONLY]) {
      const space = await open(masterKeys)
      expect(seqsOf(space, KEYS)).toEqual([1, 2, 3, 4, 5])
      write(space, KEYS)
      expect(namesIn(sql)).toEqual(names)
    }
  })
})

test('[SG9] does not open a space that missed a rotation without its key, and loses nothing by the attempt', async () => {
  await inSpace(crypto.randomUUID(), async (_, open) => {
    write(await open(), KEYS)
    await expect(open(NEWEST_ONLY)).rejects.toThrow('the stack has no master key of generation 1 any more')
    expect(seqsOf(await open(ROTATED), KEYS)).toEqual([1, 2, 3, 4, 5])
  })
})

test('[SG9] gives other names to another space, and to the same space after an erasure', async () => {
  const [one, other] = [await spaceOf(['notes/1']), await spaceOf(['notes/1'])]
  const nameIn = (space: string) => inSpace(space, async (sql) => namesIn(sql)[0])
  const before = await nameIn(one.space)
  expect(before).not.toBe(await nameIn(other.space))
  const body = { confirm: one.space }
  expect(await send('DELETE', '/api/space', { bearer: one.a.session, body })).toMatchObject({ status: 200 })
  await inSpace(one.space, (_, open) => open())
  const again = await device(await mint({ space: one.space }))
  await again.sync({ changes: [{ key: 'notes/1', value: 1, timestamp: 1 }] })
  expect(await nameIn(one.space)).not.toBe(before)
  expect(await again.get('/api/entries?key=notes/1')).toMatchObject({ status: 200 })
})

test('[SG9] gives concurrent openings of a new space the same names', async () => {
  await inSpace(crypto.randomUUID(), async (_, open) => {
    const [one, other] = await Promise.all([open(), open()])
    write(one, KEYS)
    expect(seqsOf(other, KEYS)).toEqual([1, 2, 3, 4, 5])
  })
})

test('[SG9] keeps the naming of a space that holds entries, whatever the setting has become', async () => {
  for (const began of ['clear', 'keyed']) {
    await inSpace(crypto.randomUUID(), async (sql, open) => {
      write(await open(env.MASTER_KEY, began), ['notes/1'])
      const names = namesIn(sql)
      expect(names[0] === 'notes/1').toBe(began === 'clear')
      for (const wanted of ['keyed', 'clear']) {
        const space = await open(env.MASTER_KEY, wanted)
        expect(seqsOf(space, ['notes/1'])).toEqual([1])
        write(space, ['notes/1'])
        expect(namesIn(sql)).toEqual(names)
      }
    })
  }
})

test('[SG9] stores no key in any row of a space with keyed names', async () => {
  const { space, a } = await spaceOf(['canary/4711', 'canary/4712'])
  await a.sync({ batch: 1, changes: [{ key: 'canary/4711', value: 2, timestamp: 0, base: null }] })
  await a.sync({ changes: [{ key: 'canary/4712', deleted: true, timestamp: 2 }] })
  const cells = await inSpace(space, async (sql) =>
    ['segment', 'archive', 'head', 'client', 'conflict', 'meta'].flatMap((table) =>
      sql
        .exec(`SELECT * FROM ${table}`)
        .toArray()
        .flatMap((row) => Object.values(row)),
    ),
  )
  const text = cells.map((cell) => (cell instanceof ArrayBuffer ? latin1.decode(cell) : cell)).join(' ')
  expect(text).toContain(a.id)
  expect(text).not.toContain('canary')
})

test('[SG9] does not open a space whose stored secret was changed', async () => {
  const { space, a } = await spaceOf(['notes/1'])
  await inSpace(space, async (sql, open) => {
    const { value } = sql.exec<{ value: ArrayBuffer }>(`SELECT value FROM meta WHERE name = 'names'`).one()
    const bytes = new Uint8Array(value)
    sql.exec(`UPDATE meta SET value = ? WHERE name = 'names'`, bytes.with(-1, (bytes.at(-1) ?? 0) ^ 1))
    await expect(open()).rejects.toThrow()
    sql.exec(`UPDATE meta SET value = ? WHERE name = 'names'`, bytes)
  })
  expect(await a.get('/api/entries?key=notes/1')).toMatchObject({ status: 200, body: { value: 'notes/1' } })
})

/** Fills an empty space with the entries of an export. */
async function fill(to: Device, entries: readonly object[]): Promise<void> {
  expect((await upload(to, exportOf(entries))).status).toBe(200)
}

test('[SG9] imports under keyed names as in clear: a key that a later line deletes stays deleted', async () => {
  const { space, a } = await spaceOf([])
  const line = (key: string, version: number, more: object) => ({
    key,
    timestamp: 5,
    version: `e.${version}`,
    by: 'a',
    ...more,
  })
  // Lines of one transaction are settled before they are written: the deletion comes in a later one.
  const others = Array.from({ length: IMPORT_BATCH_LINES }, (_, n) => line(`o/${n}`, n + 2, { value: n }))
  await fill(a, [line('k/1', 1, { value: 1 }), ...others, line('k/1', 1_000, { deleted: true })])
  expect((await a.get('/api/entries?key=k/1')).status).toBe(404)
  expect((await a.get('/api/entries?key=o/7')).body.value).toBe(7)
  expect((await a.get('/api/status')).body.entries).toBe(others.length)
  const names = await inSpace(space, async (sql) => namesIn(sql))
  expect(names).toHaveLength(others.length)
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9+/]{22}$/)
})

test('[SG9] keeps conflicts, history and tombstones by key under keyed names', async () => {
  const { space, a } = await spaceOf(['k/1', 'k/2'])
  const b = await device(await mint({ space }))
  const write = (by: Device, change: object) => by.sync({ changes: [{ timestamp: 2, ...change }] })
  const { results } = (await write(a, { key: 'k/1', value: 'second' })).body
  expect((await write(b, { key: 'k/1', value: 'other', base: null })).body.conflicts).toHaveLength(1)
  await write(a, { key: 'k/2', deleted: true })
  const conflicts = async (key: string) => (await a.get(`/api/conflicts?key=${key}`)).body.conflicts.length
  expect([await conflicts('k/1'), await conflicts('k/2')]).toEqual([1, 0])
  const history = (await a.get('/api/history?key=k/1')).body.versions
  expect(history.map(({ version }: { version: string }) => version)).toContain(results[0].version)
  expect((await a.get('/api/history?key=k/2')).body.versions).toMatchObject([
    { deleted: true },
    { value: 'k/2' },
  ])
  await age(space, 100)
  expect((await a.get('/api/changes')).body.changes).toMatchObject([{ key: 'k/1' }])
  expect((await write(b, { key: 'k/2', value: 'again', base: null })).body.results).toMatchObject([
    { status: 'applied' },
  ])
})
