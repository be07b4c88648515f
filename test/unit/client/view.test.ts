import { describe, expect, test } from 'vitest'
import type { Chronicle } from '../../../client/src/chronicle.ts'
import { settle } from '../../support/client/hand.ts'
import { contentOf, handDevice } from '../../support/client/hand-device.ts'
import { isPush, PlainService, problem } from '../../support/client/plain-service.ts'

/** Everything that a screen shows of one row, one text for each change. */
function screenOf(db: Chronicle, id: string): string[] {
  const shown: string[] = []
  db.collection('notes').subscribe({}, (rows) => {
    const row = rows.find(({ $id }) => $id === id)
    const text = row ? `${JSON.stringify(row)} ${row.$status}` : 'none'
    if (shown.at(-1) !== text) shown.push(text)
  })
  return shown
}

describe('a row', () => {
  test('says how far its newest edit has come, in fields that are not part of its value', async () => {
    const { db, service } = await handDevice()
    service.answer = () => problem(503, 'busy')
    const notes = db.collection<{ n: number }>('notes')
    await notes.put('a', { n: 1 })
    const pending = await notes.get('a')
    expect(pending).toMatchObject({ $id: 'a', $status: 'pending', $version: null, n: 1 })
    expect({ ...pending }).toEqual({ n: 1 })
    expect(JSON.stringify(pending)).toBe('{"n":1}')
    service.answer = () => undefined
  })

  test('cannot be changed by accident', async () => {
    const { db } = await handDevice()
    const notes = db.collection<{ list: number[] }>('notes')
    await notes.put('a', { list: [1] })
    const row = await notes.get('a')
    expect(() => row?.list.push(2)).toThrow(TypeError)
  })

  test('that is no object is in a field', async () => {
    const { db, service } = await handDevice()
    for (const [index, value] of [null, 7, 'text', [1, 2]].entries()) service.write(`notes/${index}`, value)
    await db.sync()
    const rows = (await db.collection('notes').all()) as unknown as { $value?: unknown; length?: number }[]
    expect(rows.map((row) => row.$value)).toEqual([null, 7, 'text', undefined])
    expect(rows[3]?.length).toBe(2)
  })

  test('keeps names that objects have anyway', async () => {
    const { db, service } = await handDevice()
    const value: unknown = JSON.parse('{"__proto__": {"x": 1}, "toString": 2}')
    service.write('notes/a', value)
    service.write('notes/__proto__', { n: 1 })
    await db.sync()
    expect(JSON.stringify(await db.collection('notes').get('a'))).toBe('{"__proto__":{"x":1},"toString":2}')
    expect(await db.collection('notes').get('__proto__')).toMatchObject({ n: 1 })
  })
})

describe('a query', () => {
  test('has nothing until it is read, and then the rows by id', async () => {
    const { db, service } = await handDevice()
    for (const id of ['b', 'a', 'c']) service.write(`notes/${id}`, {})
    await db.sync()
    const query = db.collection('notes').query()
    expect(query.getSnapshot()).toBeUndefined()
    const calls: unknown[] = []
    query.subscribe((rows) => calls.push(rows))
    await settle()
    expect(query.getSnapshot()?.map(({ $id }) => $id)).toEqual(['a', 'b', 'c'])
    expect(calls).toEqual([query.getSnapshot()])
    expect(query.getSnapshot()).toBe(query.getSnapshot())
  })

  test('is told of its own rows only, and keeps rows that did not change', async () => {
    const { db } = await handDevice()
    const notes = db.collection('notes')
    await notes.put('x1', {})
    await notes.put('y1', {})
    await settle()
    const calls: string[][] = []
    const query = notes.query({ prefix: 'x' })
    const stop = query.subscribe((rows) => calls.push((rows ?? []).map(({ $id }) => $id)))
    await settle()
    const [before] = query.getSnapshot() ?? []
    await notes.put('y2', {})
    await settle()
    expect(calls).toEqual([['x1']])
    await notes.put('x2', {})
    await settle()
    expect(query.getSnapshot()?.[0]).toBe(before)
    expect(calls.at(-1)).toEqual(['x1', 'x2'])
    stop()
    await notes.put('x3', {})
    await settle()
    expect(calls.at(-1)).toEqual(['x1', 'x2'])
  })

  test('has no rows in an empty collection', async () => {
    const { db } = await handDevice()
    const calls: unknown[] = []
    db.collection('notes').subscribe({}, (rows) => calls.push(rows))
    await settle()
    expect(calls).toEqual([[]])
  })

  test('shows an edit as soon as it is saved', async () => {
    const { db } = await handDevice()
    const notes = db.collection('notes')
    await notes.all()
    for (let index = 0; index < 20; index += 1) {
      await notes.put(String(index), {})
      expect(await notes.all()).toHaveLength(index + 1)
    }
    await notes.delete('0')
    expect(await notes.all()).toHaveLength(19)
  })
})

