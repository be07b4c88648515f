import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Schema } from '../../../client/src/collection.ts'
import { settle } from '../../support/client/hand.ts'
import { contentOf, handDevice } from '../../support/client/hand-device.ts'
import { problem } from '../../support/client/plain-service.ts'
import { entry } from '../../support/client/rows.ts'
import { ODD_KEYS } from '../../support/client/store-contract.ts'

interface Note {
  title: string
  at?: unknown
}

async function offlineNotes(schema?: Schema<Note>) {
  const device = await handDevice()
  device.service.answer = () => problem(503, 'busy')
  const notes = device.db.collection<Note>('notes', schema && { schema })
  return { ...device, notes, edits: async () => (await device.store.read({ prefix: '' })).edits }
}

describe('an edit', () => {
  test('keeps its order among edits that nobody awaits', async () => {
    const { notes, edits, db } = await offlineNotes()
    void notes.put('a', { title: '1' })
    void notes.put('b', { title: '1' })
    void notes.update('a', (note) => ({ title: `${note.title}2` }))
    void notes.delete('b')
    void notes.update('a', (note) => {
      note.title += '3'
    })
    await notes.put('c', { title: 'last' })
    expect(
      (await edits()).map(({ key, value }) => [key, (value as unknown as Note | undefined)?.title]),
    ).toEqual([
      ...[
        ['notes/a', '1'],
        ['notes/b', '1'],
        ['notes/a', '12'],
        ['notes/b', undefined],
      ],
      ...[
        ['notes/a', '123'],
        ['notes/c', 'last'],
      ],
    ])
    expect(await contentOf(db)).toEqual({ a: { title: '123' }, c: { title: 'last' } })
  })

  test('shares a transaction with edits of the same moment', async () => {
    const { notes, store } = await offlineNotes()
    let transactions = 0
    const { update } = store
    store.update = (wanted, decide) => {
      transactions += 1
      return update.call(store, wanted, decide) as never
    }
    await Promise.all(Array.from({ length: 100 }, (_, index) => notes.put(String(index), { title: '' })))
    expect(transactions).toBe(1)
  })

  test('is what the value was at the time of the call', async () => {
    const { notes, db } = await offlineNotes()
    const note = { title: 'before' }
    const edit = notes.put('a', note)
    note.title = 'after'
    await edit
    expect(await contentOf(db)).toEqual({ a: { title: 'before' } })
  })
})

describe('the value of an edit', () => {
  test('is stored as JSON: dates as texts, without undefined fields, NaN as null', async () => {
    const { notes, db } = await offlineNotes()
    const at = new Date(0)
    await notes.put('a', { title: 'x', at: { at, none: undefined, nan: Number.NaN, list: [undefined] } })
    expect(await contentOf(db)).toEqual({
      a: { title: 'x', at: { at: '1970-01-01T00:00:00.000Z', nan: null, list: [null] } },
    })
  })

  test('rejects and saves nothing if the value has no JSON, or without an id', async () => {
    const { notes, edits } = await offlineNotes()
    const loop: Record<string, unknown> = { title: '' }
    loop['self'] = loop
    const wrong: unknown[] = [undefined, () => {}, Symbol('x'), { title: 1n }, loop]
    for (const value of wrong) {
      const attempt = async () => notes.put('a', value as Note)
      await expect(attempt()).rejects.toThrow(TypeError)
    }
    for (const id of ['', undefined, 7]) {
      await expect((async () => notes.put(id as string, { title: '' }))()).rejects.toThrow(TypeError)
      await expect((async () => notes.delete(id as string))()).rejects.toThrow(TypeError)
    }
    expect(await edits()).toEqual([])
  })

  test('takes odd ids', async () => {
    const { notes, db } = await offlineNotes()
    const ids = ODD_KEYS.filter((key) => key.startsWith('notes/')).map((key) => key.slice('notes/'.length))
    for (const id of ids) await notes.put(id, { title: id })
    const rows = await notes.all()
    expect(rows.map(({ $id }) => $id)).toEqual([...ids].sort())
    for (const id of ids) expect((await notes.get(id))?.title).toBe(id)
    expect(Object.keys(await contentOf(db, 'note'))).toEqual([])
  })

  test('is refused in a collection that this client does not hold', async () => {
    const { db } = await handDevice({ collections: ['notes'] })
    expect(() => db.collection('other')).toThrow('not among the collections')
  })
})

