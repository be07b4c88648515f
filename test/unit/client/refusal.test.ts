import { describe, expect, test } from 'vitest'
import {
  admitted,
  dropped,
  released,
  remedyOf,
  renamed,
  renumbered,
  split,
} from '../../../client/src/replica/refusal.ts'
import type { Found, QueuedEdit, ReplicaState } from '../../../client/src/store/store.ts'
import { codeOf } from '../../../client/src/values/errors.ts'
import type { AuthReply, Problem } from '../../../client/src/values/wire.ts'
import { settle } from '../../support/client/hand.ts'
import { contentOf, handDevice, stateOf } from '../../support/client/hand-device.ts'
import { type Arrived, problem } from '../../support/client/plain-service.ts'
import { edit, STATE } from '../../support/client/store-contract.ts'

const EDITS = [1, 2, 3, 4, 5].map((id) =>
  edit(id, `a/${id}`, { base: { version: `e.${id}` }, before: `old ${id}` }),
)

function found(state: Partial<ReplicaState>, edits: readonly QueuedEdit[] = EDITS): Found {
  return { state: { ...STATE, ...state }, entries: new Map(), edits, outcomes: [] }
}

function refusal(status: number, code: string, more: Partial<Problem> = {}): Problem {
  return { status, code, detail: '', ...more }
}

test.each([
  [409, 'batch-gap', 'renumber'],
  [409, 'batch-forgotten', 'drop'],
  [409, 'batch-too-old', 'rename'],
  [409, 'batch-mismatch', 'rename'],
  [413, 'body-too-large', 'split'],
  [413, 'too-many-changes', 'split'],
  [413, 'http-413', 'split'],
  [422, 'invalid-request', 'split'],
  [400, 'not-json', 'split'],
  [507, 'quota-exceeded', 'free'],
  [401, 'session-expired', 'sign-in'],
  [401, 'unheard-of', 'sign-in'],
  [403, 'forbidden-scope', 'stop'],
  [403, 'http-403', 'stop'],
  [404, 'http-404', 'retry'],
  [415, 'unsupported-media-type', 'split'],
  [400, 'unheard-of', 'split'],
  [418, 'http-418', 'retry'],
  [408, 'body-timeout', 'retry'],
  [429, 'rate-limited', 'retry'],
  [500, 'internal', 'retry'],
  [502, 'http-502', 'retry'],
  [503, 'busy', 'retry'],
])('answers %i %s with: %s', (status, code, remedy) => {
  expect(remedyOf(refusal(status, code))).toBe(remedy)
})

describe('a batch that left a gap', () => {
  test('gets the expected number, and keeps its edits', () => {
    const writes = renumbered(found({ batch: 7, outgoing: { number: 8, edits: [1] } }), 1, {
      ...refusal(409, 'batch-gap', { expected: 5 }),
    })
    expect(writes).toMatchObject({ state: { batch: 4, outgoing: null } })
    expect(writes.edits).toBeUndefined()
  })

  test('leaves no decision of a conflict that a new space does not have', () => {
    const conflict = { id: 7, key: 'a/1', policy: 'manual', resolution: 'open', paths: [] }
    const edit = { id: 9, key: 'a/1', value: 'mine', timestamp: 1, base: { version: 'e.1' } }
    const open = { id: 3, key: 'a/1', status: 'conflict', edit, conflict }
    const read = {
      ...found({ batch: 7 }),
      outcomes: [open],
      edits: [{ ...edit, resolves: { conflict, choice: 'loser' } }],
    }
    const writes = renumbered(read as never, 1, refusal(409, 'batch-gap', { expected: 1, reset: true }))
    expect(writes.edits?.[0]).not.toHaveProperty('resolves')
    expect(writes.outcomes).toEqual([{ id: 3, key: 'a/1', status: 'orphaned', edit }])
  })

  test('begins at 1 in a new space, where bases are values', () => {
    const writes = renumbered(found({ batch: 7 }), 1, {
      ...refusal(409, 'batch-gap', { expected: 1, reset: true }),
    })
    expect(writes.state?.batch).toBe(0)
    expect(writes.edits?.[0]?.base).toEqual({ value: 'old 1' })
  })
})

test('drops a batch whose results are forgotten, and continues with the expected number', () => {
  const outgoing = { number: 8, edits: [1, 2] }
  const writes = dropped(found({ batch: 7, outgoing }), 1, refusal(409, 'batch-forgotten', { expected: 9 }))
  expect(writes).toMatchObject({ state: { batch: 8, outgoing: null }, answered: [1, 2] })
  expect(dropped(found({ batch: 7, outgoing }), 1, refusal(409, 'batch-forgotten')).state?.batch).toBe(8)
})

test('becomes another client that sends the whole queue from number 1', () => {
  const writes = renamed(found({ batch: 7, outgoing: { number: 8, edits: [1] } }), 1, 'copy')
  expect(writes).toEqual({ state: { ...STATE, clientId: 'copy', batch: 0, outgoing: null } })
})

