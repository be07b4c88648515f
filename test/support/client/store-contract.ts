import { expect, test } from 'vitest'
import type { Store, StoredEntry, Wanted } from '../../../client/src/store/store.ts'
import { edit, entry, STATE } from './rows.ts'

/** Keys that a store might confuse: names of JavaScript, ends of ranges, both halves of text. */
export const ODD_KEYS = [
  'notes/__proto__',
  'notes/constructor',
  'notes/\uffff',
  'notes/\uffff\uffff',
  'notes/a/b//c',
  'notes/👩‍👩‍👧',
  'notes/ leading and trailing ',
  'notes/"quoted"',
  'notes/%2F',
  'notes0',
  'notes',
  'noteş/a',
]

/** Tests that every store has to pass. `open` returns an empty one. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  const contract = (title: string, run: (store: Store) => Promise<void>) =>
    test(`${name} ${title}`, async () => {
      const store = await open()
      try {
        await run(store)
      } finally {
        await store.close()
      }
    })
  const keysIn = async (store: Store, wanted: Wanted) => {
    const { entries, edits, outcomes } = await store.read(wanted)
    return {
      entries: [...entries.keys()].sort(),
      edits: edits.map(({ id }) => id),
      outcomes: outcomes.map(({ id }) => id),
    }
  }
  transactions(contract)
  removal(contract)
  selections(contract, keysIn)
  oddRows(contract, keysIn)
}

type Contract = (title: string, run: (store: Store) => Promise<void>) => void
type KeysIn = (
  store: Store,
  wanted: Wanted,
) => Promise<{ readonly entries: string[]; readonly edits: number[]; readonly outcomes: number[] }>

function transactions(contract: Contract): void {
  contract('is empty at first', async (store) => {
    const { state, ...found } = await store.read({ prefix: '', first: 10, outcomes: true })
    expect(state).toBeUndefined()
    expect(found).toEqual({ entries: new Map(), edits: [], outcomes: [] })
    expect(await store.count()).toEqual({ entries: 0, edits: 0, outcomes: 0 })
  })

  contract('writes everything that a decision returns, and returns the decision', async (store) => {
    const refused = { id: 9, key: 'a/2', status: 'rejected', edit: edit(9, 'a/2'), code: 'too-deep' } as const
    const writes = { state: STATE, entries: [entry('a/1')], edits: [edit(1, 'a/1')], outcomes: [refused] }
    expect(await store.update({}, () => ({ ...writes, more: 'of the caller' }))).toMatchObject({
      more: 'of the caller',
    })
    const found = await store.read({ prefix: '' })
    expect(found).toEqual({
      state: STATE,
      entries: new Map([['a/1', entry('a/1')]]),
      edits: [edit(1, 'a/1')],
      outcomes: [refused],
    })
    expect(await store.count()).toEqual({ entries: 1, edits: 1, outcomes: 1 })
  })

  contract('changes nothing if the decision throws', async (store) => {
    await store.update({}, () => ({ state: STATE, edits: [edit(1, 'a/1')] }))
    const failure = new Error('no')
    const failing = store.update({}, () => {
      throw failure
    })
    await expect(failing).rejects.toBe(failure)
    expect((await store.read({ first: 9 })).edits).toEqual([edit(1, 'a/1')])
    await store.update({}, () => ({ edits: [edit(2, 'a/1')] }))
    expect((await store.read({ first: 9 })).edits).toHaveLength(2)
  })

  contract('replaces and removes rows', async (store) => {
    await store.update({}, () => ({
      entries: [entry('a/1'), entry('a/2')],
      edits: [edit(1, 'a/1'), edit(2, 'a/2')],
    }))
    await store.update({}, () => ({
      entries: [entry('a/1', 'new')],
      gone: ['a/2', 'a/none'],
      edits: [edit(2, 'a/2', { base: { version: 'e.7' } })],
      answered: [1, 77],
    }))
    const { entries, edits } = await store.read({ prefix: '' })
    expect([...entries.values()]).toEqual([entry('a/1', 'new')])
    expect(edits).toEqual([edit(2, 'a/2', { base: { version: 'e.7' } })])
  })

  contract('runs transactions one after the other, so that no count is lost', async (store) => {
    await store.update({}, () => ({ state: STATE }))
    const add = () =>
      store.update({}, ({ state }) => ({ state: { ...STATE, nextEdit: (state?.nextEdit ?? 0) + 1 } }))
    await Promise.all(Array.from({ length: 50 }, add))
    expect((await store.read({})).state?.nextEdit).toBe(51)
  })
}

function removal(contract: Contract): void {
  contract('removes everything but a new state at once', async (store) => {
    const refused = { id: 9, key: 'a/2', status: 'rejected', edit: edit(9, 'a/2') } as const
    await store.update({}, () => ({
      state: STATE,
      entries: [entry('a/1')],
      edits: [edit(1, 'a/1')],
      outcomes: [refused],
    }))
    await store.reset({ ...STATE, clientId: 'new' })
    const found = await store.read({ prefix: '', first: 9, outcomes: true })
    expect(found).toEqual({
      state: { ...STATE, clientId: 'new' },
      entries: new Map(),
      edits: [],
      outcomes: [],
    })
    await store.update({}, () => ({ edits: [edit(1, 'a/1')] }))
    expect(await store.count()).toEqual({ entries: 0, edits: 1, outcomes: 0 })
  })
}

function selections(contract: Contract, keysIn: KeysIn): void {
  contract('finds the rows that are wanted, and no other', async (store) => {
    const outcome = (id: number, key: string) =>
      ({ id, key, status: 'rejected', edit: edit(id, key) }) as const
    await store.update({}, () => ({
      entries: ['a/1', 'a/2', 'b/1'].map((key) => entry(key)),
      edits: [edit(1, 'a/1'), edit(2, 'b/1'), edit(3, 'a/1'), edit(4, 'c/1')],
      outcomes: [outcome(5, 'a/1'), outcome(6, 'b/1')],
    }))
    expect(await keysIn(store, {})).toEqual({ entries: [], edits: [], outcomes: [] })
    expect(await keysIn(store, { keys: ['a/1', 'a/1', 'x'] })).toEqual({
      ...{ entries: ['a/1'], edits: [1, 3], outcomes: [5] },
    })
    expect(await keysIn(store, { prefix: 'a/' })).toEqual({
      entries: ['a/1', 'a/2'],
      edits: [1, 3],
      outcomes: [5],
    })
    expect(await keysIn(store, { prefix: '' })).toEqual({
      ...{ entries: ['a/1', 'a/2', 'b/1'], edits: [1, 2, 3, 4], outcomes: [5, 6] },
    })
    expect(await keysIn(store, { ids: [4, 2, 99] })).toEqual({ entries: [], edits: [2, 4], outcomes: [] })
    expect(await keysIn(store, { first: 2 })).toEqual({ entries: [], edits: [1, 2], outcomes: [] })
    expect(await keysIn(store, { first: 2, ids: [2, 4], keys: ['a/1'] })).toEqual({
      ...{ entries: ['a/1'], edits: [1, 2, 3, 4], outcomes: [5] },
    })
    expect(await keysIn(store, { edits: true })).toEqual({ entries: [], edits: [1, 2, 3, 4], outcomes: [] })
    expect(await keysIn(store, { outcomes: true })).toEqual({ entries: [], edits: [], outcomes: [5, 6] })
  })

  contract(
    'returns edits and outcomes in the order of their ids, whenever they were written',
    async (store) => {
      const outcome = (id: number) => ({ id, key: 'a/1', status: 'rejected', edit: edit(id, 'a/1') }) as const
      await store.update({}, () => ({ edits: [edit(10, 'a/1'), edit(9, 'a/1')], outcomes: [outcome(7)] }))
      await store.update({}, () => ({ edits: [edit(2, 'a/1'), edit(10, 'a/1')], outcomes: [outcome(3)] }))
      expect(await keysIn(store, { prefix: 'a/' })).toMatchObject({ edits: [2, 9, 10], outcomes: [3, 7] })
      expect(await keysIn(store, { first: 2 })).toMatchObject({ edits: [2, 9] })
      expect(await keysIn(store, { outcomes: true })).toMatchObject({ outcomes: [3, 7] })
    },
  )
}

function oddRows(contract: Contract, keysIn: KeysIn): void {
  contract('keeps odd keys apart', async (store) => {
    const edits = ODD_KEYS.map((key, index) => edit(index + 1, key))
    await store.update({}, () => ({ entries: ODD_KEYS.map((key) => entry(key)), edits }))
    for (const key of ODD_KEYS) {
      const { entries, edits: found } = await store.read({ keys: [key] })
      expect([...entries]).toEqual([[key, entry(key)]])
      expect(found.map((one) => one.key)).toEqual([key])
    }
    const inside = ODD_KEYS.filter((key) => key.startsWith('notes/'))
    const { entries, edits: ids } = await keysIn(store, { prefix: 'notes/' })
    expect(entries).toEqual([...inside].sort())
    expect(ids).toHaveLength(inside.length)
  })

  contract('keeps every JSON value as it is', async (store) => {
    const values = [null, false, 0, '', [], {}, [null, [1]], '\ud83d\ude00', { a: { b: [1.5e300, 'x'] } }]
    const odd = JSON.parse('{"__proto__": {"x": 1}, "constructor": 1, "": 2}') as StoredEntry['value']
    const all = [...values, odd]
    await store.update({}, () => ({ entries: all.map((value, index) => entry(`a/${index}`, value)) }))
    const { entries } = await store.read({ prefix: 'a/' })
    const read = all.map((_, index) => entries.get(`a/${index}`)?.value)
    expect(JSON.stringify(read)).toBe(JSON.stringify(all))
  })

  contract('holds 3,000 edits, and answers 500 of them at a time', async (store) => {
    const edits = Array.from({ length: 3_000 }, (_, index) => edit(index + 1, `a/${index % 700}`))
    await store.update({}, () => ({ state: STATE, edits }))
    const { edits: some } = await store.read({ first: 500 })
    expect(some.map(({ id }) => id)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1))
    const answered = some.map(({ id }) => id)
    const keys = [...new Set(some.map(({ key }) => key))]
    const { later } = await store.update({ keys }, (found) => {
      const rest = found.edits.filter(({ id }) => id > 500)
      return {
        answered,
        later: rest.length,
        edits: rest.map((one) => ({ ...one, base: { version: 'e.5' } })),
      }
    })
    expect(later).toBe(1_700)
    expect(await store.count()).toEqual({ entries: 0, edits: 2_500, outcomes: 0 })
    expect((await store.read({ first: 1 })).edits.map(({ id }) => id)).toEqual([501])
  })
}
