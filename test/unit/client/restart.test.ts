import { describe, expect, test } from 'vitest'
import { answeredChoice, changedMind } from '../../../client/src/replica/resolve.ts'
import { compareWithCopy, endRestart, wantedFor } from '../../../client/src/replica/restart.ts'
import type { QueuedEdit, ReplicaState, StoredEntry } from '../../../client/src/store/store.ts'
import type { Conflict, FeedEntry } from '../../../client/src/values/wire.ts'
import { contentOf, handDevice } from '../../support/client/hand-device.ts'
import { isPush, problem } from '../../support/client/plain-service.ts'
import { edit, entry, found, row, STATE } from '../../support/client/rows.ts'

const OLD = { reading: 1, version: 'e.4', timestamp: 100 }

/** A store whose second reading of the feed is under way. */
function rereading(
  restart: ReplicaState['restart'],
  entries: readonly StoredEntry[],
  edits: readonly QueuedEdit[] = [],
) {
  return found({ state: { restart, reading: 2, nextEdit: 40 }, entries, edits })
}

describe('while the feed is compared with the copy', () => {
  const compared = (rows: FeedEntry[], restart: 'offer' | 'ask' = 'offer', edits: QueuedEdit[] = []) => {
    const given = rereading(restart, [entry('a/1', 'mine', OLD)], edits)
    return compareWithCopy(given, rows, given.state)
  }

  test('offers an entry that is later than that of the space, under the time of the entry', () => {
    const offer = { id: 40, key: 'a/1', value: 'mine', timestamp: 100, repeats: true }
    const none: never[] = []
    expect(compared([row('a/1', { timestamp: 99, value: 'theirs' })])).toEqual({
      ...{ offers: [{ ...offer, base: { version: 'f.1' } }], orphans: none },
    })
    expect(compared([row('a/1', { timestamp: 99 })]).offers[0]?.base).toEqual({ version: 'f.1' })
  })

  test('offers one of equal time beside another value, so that the loser is kept', () => {
    expect(compared([row('a/1', { timestamp: 100, value: 'theirs' })]).offers[0]?.base).toEqual({
      blind: true,
    })
    expect(compared([row('a/1', { timestamp: 100, value: 'mine' })]).offers).toEqual([])
  })

  test('offers nothing that is older, new to this device, or edited', () => {
    expect(compared([row('a/1', { timestamp: 101, value: 'theirs' })]).offers).toEqual([])
    expect(compared([row('a/2', { timestamp: 1, value: 'theirs' })]).offers).toEqual([])
    expect(
      compared([row('a/1', { timestamp: 99, value: 'theirs' })], 'offer', [edit(1, 'a/1')]).offers,
    ).toEqual([])
  })

  test('lists what it would offer if the user has to be asked', () => {
    const { offers, orphans } = compared([row('a/1', { timestamp: 99, value: 'theirs' })], 'ask')
    expect(offers).toEqual([])
    expect(orphans).toMatchObject([{ id: 40, key: 'a/1', status: 'orphaned', edit: { value: 'mine' } }])
  })
})

describe('at the end of the feed', () => {
  const entries = [entry('a/1', 'old', OLD), entry('a/2', 'read', { reading: 2 }), entry('a/3', 'old', OLD)]

  test('drops entries that were not read again', () => {
    const writes = endRestart(rereading('drop', entries), 1)
    expect(writes).toMatchObject({ state: { restart: null, nextEdit: 40 }, gone: ['a/1', 'a/3'] })
    expect(writes.edits).toBeUndefined()
  })

  test('offers them to a space that was set back, except those with a waiting edit', () => {
    const writes = endRestart(rereading('offer', entries, [edit(1, 'a/3')]), 1)
    expect(writes.gone).toEqual(['a/1', 'a/3'])
    expect(writes.edits).toEqual([
      { id: 40, key: 'a/1', value: 'old', timestamp: 100, base: { version: null }, repeats: true },
    ])
    expect(writes.state?.nextEdit).toBe(41)
  })

  test('lists them after an erasure', () => {
    const writes = endRestart(rereading('ask', entries), 1)
    expect(writes.edits).toEqual([])
    expect(writes.outcomes?.map(({ id, key, status }) => [id, key, status])).toEqual([
      [40, 'a/1', 'orphaned'],
      [41, 'a/3', 'orphaned'],
    ])
  })
})