test('halves a refused batch under the same number down to one edit, which is set aside', () => {
  let state: Partial<ReplicaState> = { batch: 7, outgoing: { number: 8, edits: [1, 2, 3, 4, 5] } }
  const sizes: (number | undefined)[] = []
  for (let round = 0; round < 2; round += 1) {
    state = split(found(state), 1, refusal(413, 'body-too-large')).state
    sizes.push(state.outgoing?.edits.length)
    expect(state.outgoing?.number).toBe(8)
  }
  expect(sizes).toEqual([2, 1])
  const writes = split(found(state), 1, refusal(413, 'body-too-large'))
  expect(writes.state).toMatchObject({ batch: 7, outgoing: null })
  expect(writes.answered).toEqual([1])
  expect(writes.outcomes).toEqual([
    { id: 1, key: 'a/1', status: 'rejected', edit: EDITS[0], code: 'body-too-large' },
  ])
})

test('gives up the number of a batch in a full space', () => {
  const writes = released(found({ batch: 7, outgoing: { number: 8, edits: [1] } }), 1)
  expect(writes).toEqual({ state: { ...STATE, batch: 7, outgoing: null } })
})

describe('a session', () => {
  const reply = (more: Partial<AuthReply>) =>
    ({ space: 'home', subject: 'ann', epoch: 'e', lastBatch: 0, ...more }) as AuthReply
  const known = { space: 'home', subject: 'ann', epoch: 'e', batch: 3, outgoing: { number: 4, edits: [1] } }

  test('binds an empty store to its space and user', () => {
    const { state, edits } = admitted(found({ batch: 2 }), 1, reply({ lastBatch: 9 }))
    expect(state).toMatchObject({ space: 'home', subject: 'ann', epoch: 'e', batch: 2 })
    expect(edits).toBeUndefined()
  })

  test('changes nothing for the same user', () => {
    expect(admitted(found(known), 1, reply({ lastBatch: 3 })).state).toEqual({ ...STATE, ...known })
    // The last batch was stored, and its reply was lost.
    expect(admitted(found(known), 1, reply({ lastBatch: 4 })).state).toEqual({ ...STATE, ...known })
  })

  test('starts over in a space that has forgotten a batch, as in a new epoch', () => {
    const writes = admitted(found(known), 1, reply({ lastBatch: 2 }))
    expect(writes.state).toMatchObject({ batch: 2, outgoing: null })
    expect(writes.edits?.[0]?.base).toEqual({ value: 'old 1' })
  })

  test.each([
    ['another user of the space', { subject: 'ben' }],
    ['another space of the user', { space: 'work' }],
  ])('is refused if it is of %s', (_, other) => {
    try {
      admitted(found(known), 1, reply(other))
      expect.unreachable()
    } catch (thrown) {
      expect(codeOf(thrown)).toBe('other-user')
    }
  })

  test('is accepted from a release that names neither subject nor epoch, and forgets neither', () => {
    const { subject: _, epoch: __, lastBatch: ___, ...old } = reply({})
    const nothing = admitted(found({}), 1, old as AuthReply)
    expect(nothing.state).toMatchObject({ space: 'home', subject: null, epoch: null })
    expect(admitted(found(known), 1, old as AuthReply).state).toEqual({ ...STATE, ...known })
  })

  test('starts numbers over in a new epoch, and bases waiting edits on values', () => {
    const writes = admitted(found(known), 1, reply({ epoch: 'f', lastBatch: 2 }))
    expect(writes.state).toMatchObject({ epoch: 'f', batch: 2, outgoing: null })
    expect(writes.edits?.map(({ base }) => base)).toEqual(EDITS.map(({ before }) => ({ value: before })))
  })
})

const isPush = ({ path, body }: Arrived) => path === '/api/sync' && (body['changes'] as unknown[]).length > 0

describe('a refused batch', () => {
  test('is numbered as the service expects', async () => {
    const { db, service } = await handDevice()
    const edit = db.collection('notes').put('a', {})
    const batches: unknown[] = []
    service.answer = (request) => {
      if (!isPush(request)) return undefined
      batches.push(request.body['batch'])
      return batches.length === 1 ? problem(409, 'batch-gap', { expected: 4 }) : problem(503, 'busy')
    }
    await edit
    await settle()
    expect(batches).toEqual([1, 4])
  })

  test.each(['batch-too-old', 'batch-mismatch'])('is sent under another client id after %s', async (code) => {
    const { db, service, store } = await handDevice()
    const before = (await store.read({})).state?.clientId
    service.answer = (request) => {
      if (!isPush(request)) return undefined
      service.answer = () => undefined
      return problem(409, code, { expected: 9 })
    }
    const edit = db.collection('notes').put('a', { n: 1 })
    expect(await edit.synced).toMatchObject({ status: 'applied' })
    const { state } = await store.read({})
    expect(state?.clientId).not.toBe(before)
    expect(state).toMatchObject({ batch: 1, outgoing: null })
    const ids = service.requests
      .filter(({ path }) => path === '/api/auth')
      .map(({ body }) => body['clientId'])
    expect(ids).toEqual([before, state?.clientId])
  })

  test('is dropped if it took effect long ago, and what became of it is read', async () => {
    const { db, service } = await handDevice()
    service.answer = (request) => {
      if (!isPush(request)) return undefined
      service.answer = () => undefined
      service.write('notes/a', { n: 'stored' })
      return problem(409, 'batch-forgotten', { expected: 2 })
    }
    const edit = db.collection('notes').put('a', { n: 'sent' })
    expect(await edit.synced).toEqual({ status: 'answered' })
    await db.sync()
    expect(await contentOf(db)).toEqual({ a: { n: 'stored' } })
  })
})

