import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import { DAY_MS } from '../../worker/src/core/values/limits.ts'
import { readEntry } from '../../worker/src/objects/read/entry.ts'
import { openVersions } from '../../worker/src/objects/space/log.ts'
import { CONFIG_KEY } from '../../worker/src/schema/config.ts'
import { age, damageChunks, rowsReadBy, within } from './ageing.ts'
import { configure, type Device, device, newSpace } from './client.ts'
import { sessionOf } from './session.ts'

const T = Date.now() - 60_000

const reader = sessionOf()

beforeEach(() => env.CHRONICLE_KV.delete(CONFIG_KEY))

function sql<T>(space: string, work: (sql: SqlStorage) => T): Promise<T> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => work(storage.sql))
}

function alarmOf(space: string): Promise<number | null> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => storage.getAlarm())
}

/** Flips a bit of a row: at so many bytes from its start, or before its end. */
function flip(space: string, { table, at }: { table: 'segment' | 'archive'; at: number }): Promise<void> {
  return sql(space, (db) => {
    const [row] = db
      .exec<{ first: number; body: ArrayBuffer }>(`SELECT first, body FROM ${table} ORDER BY first LIMIT 1`)
      .toArray()
    if (row === undefined) throw new Error(`${table} is empty`)
    const bytes = new Uint8Array(row.body)
    const place = at < 0 ? bytes.length + at : at
    bytes[place] = (bytes[place] ?? 0) ^ 4
    db.exec(`UPDATE ${table} SET body = ? WHERE first = ?`, bytes, row.first)
  })
}

/** Writes four keys, each so many times. */
async function rewrite(by: Device, times: number, from = 0): Promise<void> {
  for (let round = from; round < from + times; round += 100) {
    const changes = Array.from({ length: 400 }, (_, index) => ({
      key: `k/${index % 4}`,
      value: `${round} ${index}`,
      timestamp: T + round,
    }))
    expect((await by.sync({ changes })).body.success).toBe(true)
  }
}

test('[LC8] superseded versions that cannot be read make no pass after pass', async () => {
  const { space, a } = await newSpace()
  await rewrite(a, 500)
  await damageChunks(space, () => true)
  const [first, second] = [await age(space, 1), await age(space, 1)]
  expect(first.rowsWritten).toBeLessThan(20)
  expect([first.next, second.next]).toEqual([DAY_MS, DAY_MS])
  const passes = JSON.parse(
    String(await sql(space, (db) => db.exec(`SELECT value FROM meta WHERE name = 'passes'`).one().value)),
  )
  expect(passes).toMatchObject({ now: null, last: { left: 1996, unreadable: 5 } })
  // What comes after them is taken out as ever.
  const b = await device({ token: a.token, clientId: 'b' })
  await b.sync({ changes: [{ key: 'new', value: 0, timestamp: T }] })
  for (let n = 1; n <= 1100; n += 100)
    await b.sync({
      changes: Array.from({ length: 100 }, (_, m) => ({ key: 'new', value: n + m, timestamp: T + n + m })),
    })
  expect(Number(await alarmOf(space)) - Date.now()).toBeLessThan(11_000)
  await age(space, 1)
  expect(
    await sql(space, (db) => db.exec('SELECT count(*) AS rows FROM archive').one().rows),
  ).toBeGreaterThan(0)
})

for (const [what, at] of [
  ['its length', 1],
  ['its frame', 9],
] as const) {
  test(`[LC8] a row that is broken in ${what} is carried along and reported, in the log and in the archive`, async () => {
    const { space, a } = await newSpace()
    await rewrite(a, 1000)
    await flip(space, { table: 'segment', at })
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {})
    expect((await age(space, 1)).next).toBe(DAY_MS)
    const lines = () => errors.mock.calls.map(([line]) => JSON.parse(String(line)))
    expect(lines()).toContainEqual(expect.objectContaining({ message: 'row unreadable', first: 1 }))
    const rows = await sql(space, (db) => db.exec<{ first: number }>('SELECT first FROM segment').toArray())
    expect(rows[0]).toEqual({ first: 1 })
    expect(rows.length).toBeLessThan(5)
    await flip(space, { table: 'archive', at })
    const masterKeys = `2:${btoa('n'.repeat(32))} ${env.MASTER_KEY}`
    expect((await age(space, 2, { masterKeys })).next).toBe(DAY_MS)
    expect(lines()).toContainEqual(expect.objectContaining({ message: 'archive row unreadable' }))
    // Past their time, rows go whether or not they can be read.
    await age(space, 100, { masterKeys })
    expect(await sql(space, (db) => db.exec('SELECT count(*) AS rows FROM archive').one().rows)).toBe(0)
    errors.mockRestore()
  })
}

