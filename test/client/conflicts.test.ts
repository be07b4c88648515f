import { beforeAll, describe, expect, test } from 'vitest'
import { MemoryStore } from '../../client/src/store/memory.ts'
import type { Trouble } from '../../client/src/troubles.ts'
import { allowMuch } from '../support/cloud/cloud.ts'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { until } from '../support/until.ts'
import { cutOff, type Device, deviceOf, operate, rowsOf } from './device.ts'

const cloud = withCloud()

beforeAll(() => allowMuch(cloud, { asked: 'manual', merged: 'merge', first: 'server-wins' }))

/** Two devices that have the same entry, and change it without knowing of each other. */
async function rivals(space: string, collection: string, base: object): Promise<[Device, Device]> {
  const [one, other] = [await deviceOf(cloud, space), await deviceOf(cloud, space)]
  await one.db.collection(collection).put('a', base as never).synced
  await other.db.sync()
  return [one, other]
}

/** An open conflict of the second device, whose edit came later. */
async function openConflict(space: string): Promise<{ one: Device; other: Device; trouble: Trouble }> {
  const [one, other] = await rivals(space, 'asked', { n: 'base' })
  await one.db.collection('asked').put('a', { n: 'theirs' }).synced
  const edit = other.db.collection('asked').put('a', { n: 'mine' })
  expect(await edit.synced).toMatchObject({ status: 'conflict', conflict: { policy: 'manual' } })
  return { one, other, trouble: await troubleOf(other) }
}

async function troubleOf({ db }: Device): Promise<Trouble> {
  await until(() => db.troubles.getSnapshot().length > 0)
  const [trouble] = db.troubles.getSnapshot()
  if (!trouble) throw new Error('there is no trouble')
  return trouble
}

const settled = async (devices: readonly Device[]) => {
  for (const { db } of [...devices, ...devices]) await db.sync()
}

describe('an open conflict', () => {
  test('shows both sides and what they were made on, and the row shows what is current', async () => {
    const { other, trouble } = await openConflict('shown')
    expect(trouble).toMatchObject({
      ...{ status: 'conflict', key: 'asked/a' },
      ...{ mine: { n: 'mine' }, theirs: { n: 'theirs' }, base: { n: 'base' } },
    })
    const row = await other.db.collection('asked').get('a')
    expect(row).toMatchObject({ n: 'theirs', $status: 'conflict' })
  })

  test.each([
    ['mine', { n: 'mine' }],
    ['theirs', { n: 'theirs' }],
    [{ value: { n: 'both' } }, { n: 'both' }],
  ] as const)('is decided for %j', async (choice, value) => {
    const { one, other, trouble } = await openConflict(`decided-${JSON.stringify(choice).length}`)
    const decision = trouble.resolve(choice)
    await decision
    expect(await rowsOf(other.db, 'asked')).toEqual({ a: value })
    await decision.synced
    await settled([one, other])
    for (const { db } of [one, other]) expect(await rowsOf(db, 'asked')).toEqual({ a: value })
    expect(other.db.troubles.getSnapshot()).toEqual([])
    expect((await other.db.collection('asked').get('a'))?.$status).toBe('synced')
  })

  test('is decided offline, and later edits are made on the decision', async () => {
    const { one, other, trouble } = await openConflict('offline')
    other.network.instead = cutOff
    await trouble.resolve('mine')
    await other.db.collection<{ n: string }>('asked').update('a', ({ n }) => ({ n: `${n}!` }))
    expect(await rowsOf(other.db, 'asked')).toEqual({ a: { n: 'mine!' } })
    other.network.instead = () => undefined
    await settled([other, one])
    expect(await rowsOf(one.db, 'asked')).toEqual({ a: { n: 'mine!' } })
    expect(other.db.troubles.getSnapshot()).toEqual([])
  })
})

