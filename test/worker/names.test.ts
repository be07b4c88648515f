import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { openSpace, type Space } from '../../worker/src/objects/space/space.ts'
import { type Device, device, mint, send } from './client.ts'

const ROTATED = `2:${btoa('n'.repeat(32))} ${env.MASTER_KEY}`
const NEWEST_ONLY = ROTATED.split(' ')[0] as string

const latin1 = new TextDecoder('latin1')
const LONG = 'x'.repeat(511)
const KEYS = ['notes/1', 'notes/2', 'ä/€/😀', `${LONG}x`, `${LONG}y`]

/** Works on the rows of a space, opened under some master keys. */
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
    .exec<{ key: string }>('SELECT key FROM head ORDER BY seq')
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

test('[SG9] every key has a name of 22 characters that says nothing of it, and is found by it', async () => {
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

test('[SG9] names outlive the object and every rotation; an older key is no longer needed once the space was open', async () => {
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

test('[SG9] a space that slept through a rotation does not open without its key, and nothing is lost by trying', async () => {
  await inSpace(crypto.randomUUID(), async (_, open) => {
    write(await open(), KEYS)
    await expect(open(NEWEST_ONLY)).rejects.toThrow('the stack has no master key of generation 1 any more')
    expect(seqsOf(await open(ROTATED), KEYS)).toEqual([1, 2, 3, 4, 5])
  })
})

test('[SG9] the names of another space are others, and after an erasure so are those of the same', async () => {
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

test('[SG9] whoever opens a new space at the same time comes to the same names', async () => {
  await inSpace(crypto.randomUUID(), async (_, open) => {
    const [one, other] = await Promise.all([open(), open()])
    write(one, KEYS)
    expect(seqsOf(other, KEYS)).toEqual([1, 2, 3, 4, 5])
  })
})

test('[SG9] a space that holds something goes on as it began, whatever the setting is by then', async () => {
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

test('[SG9] no key is in any row of a space that keeps none in clear', async () => {
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

test('[SG9] a changed secret is no secret: the space does not open', async () => {
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