describe('a batch that is refused as a whole', () => {
  test('is halved until the edit at fault is alone, which is set aside, and the rest goes through', async () => {
    const { db, service } = await handDevice()
    service.answer = ({ body }) => {
      const changes = (body['changes'] ?? []) as { key: string }[]
      return changes.some(({ key }) => key === 'notes/6') ? problem(413, 'body-too-large') : undefined
    }
    const edits = Array.from({ length: 10 }, (_, index) =>
      db.collection('notes').put(String(index), { index }),
    )
    const results = await Promise.allSettled(edits.map(({ synced }) => synced))
    expect(results.map(({ status }) => status).indexOf('rejected')).toBe(6)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(9)
    expect(Object.keys(service.values())).toHaveLength(9)
    await settle()
    const [trouble] = db.troubles.getSnapshot()
    expect(trouble).toMatchObject({
      key: 'notes/6',
      status: 'rejected',
      code: 'body-too-large',
      mine: { index: 6 },
    })
    expect(db.status.getSnapshot()).toMatchObject({ pending: 0, troubles: 1 })
    expect(await db.unsynced()).toMatchObject([{ key: 'notes/6', status: 'rejected', value: { index: 6 } }])
  })

  test('sets aside any number of edits at fault without a long wait', async () => {
    const { db, service, hand } = await handDevice()
    service.answer = (request) => (isPush(request) ? problem(422, 'invalid-request') : undefined)
    for (let index = 0; index < 40; index += 1) void db.collection('notes').put(String(index), {})
    await settle()
    await hand.pass(5_000)
    expect(db.status.getSnapshot()).toMatchObject({ pending: 0, troubles: 40 })
  })
})

describe('in a full space', () => {
  const full = (request: Arrived) => {
    const changes = (request.body['changes'] ?? []) as { deleted?: true }[]
    return changes.some(({ deleted }) => !deleted) ? problem(507, 'quota-exceeded') : undefined
  }

  test('sends deletions first, waits with the rest, and continues when there is room', async () => {
    const { db, service, hand } = await handDevice()
    const notes = db.collection('notes')
    service.write('notes/old', {})
    await db.sync()
    service.answer = full
    const put = notes.put('new', { n: 1 })
    const deletion = notes.delete('old')
    expect(await deletion.synced).toMatchObject({ status: 'applied' })
    expect(await stateOf(put.synced)).toBe('pending')
    expect(db.status.getSnapshot()).toMatchObject({
      pending: 1,
      obstacle: { code: 'quota-exceeded' },
      online: true,
    })
    await hand.pass(60_000)
    service.answer = () => undefined
    await hand.pass(61_000)
    expect(await put.synced).toMatchObject({ status: 'applied' })
    expect(db.status.getSnapshot()).toMatchObject({ pending: 0, obstacle: null })
  })

  test('still reads what others write, and does not ask more often for that', async () => {
    const { db, service, hand } = await handDevice()
    service.answer = full
    void db.collection('notes').put('new', { n: 1 })
    await hand.pass(10_000)
    service.write('notes/theirs', { n: 2 })
    const before = service.requests.length
    await hand.pass(600_000)
    expect(await contentOf(db)).toEqual({ new: { n: 1 }, theirs: { n: 2 } })
    expect(service.requests.length - before).toBeLessThan(45)
  })

  test('a decision of a conflict does not hold up deletions', async () => {
    const { db, service } = await handDevice()
    service.write('notes/old', {})
    service.decide = ({ key }) =>
      key === 'notes/asked'
        ? {
            result: { key, status: 'conflict', version: 'one.1', conflict: 1 },
            conflict: { id: 1, key, winner: { version: 'one.1', value: { n: 0 } } } as never,
          }
        : undefined
    await db.collection('notes').put('asked', { n: 1 }).synced
    service.answer = (request) =>
      request.path.endsWith('/resolve') ? problem(507, 'quota-exceeded') : full(request)
    await db.troubles.getSnapshot()[0]?.resolve('mine')
    expect(await db.collection('notes').delete('old').synced).toMatchObject({ status: 'applied' })
  })
})
