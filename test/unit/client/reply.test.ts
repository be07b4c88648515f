import { describe, expect, test } from 'vitest'
import { nextBatch } from '../../../client/src/replica/batch.ts'
import { type Exchange, takeReply } from '../../../client/src/replica/reply.ts'
import { settlementsOf } from '../../../client/src/replica/settlement.ts'
import type { Found, QueuedEdit } from '../../../client/src/store/store.ts'
import { codeOf } from '../../../client/src/values/errors.ts'
import type { Conflict, Result, SyncReply } from '../../../client/src/values/wire.ts'
import { edit, entry, found, row } from '../../support/client/rows.ts'

function exchange(
  sent: readonly QueuedEdit[],
  results: readonly object[],
  more: Partial<SyncReply> = {},
): Exchange {
  const reply = { conflicts: [], changes: [], cursor: 'e.20', replayed: false, ...more }
  return {
    ...{ term: 1, sent, collections: undefined, now: 77 },
    reply: { ...reply, results: results as Result[] },
  }
}

const sent = edit(1, 'a/1', { value: 'mine', base: { version: 'e.3' } })
const waiting = edit(2, 'a/1', { value: 'next', base: { version: 'e.3' } })

describe('after a reply, a later edit of the row', () => {
  const bases = (result: object) =>
    takeReply(found({ edits: [sent, waiting] }), exchange([sent], [result])).edits
  test.each([
    ['is based on the version of an edit that was applied', { status: 'applied', version: 'e.8' }, 'e.8'],
    ['is based on the version that a noop found', { status: 'noop', version: 'e.7' }, 'e.7'],
    ['is based on nothing if a noop deleted nothing', { status: 'noop' }, null],
    ['keeps its base after a merge', { status: 'merged', version: 'e.8', value: 'both' }, 'e.3'],
    ['keeps its base after a loss', { status: 'superseded', version: 'e.8' }, 'e.3'],
    ['keeps its base in an open conflict', { status: 'conflict', version: 'e.8' }, 'e.3'],
    ['keeps its base after a rejection', { status: 'rejected', code: 'too-deep' }, 'e.3'],
  ])('%s', (_, result, version) => {
    expect(bases({ key: 'a/1', ...result })?.map(({ id, base }) => [id, base])).toEqual([[2, { version }]])
  })

  test('is based on the last of several results, and an older one changes no newer base', () => {
    const second = edit(2, 'a/1', { base: { version: 'e.3' } })
    const third = edit(3, 'a/1', { base: { version: 'e.3' } })
    const results = [
      { key: 'a/1', status: 'applied', version: 'e.8' },
      { key: 'a/1', status: 'applied', version: 'e.9' },
    ]
    const { edits } = takeReply(found({ edits: [sent, second, third] }), exchange([sent, second], results))
    expect(edits?.map(({ id, base }) => [id, base])).toEqual([[3, { version: 'e.9' }]])
    const lost = [results[0] as object, { key: 'a/1', status: 'superseded', version: 'e.9' }]
    const kept = takeReply(found({ edits: [sent, second, third] }), exchange([sent, second], lost))
    expect(kept.edits?.[0]?.base).toEqual({ version: 'e.3' })
  })
})