/** Replaces some of the first frame of a row, as long as it was. */
function damage(space: string, { row, from, to }: { row: number; from: RegExp; to: string }): Promise<void> {
  return sql(space, (db) => {
    const rows = db.exec<{ first: number; body: ArrayBuffer }>(
      'SELECT first, body FROM segment ORDER BY first',
    )
    const { first, body } = rows.toArray().at(row) ?? { first: 0, body: new ArrayBuffer(8) }
    const bytes = new Uint8Array(body)
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + new DataView(body).getUint32(0)))
    const changed = header.replace(from, to)
    expect([changed === header, changed.length]).toEqual([false, header.length])
    bytes.set(new TextEncoder().encode(changed), 8)
    db.exec('UPDATE segment SET body = ? WHERE first = ?', bytes, first)
  })
}

for (const [what, { row, from, to }] of [
  ['a number past the end of the log', { row: -1, from: /"s":\[\d\d\d\d/, to: '"s":[9999' }],
  ['a number of another row', { row: -1, from: /"s":\[\d\d\d\d/, to: '"s":[ 401' }],
  ['a number that is not whole', { row: -1, from: /"s":\[\d\d\d\d/, to: '"s":[12.4' }],
  ['a longer step', { row: 1, from: /,1,0,0,1,/, to: ',1,0,0,9,' }],
  ['a time that is not whole', { row: 1, from: /"t":\d{12}/, to: '"t":17958606368.' }],
] as const) {
  test(`[LC8] ${what} in a frame costs the versions of that chunk, and no other`, async () => {
    const { space, a } = await newSpace()
    for (let round = 0; round < 12; round++) {
      const changes = Array.from({ length: 100 }, (_, n) => ({
        key: `k/${(round * 70 + n) % 300}`,
        value: `${round} ${n} ${'x'.repeat(200)}`,
        timestamp: T + round,
      }))
      await a.sync({ changes })
    }
    await damage(space, { row, from, to })
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {})
    for (const days of [1, 16, 31]) expect((await age(space, days)).next).not.toBe(0)
    expect(errors.mock.calls.join()).toContain('chunk unreadable')
    errors.mockRestore()
    const b = await device({ token: a.token, clientId: 'b' })
    for (let n = 0; n < 12; n++) {
      expect((await b.sync({ changes: [{ key: `new/${n}`, value: n, timestamp: T }] })).body.success).toBe(
        true,
      )
      if (n === 6) await within(space, async () => {})
    }
    const lost = await within(space, async (open) => {
      const read = (key: string) =>
        readEntry(open, reader, key).then(
          ({ ok }) => ok,
          () => false,
        )
      for (let n = 0; n < 12; n++) expect(await read(`new/${n}`), `new/${n}`).toBe(true)
      const found = await Promise.all(Array.from({ length: 300 }, (_, n) => read(`k/${n}`)))
      return found.filter((isFound) => !isFound).length
    })
    expect(lost).toBeLessThanOrEqual(100)
  })
}

test('[LC8] a row that says that it ends before it begins does not hold up a pass', async () => {
  const { space, a } = await newSpace()
  await rewrite(a, 1000)
  await sql(space, (db) => db.exec('UPDATE segment SET last = 1 WHERE first > 1000'))
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {})
  expect((await age(space, 1, { rounds: 50 })).rounds).toBeLessThan(10)
  errors.mockRestore()
})

test('[LC4] a batch is not written behind a broken chunk', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: [{ key: 'k/1', value: 1, timestamp: T }] })
  await flip(space, { table: 'segment', at: 9 })
  await within(space, async () => {})
  await a.sync({ changes: [{ key: 'k/2', value: 2, timestamp: T }] })
  expect((await a.get('/api/entries?key=k/2')).body.value).toBe(2)
})