describe('an update', () => {
  test('rejects and changes nothing if the row does not exist', async () => {
    const { notes, edits } = await offlineNotes()
    await expect(notes.update('none', (note) => note)).rejects.toMatchObject({ code: 'row-missing' })
    const other = notes.update('none', (note) => note)
    const [saved] = await Promise.allSettled([other])
    expect(saved.status).toBe('rejected')
    await expect(other.synced).rejects.toMatchObject({ code: 'row-missing' })
    expect(await edits()).toEqual([])
  })

  test('is made again if the row has changed while it was thought about', async () => {
    const { db, service, store } = await handDevice()
    service.write('notes/a', { n: 1 })
    await db.sync()
    let calls = 0
    const schema: Schema<{ n: number }> = {
      '~standard': {
        async validate(value) {
          calls += 1
          if (calls === 1)
            await store.update({}, () => ({ entries: [entry('notes/a', { n: 10 }, { version: 'one.2' })] }))
          return { value: value as { n: number } }
        },
      },
    }
    await db.collection('notes', { schema }).update('a', ({ n }) => ({ n: n + 1 }))
    expect(calls).toBe(2)
    expect(await contentOf(db)).toEqual({ a: { n: 11 } })
  })

  test('keeps fields that have the names of the client', async () => {
    const { db, service } = await handDevice()
    service.write('notes/a', { $id: 'schema', $status: 'draft', n: 1 })
    await db.sync()
    await db.collection<{ n: number }>('notes').update('a', (row) => {
      row.n = 2
    })
    await db.sync()
    expect(service.values()).toEqual({ 'notes/a': { $id: 'schema', $status: 'draft', n: 2 } })
  })

  test('that throws rejects with what was thrown', async () => {
    const { notes } = await offlineNotes()
    await notes.put('a', { title: '' })
    const failure = new Error('mine')
    const update = notes.update('a', () => {
      throw failure
    })
    await expect(update).rejects.toBe(failure)
    await notes.put('b', { title: 'still works' })
  })
})

describe('a schema', () => {
  const schema = z.object({
    title: z.string().trim().min(1),
    at: z.unknown().optional(),
  }) as unknown as Schema<Note>

  test('refuses a value that does not fit, and says why', async () => {
    const { notes, edits } = await offlineNotes(schema)
    const bad = notes.put('a', { title: ' ' })
    await expect(bad).rejects.toMatchObject({ code: 'invalid-value', issues: [{ path: ['title'] }] })
    await expect(bad.synced).rejects.toMatchObject({ code: 'invalid-value' })
    await notes.put('b', { title: 'good' })
    await expect(notes.update('b', () => ({ title: '' }))).rejects.toMatchObject({ code: 'invalid-value' })
    expect(await edits()).toHaveLength(1)
  })

  test('may change the value', async () => {
    const { notes, db } = await offlineNotes(schema)
    await notes.put('a', { title: '  trimmed ' })
    expect(await contentOf(db)).toEqual({ a: { title: 'trimmed' } })
  })

  test('may take its time, and later edits wait for it', async () => {
    const slow = z.object({ title: z.string().refine((title) => settle().then(() => title !== 'bad')) })
    const { notes, edits } = await offlineNotes(slow as unknown as Schema<Note>)
    const results = await Promise.allSettled([
      notes.put('a', { title: 'one' }),
      notes.put('b', { title: 'bad' }),
      notes.delete('a'),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((await edits()).map(({ key, value }) => [key, value !== undefined])).toEqual([
      ['notes/a', true],
      ['notes/a', false],
    ])
  })

  test('that throws rejects the edit, and no other', async () => {
    const failing: Schema<Note> = {
      '~standard': {
        validate() {
          throw new Error('broken schema')
        },
      },
    }
    const { notes, db } = await offlineNotes(failing)
    await expect(notes.put('a', { title: '' })).rejects.toThrow('broken schema')
    await db.collection('other').put('b', {})
    expect(await contentOf(db, 'other')).toEqual({ b: {} })
  })
})
