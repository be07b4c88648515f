import { expect, test } from 'vitest'
import type { Encryption } from '../../../client/src/device/options.ts'
import { MemoryStore } from '../../../client/src/store/memory.ts'
import type { Json } from '../../../client/src/values/wire.ts'
import { settle } from '../../support/client/hand.ts'
import { contentOf, handDevice } from '../../support/client/hand-device.ts'
import { PlainService, problem } from '../../support/client/plain-service.ts'

/** Encryption that a test can read: base64 under a name. */
function encryption() {
  const calls = { seal: [] as string[], open: 0 }
  const hooks: Encryption = {
    async seal(value, key) {
      calls.seal.push(key)
      return { sealed: btoa(JSON.stringify({ key, value })) }
    },
    async open(sealed, key) {
      calls.open += 1
      const { sealed: text } = sealed as { sealed?: string }
      if (text === undefined) throw new Error('not sealed by us')
      const opened = JSON.parse(atob(text)) as { key: string; value: Json }
      if (opened.key !== key) throw new Error('sealed for another key')
      return opened.value
    },
  }
  return { calls, hooks }
}

async function everythingIn(store: MemoryStore): Promise<string> {
  const { entries, ...found } = await store.read({ prefix: '', outcomes: true })
  return JSON.stringify([...entries.values(), found])
}

test('seals each edit once, and opens rows when they are read', async () => {
  const { calls, hooks } = encryption()
  const { db, service, hand } = await handDevice({ encryption: hooks })
  service.answer = () => problem(503, 'busy')
  await db.collection('notes').put('a', { secret: 'plaintext' })
  await hand.pass(10_000)
  service.answer = () => undefined
  await hand.pass(20_000)
  await db.collection<{ secret: string }>('notes').update('a', ({ secret }) => ({ secret: `${secret}!` }))
  await db.sync()
  expect(calls.seal).toEqual(['notes/a', 'notes/a'])
  expect(await contentOf(db)).toEqual({ a: { secret: 'plaintext!' } })
})

test('shows neither the service nor the store a plain value', async () => {
  const { hooks } = encryption()
  const store = new MemoryStore()
  const { db, service } = await handDevice({ encryption: hooks, store })
  await db.collection('notes').put('a', { secret: 'plaintext' }).synced
  service.decide = ({ key }) => ({ result: { key, status: 'rejected', code: 'value-too-large' } as never })
  await db.collection('notes').put('b', { secret: 'plaintext' })
  await db.sync()
  await settle()
  service.answer = () => problem(503, 'busy')
  await db.collection('notes').put('c', { secret: 'plaintext' })
  const held = JSON.stringify([service.requests, service.values(), await everythingIn(store)])
  expect(held).toContain('sealed')
  expect(held).not.toContain('plaintext')
  expect(JSON.stringify(await db.diagnostics())).not.toContain('plaintext')
  expect(db.troubles.getSnapshot()).toMatchObject([{ key: 'notes/b', mine: { secret: 'plaintext' } }])
  expect(await db.unsynced()).toMatchObject([
    { key: 'notes/c', value: { secret: 'plaintext' } },
    { key: 'notes/b', value: { secret: 'plaintext' } },
  ])
})

test('leaves out a row that cannot be opened, and shows all others', async () => {
  const { hooks } = encryption()
  function open(sealed: Json, key: string) {
    if (key === 'notes/d') throw new Error('the key of this row is lost')
    return hooks.open(sealed, key)
  }
  const { db, service } = await handDevice({ encryption: { ...hooks, open } })
  const shown: string[][] = []
  db.collection('notes').subscribe({}, (rows) => shown.push(rows.map(({ $id }) => $id)))
  await Promise.all(['a', 'd'].map((id) => db.collection('notes').put(id, { n: 1 })))
  expect(await contentOf(db)).toEqual({ a: { n: 1 } })
  service.write('notes/b', { by: 'a client without the key' })
  service.write('notes/c', await hooks.seal({ n: 3 }, 'notes/c'))
  await db.sync()
  await settle()
  expect(await contentOf(db)).toEqual({ a: { n: 1 }, c: { n: 3 } })
  expect(shown.at(-1)).toEqual(['a', 'c'])
  for (const id of ['b', 'd']) expect(await db.collection('notes').get(id)).toBeUndefined()
})

test('lists troubles and unsynced edits also if one of them cannot be opened', async () => {
  const { hooks } = encryption()
  const store = new MemoryStore()
  const service = new PlainService()
  service.decide = ({ key }) => ({ result: { key, status: 'rejected', code: 'value-too-large' } as never })
  const plain = await handDevice({ store, service })
  await plain.db.collection('notes').put('a', { n: 'of another key' })
  await plain.db.sync()
  await plain.db.close({ discard: true })
  const { db } = await handDevice({ store, service, encryption: hooks })
  await db.collection('notes').put('b', { n: 2 })
  await db.sync()
  expect(db.troubles.getSnapshot().map(({ key, mine }) => [key, mine])).toEqual([
    ['notes/a', undefined],
    ['notes/b', { n: 2 }],
  ])
  expect((await db.unsynced()).map(({ key, value }) => [key, value])).toEqual([
    ['notes/a', undefined],
    ['notes/b', { n: 2 }],
  ])
  await expect(db.logout()).rejects.toMatchObject({ code: 'unsynced' })
})

test('rejects an edit that cannot be sealed, and no other', async () => {
  const { hooks } = encryption()
  const failing: Encryption = {
    ...hooks,
    seal: (value, key) =>
      key === 'notes/bad' ? Promise.reject(new Error('no key')) : hooks.seal(value, key),
  }
  const { db, service } = await handDevice({ encryption: failing })
  const results = await Promise.allSettled([
    db.collection('notes').put('a', {}),
    db.collection('notes').put('bad', {}),
    db.collection('notes').put('c', {}),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  await db.sync()
  expect(Object.keys(service.values())).toEqual(['notes/a', 'notes/c'])
})