describe('an open conflict that changes', () => {
  test('is asked about again if the entry has changed since', async () => {
    const { one, other, trouble } = await openConflict('stale')
    await one.db.collection('asked').put('a', { n: 'newer' }).synced
    expect(await trouble.resolve('mine').synced).toMatchObject({ status: 'conflict' })
    await other.db.sync()
    await until(async () => JSON.stringify((await troubleOf(other)).theirs) === '{"n":"newer"}')
    const again = await troubleOf(other)
    expect(again).toMatchObject({ status: 'conflict', mine: { n: 'mine' } })
    await again.resolve('mine').synced
    await settled([one, other])
    expect(await rowsOf(one.db, 'asked')).toEqual({ a: { n: 'mine' } })
  })

  test('still has both sides after a decision for the other one that came too late', async () => {
    const { one, other, trouble } = await openConflict('late')
    await one.db.collection('asked').put('a', { n: 'newer' }).synced
    expect(await trouble.resolve('theirs').synced).toMatchObject({ status: 'conflict' })
    await until(async () => JSON.stringify((await troubleOf(other)).theirs) === '{"n":"newer"}')
    expect(await troubleOf(other)).toMatchObject({ status: 'conflict', mine: { n: 'mine' } })
  })

  test('that another device has decided otherwise is shown as lost', async () => {
    const { one, other, trouble } = await openConflict('twice')
    const { id, winner } = trouble.conflict as { id: number; winner: { version: string } }
    const body = { choice: 'value', value: { n: 'elsewhere' }, base: winner.version }
    const { bearer } = one.network
    await operate(cloud, `/api/conflicts/${id}/resolve`, { method: 'POST', bearer, body })
    await other.db.sync()
    expect(await trouble.resolve('mine').synced).toMatchObject({ status: 'superseded' })
    await settled([one, other])
    const lost = { status: 'superseded', mine: { n: 'mine' }, theirs: { n: 'elsewhere' } }
    expect(await troubleOf(other)).toMatchObject(lost)
    for (const { db } of [one, other]) expect(await rowsOf(db, 'asked')).toEqual({ a: { n: 'elsewhere' } })
  })

  test('takes effect once, in whichever way it is ended', async () => {
    const { one, other, trouble } = await openConflict('once')
    const results = await Promise.allSettled([
      trouble.resolve({ value: { n: 'first' } }).synced,
      trouble.resolve({ value: { n: 'second' } }).synced,
      trouble.retry({ n: 'third' }).synced,
    ])
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
    await settled([one, other])
    expect(await rowsOf(one.db, 'asked')).toEqual({ a: { n: 'first' } })
    const { versions } = await one.db.history('asked/a')
    expect(versions.map(({ value }) => value)).not.toContainEqual({ n: 'second' })
    expect(other.db.troubles.getSnapshot()).toEqual([])
  })

  test('does not hold up later edits if a decision is refused for its value', async () => {
    const { other, trouble } = await openConflict('too-large')
    const decision = trouble.resolve({ value: { n: 'x'.repeat(300 * 1024) } })
    await expect(decision.synced).rejects.toThrow()
    expect(await other.db.collection('asked').put('b', {}).synced).toMatchObject({ status: 'applied' })
    expect(await troubleOf(other)).toMatchObject({ status: 'rejected', key: 'asked/a' })
    expect((await other.db.unsynced()).map(({ key }) => key)).toEqual(['asked/a'])
  })
})

test('an edit that lost is kept, and stays listed when the store is opened again', async () => {
  const store = new MemoryStore()
  const one = await deviceOf(cloud, 'lost')
  const other = await deviceOf(cloud, 'lost', { store })
  await one.db.collection('first').put('a', { n: 'base' }).synced
  await other.db.sync()
  await one.db.collection('first').put('a', { n: 'theirs' }).synced
  const edit = other.db.collection('first').put('a', { n: 'mine' })
  expect(await edit.synced).toMatchObject({
    status: 'superseded',
    conflict: { loser: { value: { n: 'mine' } } },
  })
  await other.db.sync()
  expect(await other.db.collection('first').get('a')).toMatchObject({ n: 'theirs', $status: 'superseded' })
  expect(await other.db.unsynced()).toEqual([])
  await other.db.close({ discard: true })
  const again = await deviceOf(cloud, 'lost', { store })
  const trouble = await troubleOf(again)
  expect(trouble).toMatchObject({ status: 'superseded', mine: { n: 'mine' }, theirs: { n: 'theirs' } })
  expect(await trouble.retry().synced).toMatchObject({ status: 'applied' })
  await one.db.sync()
  expect(await rowsOf(one.db, 'first')).toEqual({ a: { n: 'mine' } })
})

