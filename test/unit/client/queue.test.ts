import { expect, test } from 'vitest'
import { type Draft, queueEdits } from '../../../client/src/replica/queue.ts'
import type { Found, Outcome } from '../../../client/src/store/store.ts'
import { codeOf } from '../../../client/src/values/errors.ts'
import { edit, entry, found } from '../../support/client/rows.ts'

function draft(key: string, value: Draft['value'], more: Partial<Draft> = {}): Draft {
  return { key, ...(value !== undefined && { value }), timestamp: 5, ...more }
}

test('bases an edit on the version of the copy, and a new row on none', () => {
  const rows = found({ entries: [entry('a/1', 'old', { version: 'e.4' })] })
  const { edits } = queueEdits(rows, [draft('a/1', 'new'), draft('a/2', 'first')])
  expect(edits).toEqual([
    { id: 1, key: 'a/1', value: 'new', timestamp: 5, base: { version: 'e.4' }, before: 'old' },
    { id: 2, key: 'a/2', value: 'first', timestamp: 5, base: { version: null } },
  ])
})

test('gives edits of a row that wait one base, and remembers what each was made on', () => {
  const rows = found({ entries: [entry('a/1', 'v4', { version: 'e.4' })], state: { nextEdit: 7 } })
  const first = queueEdits(rows, [draft('a/1', 'one'), draft('a/1', undefined), draft('a/1', 'three')])
  expect(first.edits.map(({ id, base, before }) => [id, base, before])).toEqual([
    [7, { version: 'e.4' }, 'v4'],
    [8, { version: 'e.4' }, 'one'],
    [9, { version: 'e.4' }, undefined],
  ])
  expect(first.state?.nextEdit).toBe(10)
  const later = found({ entries: [entry('a/1', 'v9', { version: 'e.9' })], edits: first.edits })
  expect(queueEdits(later, [draft('a/1', 'four')]).edits[0]).toMatchObject({
    ...{ base: { version: 'e.4' }, before: 'three' },
  })
})

test('takes the base that the user names, even before waiting edits', () => {
  const rows = found({ entries: [entry('a/1', 'x', { version: 'e.9' })], edits: [edit(1, 'a/1')] })
  const bases = queueEdits(rows, [draft('a/1', 'y', { base: 'e.2' }), draft('a/1', 'z', { base: null })])
  expect(bases.edits.map(({ base }) => base)).toEqual([{ version: 'e.2' }, { version: null }])
})

test('names the value in place of a version of another space while that space is compared', () => {
  const entries = [
    entry('a/old', 'kept', { version: 'e.4' }),
    entry('a/new', 'n', { version: 'f.1', reading: 2 }),
  ]
  for (const restart of ['offer', 'ask'] as const) {
    const rows = found({ entries, state: { restart, reading: 2 } })
    const { edits } = queueEdits(rows, [draft('a/old', 1), draft('a/new', 2), draft('a/none', 3)])
    expect(edits.map(({ base }) => base)).toEqual([{ value: 'kept' }, { version: 'f.1' }, { version: null }])
  }
  const dropped = found({ entries, state: { restart: 'drop', reading: 2 } })
  expect(queueEdits(dropped, [draft('a/old', 1)]).edits[0]?.base).toEqual({ version: 'e.4' })
})

test('names the value too if the user names the version of another space', () => {
  const entries = [entry('a/old', 'kept', { version: 'e.4' })]
  const rows = found({ entries, state: { restart: 'offer', reading: 2 } })
  const { edits } = queueEdits(rows, [draft('a/old', 1, { base: 'e.4' }), draft('a/old', 1, { base: 'e.3' })])
  expect(edits.map(({ base }) => base)).toEqual([{ value: 'kept' }, { version: 'e.3' }])
})

function outcome(id: number, key: string, status: Outcome['status']): Outcome {
  return { id, key, status, edit: edit(id, key) }
}

test('ends the trouble that an edit answers, and losses that a newer edit has seen', () => {
  const outcomes = [
    outcome(1, 'a/1', 'rejected'),
    outcome(2, 'a/1', 'superseded'),
    outcome(3, 'a/1', 'conflict'),
    outcome(4, 'a/2', 'superseded'),
  ]
  const { dismissed } = queueEdits(found({ outcomes }), [draft('a/1', 'x', { ends: 1 })])
  expect(dismissed).toEqual([1, 2])
})

test('refuses to end a trouble twice, also in one transaction', () => {
  const rows = found({ outcomes: [outcome(1, 'a/1', 'rejected')] })
  const codes = [
    [draft('a/1', 'x', { ends: 9 })],
    [draft('a/1', 'x', { ends: 1 }), draft('a/1', 'x', { ends: 1 })],
  ].map((drafts) => {
    try {
      queueEdits(rows, drafts)
      return 'queued'
    } catch (thrown) {
      return codeOf(thrown)
    }
  })
  expect(codes).toEqual(['trouble-ended', 'trouble-ended'])
})

test('queues nothing in a store that the browser has cleared', () => {
  const empty: Found = { state: undefined, entries: new Map(), edits: [], outcomes: [] }
  expect(() => queueEdits(empty, [draft('a/1', 1)])).toThrow('removed')
})