test('[LC2] a loser on a key that is gone is archived and forgotten like any other', async () => {
  for (const defaultPolicy of ['server-wins', 'manual', 'client-wins']) {
    await configure({ defaultPolicy })
    const { space, a } = await newSpace()
    const changes = [{ key: 'k/gone', value: 1, timestamp: T, base: 'elsewhere.7' }]
    expect((await a.sync({ changes })).body.conflicts).toHaveLength(1)
    expect(await alarmOf(space), defaultPolicy).not.toBeNull()
    if (defaultPolicy === 'manual') continue
    for (const days of [16, 32, 64, 96]) await age(space, days)
    expect((await a.get('/api/conflicts')).body.conflicts, defaultPolicy).toEqual([])
    expect(await sql(space, (db) => db.exec('SELECT count(*) AS rows FROM archive').one().rows)).toBe(0)
  }
})

/** Puts conflicts there that are open, and rows of the archive whose time is up, as a busy client would. */
function crowd(db: SqlStorage, { conflicts, archives }: { conflicts: number; archives: number }): void {
  for (let from = 10_000; from < 10_000 + conflicts; from += 1000) {
    const ids = JSON.stringify(Array.from({ length: 1000 }, (_, n) => from + n))
    db.exec(
      `INSERT INTO conflict (id, policy, resolution, winner, loser, open, at)
       SELECT value, 'manual', 'open', value - 5000, value, 1, 0 FROM json_each(?)`,
      ids,
    )
  }
  const firsts = JSON.stringify(Array.from({ length: archives }, (_, n) => 100_000 + 10 * n))
  db.exec(`INSERT INTO archive SELECT value, value + 9, 0, x'' FROM json_each(?)`, firsts)
}

test('[LC2] a step of upkeep reads no more because there are many conflicts', async () => {
  const { space, a } = await newSpace()
  await rewrite(a, 500)
  await age(space, 1)
  await sql(space, (db) => crowd(db, { conflicts: 50_000, archives: 20 }))
  const effort = await age(space, 40, { rounds: 1 })
  expect(effort.rowsRead).toBeLessThan(500)
  expect(await sql(space, (db) => db.exec('SELECT count(*) AS rows FROM archive').one().rows)).toBe(0)
})

test('[LC2] a row of the archive that an open conflict speaks of is looked at once in a retention, and kept', async () => {
  const { space, a } = await newSpace()
  await rewrite(a, 500)
  await age(space, 1)
  const count = () => sql(space, (db) => db.exec('SELECT count(*) AS rows FROM archive').one().rows)
  const rows = await count()
  // Between the first and the last version of the row there are others, of which no conflict speaks.
  const open = (winner: number) =>
    sql(space, (db) =>
      db.exec(
        `INSERT OR REPLACE INTO conflict (id, policy, resolution, winner, loser, open, at)
         VALUES (90000, 'manual', 'open', ?, 90000, 1, 0)`,
        winner,
      ),
    )
  await open(7)
  await age(space, 40)
  expect(await count()).toBe(1)
  const rested = await age(space, 60)
  expect(await count()).toBe(1)
  expect(rested.rowsWritten).toBe(0)
  await sql(space, (db) => db.exec('DELETE FROM conflict'))
  await age(space, 100)
  expect([rows === 0, await count()]).toEqual([false, 0])
})

test('[HI1] an archived version is found without a walk through the archive', async () => {
  const { space, a } = await newSpace()
  await rewrite(a, 500)
  await age(space, 1)
  await sql(space, (db) => {
    crowd(db, { conflicts: 0, archives: 5000 })
    // As a later pass lays it over the others.
    db.exec('UPDATE archive SET first = 200000, last = 201999 WHERE first = 1')
  })
  const read = await rowsReadBy(space, (open) => openVersions(open, [200_007]))
  expect(read).toBeLessThan(1000)
})