test('edits of different fields are merged, and further edits are made on the result', async () => {
  const [one, other] = await rivals('fields', 'merged', { title: '0', text: '0' })
  await one.db.collection('merged').put('a', { title: 'one', text: '0' }).synced
  const edit = other.db.collection('merged').put('a', { title: '0', text: 'other' })
  expect(await edit.synced).toMatchObject({ status: 'merged' })
  expect(await rowsOf(other.db, 'merged')).toEqual({ a: { title: 'one', text: 'other' } })
  await other.db.collection<{ text: string }>('merged').update('a', (row) => ({ ...row, text: 'again' }))
    .synced
  await settled([one, other])
  for (const { db } of [one, other])
    expect(await rowsOf(db, 'merged')).toEqual({ a: { title: 'one', text: 'again' } })
  expect(other.db.troubles.getSnapshot()).toEqual([])
})

test('the version that a form was opened on finds an edit that was synced meanwhile', async () => {
  const [one, other] = await rivals('form', 'asked', { n: 'base' })
  const shown = await other.db.collection('asked').get('a')
  await one.db.collection('asked').put('a', { n: 'theirs' }).synced
  await other.db.sync()
  const blind = other.db.collection('asked').put('a', { n: 'mine' }, { base: shown?.$version ?? null })
  expect(await blind.synced).toMatchObject({ status: 'conflict' })
  const next = await other.db.collection('asked').get('a')
  const seen = other.db.collection('asked').put('a', { n: 'mine' }, { base: next?.$version ?? null })
  expect(await seen.synced).toMatchObject({ status: 'applied' })
})

test('an entry that both created, and one that both deleted, converge', async () => {
  const [one, other] = [await deviceOf(cloud, 'created'), await deviceOf(cloud, 'created')]
  await settled([one, other])
  await Promise.all([one, other].map(({ db }, n) => db.collection('notes').put('a', { n }).synced))
  await settled([one, other])
  expect(await rowsOf(one.db)).toEqual(await rowsOf(other.db))
  await Promise.all([one, other].map(({ db }) => db.collection('notes').delete('a').synced))
  await settled([one, other])
  for (const { db } of [one, other]) expect(await rowsOf(db)).toEqual({})
})

describe('the history of an entry', () => {
  test('is read page by page, and brings an old version back', async () => {
    const { db } = await deviceOf(cloud, 'history')
    for (let n = 0; n < 5; n += 1) await db.collection('notes').put('a', { n }).synced
    await db.collection('notes').delete('a').synced
    const history = await db.history('notes/a')
    expect(history.versions.map(({ value }) => value)).toEqual([
      undefined,
      ...[4, 3, 2, 1, 0].map((n) => ({ n })),
    ])
    expect(history.older).toBeUndefined()
    const old = history.versions.at(-1)
    if (!old) throw new Error('there is no version')
    await history.restore(old).synced
    expect(await rowsOf(db)).toEqual({ a: { n: 0 } })
    const [deletion] = (await db.history('notes/a')).versions.filter(({ value }) => value === undefined)
    if (!deletion) throw new Error('there is no deletion')
    await history.restore(deletion).synced
    expect(await rowsOf(db)).toEqual({})
  })

  test('rejects for a key that never existed', async () => {
    const { db } = await deviceOf(cloud, 'no-history')
    await expect(db.history('notes/never')).rejects.toMatchObject({ code: 'not-found' })
  })
})