describe('the copy', () => {
  const applied = { key: 'a/1', status: 'applied', version: 'e.8', effectiveTimestamp: 6 }

  test('takes what was applied, with the time that decided', () => {
    const { entries, gone } = takeReply(found({ edits: [sent] }), exchange([sent], [applied]))
    expect(entries).toEqual([{ key: 'a/1', value: 'mine', version: 'e.8', timestamp: 6, reading: 1 }])
    expect(gone).toEqual([])
  })

  test('takes the merged value, and leaves one that the reply left out to the page', () => {
    const merged = { key: 'a/1', status: 'merged', version: 'e.8' }
    const { entries } = takeReply(found({ edits: [sent] }), exchange([sent], [{ ...merged, value: 'both' }]))
    expect(entries?.map(({ value, version }) => [value, version])).toEqual([['both', 'e.8']])
    const omitted = takeReply(
      found({ edits: [sent] }),
      exchange([sent], [merged], { changes: [row('a/1', { version: 'e.8', value: 'both' })] }),
    )
    expect(omitted.entries?.map(({ value }) => value)).toEqual(['both'])
  })

  test('takes a deletion, and a value that the page brings after it', () => {
    const deletion = edit(1, 'a/1', { base: { version: 'e.3' } })
    const { value: _, ...gone } = deletion
    expect(takeReply(found({ edits: [gone] }), exchange([gone], [applied])).gone).toEqual(['a/1'])
    const page = { changes: [row('a/1', { version: 'e.9', value: 'theirs' })] }
    const after = takeReply(found({ edits: [gone] }), exchange([gone], [applied], page))
    expect([after.gone, after.entries?.map(({ value }) => value)]).toEqual([[], ['theirs']])
  })

  test('takes deletions of the page', () => {
    expect(takeReply(found(), exchange([], [], { changes: [row('a/1', { version: 'e.9' })] })).gone).toEqual([
      'a/1',
    ])
  })

  test.each(['noop', 'superseded', 'conflict', 'rejected'])(
    'is not changed by a result that is %s',
    (status) => {
      const result = { key: 'a/1', status, version: 'e.8', code: 'too-deep' }
      const { entries, gone } = takeReply(found({ edits: [sent] }), exchange([sent], [result]))
      expect([entries, gone]).toEqual([[], []])
    },
  )

  test('is not changed by the results of a replay, which are old', () => {
    const page = { replayed: true, changes: [row('a/1', { version: 'e.15', value: 'newer' })] }
    const { entries, answered } = takeReply(found({ edits: [sent] }), exchange([sent], [applied], page))
    expect(entries?.map(({ value, version }) => [value, version])).toEqual([['newer', 'e.15']])
    expect(answered).toEqual([1])
    const without = takeReply(found({ edits: [sent] }), exchange([sent], [applied], { replayed: true }))
    expect(without.entries).toEqual([])
  })

  test('is not changed by results of collections that the filter hides', () => {
    const hidden = edit(1, 'secret/1', { value: 'x' })
    const { entries, answered } = takeReply(found({ edits: [hidden] }), {
      ...exchange([hidden], [{ ...applied, key: 'secret/1' }]),
      collections: ['a'],
    })
    expect([entries, answered]).toEqual([[], [1]])
    const plain = edit(1, 'noslash', { value: 'x' })
    const reply = exchange([plain], [{ ...applied, key: 'noslash' }])
    expect(takeReply(found({ edits: [plain] }), { ...reply, collections: ['default'] }).entries).toHaveLength(
      1,
    )
  })
})

describe('a reset', () => {
  const old = entry('a/1', 'old', { version: 'e.3' })
  test.each([
    ['filter', 'drop'],
    ['floor', 'drop'],
    ['cursor', 'drop'],
    ['head', 'offer'],
    ['epoch', 'ask'],
  ] as const)('for the reason %s begins a reading that will %s what is only here', (resetReason, restart) => {
    const reset = { reset: true, resetReason, changes: [row('a/2', { version: 'f.1', value: 'new' })] }
    const { state, entries, gone, edits } = takeReply(
      found({ edits: [waiting], entries: [old] }),
      exchange([], [], reset),
    )
    expect(state).toMatchObject({ restart, reading: 2, cursor: 'e.20', lastSync: 77 })
    expect(entries?.map(({ key, reading }) => [key, reading])).toEqual([['a/2', 2]])
    expect(gone).toEqual([])
    const base = restart === 'drop' ? { version: 'e.3' } : { none: true }
    expect(edits?.map((one) => one.base)).toEqual([base])
  })

  test('without a reason is like one for an unknown cursor', () => {
    expect(takeReply(found(), exchange([], [], { reset: true })).state.restart).toBe('drop')
  })

  test('for a harmless reason does not end a comparison that was cut off', () => {
    const rows = found({ state: { restart: 'offer', reading: 4 } })
    const { state } = takeReply(rows, exchange([], [], { reset: true, resetReason: 'floor' }))
    expect(state).toMatchObject({ restart: 'offer', reading: 5 })
  })

  test('names the value that a waiting edit was made on', () => {
    const seen = edit(2, 'a/1', { base: { version: 'e.3' }, before: 'old' })
    const reply = exchange([], [], { reset: true, resetReason: 'epoch' })
    expect(takeReply(found({ edits: [seen], entries: [old] }), reply).edits?.map(({ base }) => base)).toEqual(
      [{ value: 'old' }],
    )
  })
})

