/** Runs of one client's writes to a key: what is on base, and what a client has of its own merges. */
import { expect, test } from 'vitest'
import type { Change } from '../../../worker/src/core/batch/change.ts'
import type { Plan } from '../../../worker/src/core/batch/plan.ts'
import { POLICIES, type Policy } from '../../../worker/src/core/batch/policy.ts'
import { ModelSpace } from './model-space.ts'

/** A space, and what the changes of one key become in it, each a batch of its own. */
function story(policy: Policy = 'lww') {
  const space = new ModelSpace(policy)
  const push = (client: string, ...changes: readonly Omit<Change, 'key'>[]): Plan =>
    space.push(
      client,
      changes.map((change) => ({ key: 'k', ...change })),
    )
  return { space, push, value: () => space.versions.get(space.heads.get('k')?.seq ?? 0)?.value }
}

const APPLIED = { verdicts: [{ status: 'applied' }], conflicts: [] }

test.each(POLICIES)(
  '[SY5] %s: a run goes on over its own head: any version of it, and its root',
  (policy) => {
    for (const [base, timestamp] of [
      [null, 5],
      ['e.1', 5],
      ['e.2', 5],
      ['e.3', 5],
    ] as const) {
      const { push, value } = story(policy)
      push('a', { value: { n: 1 }, base: null, timestamp: 0 })
      push('a', { value: { n: 2 }, base: 'e.1', timestamp: 10 })
      push('a', { value: { n: 3 }, base: 'e.2', timestamp: 20 })
      expect(push('a', { value: { n: 4 }, base, timestamp }), `${base}`).toMatchObject(APPLIED)
      expect(value()).toEqual({ n: 4 })
    }
  },
)

test.each(POLICIES)('[SY5] %s: a run that was begun over a deletion began there, and on null', (policy) => {
  for (const [base, isOfRun] of [
    [null, true],
    ['e.4', true],
    ['e.3', true],
    ['e.2', false],
    ['e.1', false],
    ['x.1', false],
  ] as const) {
    const { push } = story(policy)
    push('a', { value: { n: 1 }, base: null, timestamp: 1 })
    push('a', { value: { n: 2 }, base: 'e.1', timestamp: 2 })
    push('a', { deleted: true, base: 'e.2', timestamp: 3 })
    push('b', { value: { n: 4 }, base: null, timestamp: 9 })
    const late = push('b', { value: { n: 5 }, base, timestamp: 0 })
    if (isOfRun) expect(late, `${base}`).toMatchObject(APPLIED)
    else expect(late.conflicts, `${base}`).toHaveLength(1)
  }
})

test('[SY5] null names a deletion in the middle of a run, and no run in which something always stood', () => {
  const { push } = story()
  push('a', { value: 1, base: null, timestamp: 1 })
  push('b', { value: 2, base: 'e.1', timestamp: 2 })
  expect(push('b', { value: 3, base: null, timestamp: 0 }).conflicts).toMatchObject([{ loser: 3 }])
  push('b', { deleted: true, base: 'e.2', timestamp: 4 })
  push('b', { value: 5, base: null, timestamp: 5 })
  expect(push('b', { value: 6, base: null, timestamp: 0 })).toMatchObject(APPLIED)
})

test("[SY5] a write on the space's merge begins a run: what was made before it is concurrent", () => {
  const { push } = story('merge')
  push('a', { value: { x: 0, y: 0 }, base: null, timestamp: 1 })
  push('a', { value: { x: 1, y: 0 }, base: 'e.1', timestamp: 2 })
  expect(push('b', { value: { x: 0, y: 1 }, base: 'e.1', timestamp: 3 }).verdicts).toMatchObject([
    { status: 'merged', seq: 4 },
  ])
  expect(push('b', { value: { x: 1, y: 2 }, base: 'e.4', timestamp: 4 })).toMatchObject(APPLIED)
  const late = push('b', { value: { x: 0, y: 1, z: 1 }, base: 'e.1', timestamp: 5 })
  expect(late.verdicts).toMatchObject([{ status: 'merged' }])
  expect(late.versions.get(late.seq)?.value).toEqual({ x: 1, y: 1, z: 1 })
})

/** Another client changes `x` at 100; then `b` sends its changes in one batch. */
function meeting(...changes: readonly Omit<Change, 'key'>[]) {
  const told = story('merge')
  told.push('a', { value: { x: 0, y: 0 }, base: null, timestamp: 1 })
  told.push('a', { value: { x: 1, y: 0 }, base: 'e.1', timestamp: 100 })
  return { ...told, plan: told.push('b', ...changes) }
}

test.each([
  ['deletion', { deleted: true }],
  ['deletion with a value', { deleted: true, value: { x: 0 } }],
  ['scalar', { value: 7 }],
])('[PO6] a %s after an edit in one batch meets the other client, never its own edit', (_, content) => {
  const edit = { value: { x: 0, y: 1 }, base: 'e.1' }
  for (const [edited, then, status] of [
    [150, 150, 'applied'],
    [150, 149, 'applied'],
    [150, 101, 'applied'],
    [150, 100, 'applied'],
    [150, 99, 'superseded'],
    [50, 50, 'superseded'],
    [50, 100, 'applied'],
  ] as const) {
    const { plan } = meeting({ ...edit, timestamp: edited }, { ...content, base: 'e.1', timestamp: then })
    expect(plan.verdicts, `${edited} ${then}`).toMatchObject([{ status: 'merged', seq: 4 }, { status }])
    const sides = status === 'applied' ? { winner: 5, loser: 4 } : { winner: 4, loser: 5 }
    expect(plan.conflicts).toMatchObject([{ policy: 'lww', ...sides }])
  }
})