test('reads everything when a comparison begins, and then only what a page is about', () => {
  const page = { changes: [row('a/1', { timestamp: 1 }), row('a/2', { timestamp: 1 })] }
  const state = { ...STATE, restart: 'offer' } as const
  expect(wantedFor(STATE, { ...page, reset: true, resetReason: 'head' }, ['b/1'])).toEqual({ prefix: '' })
  expect(wantedFor(state, page, ['b/1', 'a/1'])).toEqual({ keys: ['b/1', 'a/1', 'a/2'] })
  expect(wantedFor(STATE, { ...page, reset: true, resetReason: 'floor' }, ['b/1'])).toEqual({ keys: ['b/1'] })
})

describe('the decision of a conflict', () => {
  const conflict = { id: 3, key: 'a/1' } as Conflict
  const decision = edit(6, 'a/1', { value: 'chosen', resolves: { conflict, choice: 'value' } })
  const given = found({ entries: [entry('a/1', 'theirs')], edits: [decision] })

  test('changes the copy when the service has taken it', () => {
    const writes = answeredChoice(given, { term: 1, edit: decision, version: 'e.9' })
    expect(writes).toMatchObject({
      answered: [6],
      entries: [{ key: 'a/1', value: 'chosen', version: 'e.9' }],
    })
    const { value: _, ...deletion } = decision
    expect(answeredChoice(given, { term: 1, edit: deletion, version: 'e.9' })).toMatchObject({
      gone: ['a/1'],
    })
  })

  test('leaves the copy alone if the same decision was made before, because the copy may be newer', () => {
    const repeated = { term: 1, edit: decision, version: 'e.2', replayed: true }
    expect(answeredChoice(given, repeated)).toEqual({ answered: [6] })
  })

  test.each([
    ['stale-base', 'conflict'],
    ['already-resolved', 'superseded'],
    ['not-found', 'superseded'],
    ['invalid-request', 'rejected'],
    ['body-too-large', 'rejected'],
  ])('that is refused as %s is shown again as %s', (code, status) => {
    const writes = changedMind(given, { term: 1, edit: decision, code })
    expect(writes).toMatchObject({ answered: [6], outcomes: [{ id: 6, key: 'a/1', status, conflict }] })
  })
})

test('gives a space that was set back what it lost, under the times of the space', async () => {
  const { db, service, hand } = await handDevice()
  service.write('notes/old', { n: 0 })
  service.write('notes/lost', { n: 1 })
  service.write('notes/lost-2', { n: 2 })
  await db.sync()
  service.setBack(1)
  hand.now += 60_000
  await db.sync()
  expect(service.values()).toEqual({
    'notes/old': { n: 0 },
    'notes/lost': { n: 1 },
    'notes/lost-2': { n: 2 },
  })
  const [push] = service.requests.filter(isPush)
  expect(push?.body).not.toHaveProperty('clientTime')
  const times = ((push?.body['changes'] ?? []) as { timestamp: number; base: null }[]).map(
    ({ timestamp, base }) => [hand.now - timestamp, base],
  )
  expect(times).toEqual([
    [60_000, null],
    [60_000, null],
  ])
  expect(await contentOf(db)).toEqual({ old: { n: 0 }, lost: { n: 1 }, 'lost-2': { n: 2 } })
  expect(db.troubles.getSnapshot()).toEqual([])
})

test('sends an edit on its version, which may be lost, before it knows that the space was set back', async () => {
  const { db, service, hand } = await handDevice()
  service.write('notes/a', { n: 0 })
  service.write('notes/a', { n: 1 })
  service.write('notes/b', { n: 1 })
  await db.sync()
  service.answer = () => Promise.reject(new TypeError('fetch failed'))
  await db.collection('notes').put('a', { n: 2 })
  service.setBack(0)
  service.answer = () => undefined
  await hand.pass(61_000)
  const changes = service.requests.filter(isPush).flatMap(({ body }) => body['changes'] as object[])
  expect(changes.some((change) => 'base' in change && change.base === 'one.2')).toBe(true)
  expect(service.values()).toEqual({ 'notes/a': { n: 2 }, 'notes/b': { n: 1 } })
})

test('sends an edit of a lost version on the value that it was made on', async () => {
  const { db, service, hand } = await handDevice()
  service.write('notes/a', { n: 0 })
  service.write('notes/a', { n: 1 })
  await db.sync()
  service.answer = (request) => (isPush(request) ? problem(403, 'forbidden-scope') : undefined)
  await db.collection('notes').put('a', { n: 2 })
  await db.sync().catch(() => {})
  service.setBack(0)
  await hand.pass(61_000)
  service.answer = () => undefined
  const refused = service.requests.length
  await hand.pass(61_000)
  const [push] = service.requests.slice(refused).filter(isPush)
  expect(push?.body['changes']).toMatchObject([{ key: 'notes/a', value: { n: 2 }, baseValue: { n: 1 } }])
  expect(service.values()).toEqual({ 'notes/a': { n: 2 } })
})