test('keeps edits that were rejected, lost or are undecided, with what the service says of them', () => {
  const edits = [1, 2, 3, 4].map((id) => edit(id, `a/${id}`))
  const conflict = { id: 12, key: 'a/3' } as Conflict
  const results = [
    { key: 'a/1', status: 'rejected', code: 'too-deep', path: '/value/x' },
    { key: 'a/2', status: 'superseded', version: 'e.5' },
    { key: 'a/3', status: 'conflict', version: 'e.6', conflict: 12 },
    { key: 'a/4', status: 'applied', version: 'e.7', conflict: 13 },
  ]
  const received = takeReply(found({ edits }), exchange(edits, results, { conflicts: [conflict] }))
  expect(received.outcomes).toEqual([
    { id: 1, key: 'a/1', status: 'rejected', edit: edits[0], code: 'too-deep', path: '/value/x' },
    { id: 2, key: 'a/2', status: 'superseded', edit: edits[1] },
    { id: 3, key: 'a/3', status: 'conflict', edit: edits[2], conflict },
  ])
  expect(settlementsOf(received.answers, received)).toEqual([
    { id: 1, key: 'a/1', code: 'too-deep' },
    { id: 2, key: 'a/2', answer: { status: 'superseded', version: 'e.5' } },
    { id: 3, key: 'a/3', answer: { status: 'conflict', version: 'e.6', conflict } },
    { id: 4, key: 'a/4', answer: { status: 'applied', version: 'e.7' } },
  ])
})

test('takes nothing of a reply that lacks results', () => {
  expect(() => takeReply(found({ edits: [sent] }), exchange([sent], []))).toThrow('fewer results')
})

test('writes nothing in a term that is over', () => {
  try {
    takeReply(
      found({ edits: [sent], state: { term: 2 } }),
      exchange([sent], [{ status: 'applied', version: 'e.8' }]),
    )
    expect.unreachable()
  } catch (thrown) {
    expect(codeOf(thrown)).toBe('deposed')
  }
})

describe('the next batch', () => {
  const size = { changes: 3, bytes: 300 }
  const ids = (rows: Found, isFull = false) => {
    const { sent: some, state } = nextBatch(rows, { term: 1, size, isFull })
    return { ids: some.map(({ id }) => id), outgoing: state?.outgoing }
  }

  test('is the one that was not answered, however the queue has grown', () => {
    const edits = [1, 2, 3].map((id) => edit(id, `a/${id}`))
    const outgoing = { number: 4, edits: [1, 2] }
    expect(ids(found({ edits, state: { batch: 3, outgoing } }))).toEqual({ ids: [1, 2] })
  })

  test('has the next number, and at most so many changes and bytes', () => {
    const edits = [1, 2, 3, 4].map((id) => edit(id, `a/${id}`))
    expect(ids(found({ edits, state: { batch: 3 } }))).toEqual({
      ids: [1, 2, 3],
      outgoing: { number: 4, edits: [1, 2, 3] },
    })
    const large = [edit(1, 'a/1'), edit(2, 'a/2', { value: 'x'.repeat(300) }), edit(3, 'a/3')]
    expect(ids(found({ edits: large })).ids).toEqual([1])
    expect(ids(found({ edits: large.slice(1) })).ids).toEqual([2])
  })

  test('uses no number if nothing waits', () => {
    expect(ids(found())).toEqual({ ids: [] })
  })

  test('does not mix edits that repeat a time of the space with others', () => {
    const edits = [edit(1, 'a/1', { repeats: true }), edit(2, 'a/2', { repeats: true }), edit(3, 'a/3')]
    expect(ids(found({ edits })).ids).toEqual([1, 2])
    expect(ids(found({ edits: edits.slice(2) })).ids).toEqual([3])
  })

  test('ends before an edit that decides a conflict, which goes alone and without a number', () => {
    const conflict = { id: 1 } as Conflict
    const edits = [
      edit(1, 'a/1'),
      edit(2, 'a/2', { resolves: { conflict, choice: 'winner' } }),
      edit(3, 'a/3'),
    ]
    expect(ids(found({ edits })).ids).toEqual([1])
    expect(ids(found({ edits: edits.slice(1) }))).toEqual({ ids: [2] })
  })

  test('has only deletions in a full space, and none that an earlier edit of its row waits before', () => {
    const without = (id: number, key: string) => {
      const { value: _, ...gone } = edit(id, key)
      return gone
    }
    const edits = [edit(1, 'a/1'), without(2, 'a/1'), without(3, 'a/2'), without(4, 'a/2'), edit(5, 'a/3')]
    expect(ids(found({ edits }), true).ids).toEqual([3])
  })
})
