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
import type { Found, ReplicaState } from '../../../client/src/store/store.ts'
import { codeOf } from '../../../client/src/values/errors.ts'
import type { AuthReply, Problem } from '../../../client/src/values/wire.ts'
import { edit, found, STATE } from '../../support/client/rows.ts'

const EDITS = [1, 2, 3, 4, 5].map((id) =>
  edit(id, `a/${id}`, { base: { version: `e.${id}` }, before: `old ${id}` }),
)

function queued(state: Partial<ReplicaState>): Found {
  return found({ state, edits: EDITS })
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
    const writes = renumbered(queued({ batch: 7, outgoing: { number: 8, edits: [1] } }), 1, {
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
      ...queued({ batch: 7 }),
      outcomes: [open],
      edits: [{ ...edit, resolves: { conflict, choice: 'loser' } }],
    }
    const writes = renumbered(read as never, 1, refusal(409, 'batch-gap', { expected: 1, reset: true }))
    expect(writes.edits?.[0]).not.toHaveProperty('resolves')
    expect(writes.outcomes).toEqual([{ id: 3, key: 'a/1', status: 'orphaned', edit }])
  })

  test('begins at 1 in a new space, where bases are values', () => {
    const writes = renumbered(queued({ batch: 7 }), 1, {
      ...refusal(409, 'batch-gap', { expected: 1, reset: true }),
    })
    expect(writes.state?.batch).toBe(0)
    expect(writes.edits?.[0]?.base).toEqual({ value: 'old 1' })
  })
})

test('drops a batch whose results are forgotten, and continues with the expected number', () => {
  const outgoing = { number: 8, edits: [1, 2] }
  const writes = dropped(queued({ batch: 7, outgoing }), 1, refusal(409, 'batch-forgotten', { expected: 9 }))
  expect(writes).toMatchObject({ state: { batch: 8, outgoing: null }, answered: [1, 2] })
  expect(dropped(queued({ batch: 7, outgoing }), 1, refusal(409, 'batch-forgotten')).state?.batch).toBe(8)
})

test('becomes another client that sends the whole queue from number 1', () => {
  const writes = renamed(queued({ batch: 7, outgoing: { number: 8, edits: [1] } }), 1, 'copy')
  expect(writes).toEqual({ state: { ...STATE, clientId: 'copy', batch: 0, outgoing: null } })
})

test('halves a refused batch under the same number down to one edit, which is set aside', () => {
  let state: Partial<ReplicaState> = { batch: 7, outgoing: { number: 8, edits: [1, 2, 3, 4, 5] } }
  const sizes: (number | undefined)[] = []
  for (let round = 0; round < 2; round += 1) {
    state = split(queued(state), 1, refusal(413, 'body-too-large')).state
    sizes.push(state.outgoing?.edits.length)
    expect(state.outgoing?.number).toBe(8)
  }
  expect(sizes).toEqual([2, 1])
  const writes = split(queued(state), 1, refusal(413, 'body-too-large'))
  expect(writes.state).toMatchObject({ batch: 7, outgoing: null })
  expect(writes.answered).toEqual([1])
  expect(writes.outcomes).toEqual([
    { id: 1, key: 'a/1', status: 'rejected', edit: EDITS[0], code: 'body-too-large' },
  ])
})

test('gives up the number of a batch in a full space', () => {
  const writes = released(queued({ batch: 7, outgoing: { number: 8, edits: [1] } }), 1)
  expect(writes).toEqual({ state: { ...STATE, batch: 7, outgoing: null } })
})

describe('a session', () => {
  const reply = (more: Partial<AuthReply>) =>
    ({ space: 'home', subject: 'ann', epoch: 'e', lastBatch: 0, ...more }) as AuthReply
  const known = { space: 'home', subject: 'ann', epoch: 'e', batch: 3, outgoing: { number: 4, edits: [1] } }

  test('binds an empty store to its space and user', () => {
    const { state, edits } = admitted(queued({ batch: 2 }), 1, reply({ lastBatch: 9 }))
    expect(state).toMatchObject({ space: 'home', subject: 'ann', epoch: 'e', batch: 2 })
    expect(edits).toBeUndefined()
  })

  test('changes nothing for the same user', () => {
    expect(admitted(queued(known), 1, reply({ lastBatch: 3 })).state).toEqual({ ...STATE, ...known })
    // The last batch was stored, and its reply was lost.
    expect(admitted(queued(known), 1, reply({ lastBatch: 4 })).state).toEqual({ ...STATE, ...known })
  })

  test('starts over in a space that has forgotten a batch, as in a new epoch', () => {
    const writes = admitted(queued(known), 1, reply({ lastBatch: 2 }))
    expect(writes.state).toMatchObject({ batch: 2, outgoing: null })
    expect(writes.edits?.[0]?.base).toEqual({ value: 'old 1' })
  })

  test.each([
    ['another user of the space', { subject: 'ben' }],
    ['another space of the user', { space: 'work' }],
  ])('is refused if it is of %s', (_, other) => {
    try {
      admitted(queued(known), 1, reply(other))
      expect.unreachable()
    } catch (thrown) {
      expect(codeOf(thrown)).toBe('other-user')
    }
  })

  test('is accepted from a release that names neither subject nor epoch, and forgets neither', () => {
    const { subject: _, epoch: __, lastBatch: ___, ...old } = reply({})
    const nothing = admitted(queued({}), 1, old as AuthReply)
    expect(nothing.state).toMatchObject({ space: 'home', subject: null, epoch: null })
    expect(admitted(queued(known), 1, old as AuthReply).state).toEqual({ ...STATE, ...known })
  })

  test('starts numbers over in a new epoch, and bases waiting edits on values', () => {
    const writes = admitted(queued(known), 1, reply({ epoch: 'f', lastBatch: 2 }))
    expect(writes.state).toMatchObject({ epoch: 'f', batch: 2, outgoing: null })
    expect(writes.edits?.map(({ base }) => base)).toEqual(EDITS.map(({ before }) => ({ value: before })))
  })
})