const old = '{"n":"old"} synced'
const mine = ['{"n":"mine"} pending', '{"n":"mine"} synced']

async function edited() {
  const device = await handDevice()
  device.service.write('notes/a', { n: 'old' })
  await device.db.sync()
  const shown = screenOf(device.db, 'a')
  await settle()
  return { ...device, shown }
}

describe('a row that is edited never goes back or vanishes', () => {
  test('when the edit is applied', async () => {
    const { db, shown } = await edited()
    await db.collection('notes').put('a', { n: 'mine' }).synced
    await settle()
    expect(shown).toEqual([old, ...mine])
  })

  test('when the edit is deleted', async () => {
    const { db, shown } = await edited()
    await db.collection('notes').delete('a').synced
    await settle()
    expect(shown).toEqual([old, 'none'])
  })

  test('when several edits are applied in one batch and others wait', async () => {
    const { db, shown } = await edited()
    for (let n = 0; n < 5; n += 1) void db.collection('notes').put('a', { n })
    await db.sync()
    for (let n = 5; n < 8; n += 1) void db.collection('notes').put('a', { n })
    await db.sync()
    await settle()
    const numbers = shown.slice(1).map((text) => Number(/"n":(\d)/.exec(text)?.[1]))
    expect(numbers).toEqual([...numbers].sort())
    expect(shown.at(-1)).toBe('{"n":7} synced')
  })

  test('when the first reading takes several pages', async () => {
    const service = new PlainService()
    service.answer = () => problem(503, 'busy')
    for (let index = 0; index < 30; index += 1) service.write(`notes/${index}`, {})
    const fresh = await handDevice({ service })
    service.pageSize = 10
    const shown = screenOf(fresh.db, 'a')
    await fresh.db.collection('notes').put('a', { n: 'mine' })
    service.answer = () => undefined
    await fresh.hand.pass(5_000)
    expect(Object.keys(await contentOf(fresh.db))).toHaveLength(31)
    expect(shown).toEqual(['none', ...mine])
  })

  // The page that has the outcome comes later than the answer, so the copy is shown in between.
  test('when the reply was lost, and the batch is answered as a replay in several pages', async () => {
    const { service, hand, db, shown } = await edited()
    let lost = false
    service.reanswer = (request) => {
      if (lost || !isPush(request)) return undefined
      lost = true
      return problem(503, 'busy')
    }
    for (let index = 0; index < 30; index += 1) service.write(`notes/${index}`, {})
    service.pageSize = 10
    await db.collection('notes').put('a', { n: 'mine' })
    await hand.pass(5_000)
    expect(lost).toBe(true)
    expect(shown).toEqual([old, ...mine])
  })

  test('when it lost, or was there already, and the winner is on a later page', async () => {
    const { service, hand, db, shown } = await edited()
    for (let index = 0; index < 30; index += 1) service.write(`notes/${index}`, {})
    const winner = service.write('notes/a', { n: 'theirs' })
    service.decide = ({ key }) => ({ result: { key, status: 'superseded', version: winner } })
    service.pageSize = 10
    await db.collection('notes').put('a', { n: 'mine' })
    await hand.pass(5_000)
    expect(shown).toEqual([old, '{"n":"mine"} pending', '{"n":"theirs"} superseded'])
  })
})

test('shows what a version means that the space gave out a second time', async () => {
  const { db, service, hand } = await handDevice()
  service.write('notes/a', { n: 'first' })
  const head = 1
  service.write('notes/a', { n: 'lost' })
  await db.sync()
  const shown = screenOf(db, 'a')
  await settle()
  service.write('notes/b', {})
  await db.sync()
  service.setBack(head)
  hand.now += 1_000
  service.write('notes/a', { n: 'again' })
  await db.sync()
  await db.sync()
  expect(await db.collection('notes').get('a')).toMatchObject({ n: 'again' })
  expect(shown.at(-1)).toContain('again')
})