test('[PO6] what an edit of the same moment changes goes before what another client changed earlier', () => {
  const first = { value: { x: 0, y: 1 }, base: 'e.1', timestamp: 150 }
  for (const [at, x] of [
    [150, 5],
    [100, 5],
    [99, 1],
  ] as const) {
    const { plan, value } = meeting(first, { value: { x: 5, y: 2 }, base: 'e.1', timestamp: at })
    expect(value(), `${at}`).toEqual({ x, y: 2 })
    expect(plan.conflicts).toMatchObject([{ policy: 'merge', resolution: 'merged' }])
  }
})

test('[PO8] a blind write after an edit in one batch is merged like any other; after the batch the clock settles', () => {
  const edit = { value: { x: 0, y: 1 }, base: 'e.1', timestamp: 150 }
  const { plan } = meeting(edit, { value: { x: 0, y: 2 }, timestamp: 150 })
  expect(plan.verdicts).toMatchObject([{ status: 'merged' }, { status: 'merged' }])
  for (const [timestamp, status] of [
    [149, 'superseded'],
    [150, 'applied'],
    [151, 'applied'],
  ] as const)
    expect(meeting(edit).push('b', { value: { z: 1 }, timestamp })).toMatchObject({
      verdicts: [{ status }],
      conflicts: [{ policy: 'lww' }],
    })
})

test('[BA6] a write without a number that its client has replaced since is a retry, on a base too', () => {
  const { push, value } = story()
  const first = { value: 1, base: null, timestamp: 10 }
  push('a', first)
  push('a', { value: 2, base: null, timestamp: 20 })
  expect(push('a', first)).toMatchObject({ verdicts: [{ status: 'noop', seq: 2 }], stored: [] })
  expect(value()).toBe(2)
})

test('[BA6] a retry is known by the times that its client gave, however its skew is measured', () => {
  const { space } = story()
  const changes = [
    { key: 'k', value: 1, timestamp: 10 },
    { key: 'k', value: 2, timestamp: 11 },
  ]
  space.push('a', changes, { skew: 300 })
  for (const skew of [299, 301, 400, 2_000])
    expect(space.push('a', changes, { skew }), `${skew}`).toMatchObject({ stored: [], conflicts: [] })
})

test('[BA6] the retry of a merge names its conflict again, and stores nothing', () => {
  const edit = { value: { x: 9, y: 1 }, base: 'e.1', timestamp: 50 }
  const { plan, push } = meeting(edit)
  expect(plan.verdicts).toMatchObject([{ status: 'merged', seq: 4, conflict: 3 }])
  expect(push('b', edit)).toMatchObject({ verdicts: plan.verdicts, stored: [], conflicts: [] })
})

test('[BV1] a value is looked for in the whole run, and so is the one that it began on', () => {
  for (const baseValue of [1, 2, 3, 4]) {
    const { push } = story()
    push('a', { value: 1, base: null, timestamp: 1 })
    push('b', { value: 2, base: 'e.1', timestamp: 10 })
    push('b', { value: 3, base: 'e.2', timestamp: 11 })
    push('b', { value: 4, base: 'e.3', timestamp: 12 })
    const late = push('b', { value: 5, baseValue, timestamp: 0 })
    expect(late.conflicts, `${baseValue}`).toHaveLength(0)
  }
  const { push } = story()
  push('a', { value: 0, base: null, timestamp: 1 })
  push('a', { value: 1, base: 'e.1', timestamp: 1 })
  push('b', { value: 2, base: 'e.2', timestamp: 10 })
  expect(push('b', { value: 5, baseValue: 0, timestamp: 0 }).conflicts).toHaveLength(1)
})

test.each(POLICIES)(
  '[BA6] %s: a creation that comes again does not revive what its own client has deleted since',
  (policy) => {
    for (const none of [{ base: null }, { baseDeleted: true }]) {
      const { push } = story(policy)
      const creation = { value: 1, timestamp: 5, ...none }
      push('a', creation)
      push('a', { deleted: true, base: 'e.1', timestamp: 6 })
      expect(push('a', creation)).toMatchObject({ verdicts: [{ status: 'noop', seq: 2 }], stored: [] })
      // A later one is another, and so is that of another client.
      expect(push('a', { ...creation, timestamp: 7 })).toMatchObject(APPLIED)
      push('a', { deleted: true, base: 'e.3', timestamp: 8 })
      expect(push('b', creation)).toMatchObject(APPLIED)
    }
  },
)

test('[BA6] a batch without a number that creates and deletes takes effect once', () => {
  const { push } = story()
  const batch = [
    { value: 1, timestamp: 5, base: null },
    { deleted: true, timestamp: 6, base: null },
  ]
  expect(push('a', ...batch).stored).toHaveLength(2)
  expect(push('a', ...batch).stored).toHaveLength(0)
})

test.each(['client-wins', 'lww'] as const)(
  '[SY5] %s: a run that began where the key was gone knows a moment of nothing, whatever base it named',
  (policy) => {
    const { space, push } = story(policy)
    push('b', { value: 1, base: null, timestamp: 1 })
    push('b', { deleted: true, base: 'e.1', timestamp: 2 })
    // The tombstone is forgotten.
    space.heads.clear()
    expect(push('a', { value: 2, base: 'e.1', timestamp: 3 }).conflicts).toHaveLength(1)
    expect(push('a', { value: 3, base: null, timestamp: 3 })).toMatchObject(APPLIED)
  },
)
