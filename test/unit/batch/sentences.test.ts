/** Sentences of docs/spec.md that could be read in two ways, each with inputs at the edge between the readings. */
import { expect, test } from 'vitest'
import type { Change } from '../../../worker/src/core/batch/change.ts'
import type { Plan } from '../../../worker/src/core/batch/plan.ts'
import { POLICIES, type Policy } from '../../../worker/src/core/batch/policy.ts'
import type { Json } from '../../../worker/src/core/values/json.ts'
import { ModelSpace } from './model-space.ts'

type Written = Omit<Change, 'key'>

/** A space after some writes of one key, each a batch of its own. */
function after(policy: Policy, ...writes: readonly (readonly [client: string, write: Written])[]) {
  const space = new ModelSpace(policy)
  const push = (client: string, write: Written): Plan => space.push(client, [{ key: 'k', ...write }])
  for (const [client, write] of writes) push(client, write)
  return {
    push,
    forget: () => space.heads.delete('k'),
    value: () => space.versions.get(space.heads.get('k')?.seq ?? 0)?.value,
  }
}

const created = (value: Json, timestamp = 10) => ({ value, base: null, timestamp })

test.each(POLICIES)('[SY7] %s: the same content is a noop, but for a write that names the head', (policy) => {
  const told = () =>
    after(policy, ['a', created({ n: 0 })], ['b', { value: { n: 1 }, base: 'e.1', timestamp: 20 }])
  const same = { value: { n: 1 }, timestamp: 5 }
  for (const base of [
    { base: 'e.1' },
    { base: null },
    { base: 'x.1' },
    {},
    { baseValue: { n: 0 } },
    { baseValue: 7 },
  ])
    for (const client of ['a', 'b'])
      expect(told().push(client, { ...same, ...base }), JSON.stringify(base)).toMatchObject({
        verdicts: [{ status: 'noop', seq: 2 }],
        stored: [],
      })
  for (const base of [{ base: 'e.2' }, { baseValue: { n: 1 } }])
    for (const client of ['a', 'b'])
      expect(told().push(client, { ...same, ...base })).toMatchObject({
        verdicts: [{ status: 'applied', seq: 3 }],
        conflicts: [],
      })
})

test.each(POLICIES)(
  '[SY8] %s: a deletion of what is gone or deleted is a noop, whatever its base',
  (policy) => {
    for (const base of [
      { base: null },
      { base: 'e.1' },
      { base: 'x.1' },
      {},
      { baseValue: 1 },
      { baseDeleted: true },
    ]) {
      const gone = after(policy)
      const deleted = { deleted: true, value: 'last', timestamp: 99, ...base }
      expect(gone.push('b', deleted)).toMatchObject({ verdicts: [{ status: 'noop', seq: 0 }], stored: [] })
      const buried = after(policy, ['a', created(1)], ['a', { deleted: true, base: 'e.1', timestamp: 11 }])
      expect(buried.push('b', deleted)).toMatchObject({ verdicts: [{ status: 'noop', seq: 2 }], stored: [] })
    }
  },
)

test.each(POLICIES)(
  '[SY9] %s: null over a tombstone creates anew, whoever deleted and however it is said',
  (policy) => {
    for (const by of ['a', 'b'])
      for (const base of [{ base: null }, { baseDeleted: true }, { baseDeleted: true, baseValue: 1 }]) {
        const { push } = after(policy, ['a', created(1)], [by, { deleted: true, base: 'e.1', timestamp: 50 }])
        expect(push('b', { value: 2, timestamp: 1, ...base })).toMatchObject({
          verdicts: [{ status: 'applied', seq: 3 }],
          conflicts: [],
        })
      }
  },
)

const GONE = {
  lww: 'applied',
  merge: 'applied',
  'client-wins': 'applied',
  'server-wins': 'superseded',
  manual: 'conflict',
}

test.each(POLICIES)(
  '[SY10] %s: gone is a key without a tombstone; over one a write is concurrent',
  (policy) => {
    const told = () => after(policy, ['a', created(1)], ['a', { deleted: true, base: 'e.1', timestamp: 50 }])
    for (const base of [
      { base: 'e.1' },
      { base: 'e.2' },
      { base: 'x.1' },
      { baseValue: 1 },
      { base: 'e.9' },
    ]) {
      const gone = told()
      gone.forget()
      const late = gone.push('b', { value: 2, timestamp: 1, ...base })
      expect(late.verdicts, JSON.stringify(base)).toMatchObject([{ status: GONE[policy] }])
      const label = policy === 'merge' ? 'lww' : policy
      const sides = GONE[policy] === 'applied' ? { winner: 3, loser: 0 } : { winner: 0, loser: 3 }
      expect(late.conflicts).toMatchObject([{ policy: label, ...sides }])
    }
    for (const base of [{}, { base: null }, { baseDeleted: false }]) {
      const gone = told()
      gone.forget()
      expect(gone.push('b', { value: 2, timestamp: 1, ...base }).conflicts).toEqual([])
    }
    // Earlier than the deletion, which is a side of the conflict.
    const [verdict] = told().push('b', { value: 2, timestamp: 49, base: 'e.1' }).verdicts
    expect(verdict?.status).toBe(
      policy === 'client-wins' ? 'applied' : policy === 'manual' ? 'conflict' : 'superseded',
    )
  },
)

test('[SY2] a client competes with its own version where another client’s lies between', () => {
  for (const [timestamp, status] of [
    [30, 'superseded'],
    [31, 'applied'],
  ] as const) {
    const { push } = after(
      'lww',
      ['b', created(1)],
      ['a', { value: 2, base: 'e.1', timestamp: 20 }],
      ['b', { value: 3, base: 'e.2', timestamp: 30 }],
    )
    expect(push('b', { value: 4, base: 'e.1', timestamp })).toMatchObject({
      verdicts: [{ status }],
      conflicts: [{ policy: 'lww' }],
    })
    // Having won, it is where the run begins: the next edit on its base is no conflict.
    if (status === 'applied')
      expect(push('b', { value: 5, base: 'e.1', timestamp: 1 })).toMatchObject({ conflicts: [] })
  }
})

test('[BV3] baseDeleted false says nothing: beside a value that counts, and alone the write is blind', () => {
  const told = () => after('manual', ['a', created(1)])
  const late = { value: 2, timestamp: 11, baseDeleted: false }
  expect(told().push('b', late).conflicts).toMatchObject([{ policy: 'lww', resolution: 'kept-client' }])
  expect(told().push('b', { ...late, baseValue: 1 }).conflicts).toEqual([])
  expect(told().push('b', { ...late, baseValue: 0 }).conflicts).toMatchObject([{ policy: 'manual' }])
  expect(after('manual').push('b', { ...late, baseValue: 1 }).verdicts).toMatchObject([
    { status: 'conflict' },
  ])
})

test.each([16, 17])(
  '[BV1] a value is found in the last 16 versions of a run: with %d versions since',
  (count) => {
    const { push } = after('lww', ['a', created('a')], ['b', { value: 'first', base: 'e.1', timestamp: 20 }])
    for (let seq = 2; seq <= count; seq++) push('b', { value: seq, base: `e.${seq}`, timestamp: 20 })
    const found = (baseValue: Json) =>
      push('b', { value: 'late', baseValue, timestamp: 1 }).conflicts.length === 0
    expect(found('first')).toBe(count === 16)
    expect(found('a')).toBe(true)
  },
)

test('[BA6] a retry is looked for in the last 16 versions, whatever times came since', () => {
  const first = { value: 'first', base: null, timestamp: 20 }
  for (const [count, at, isFound] of [
    [15, 20, true],
    [16, 20, false],
    [3, 5, true],
  ] as const) {
    const { push } = after('lww', ['b', first])
    for (let seq = 1; seq <= count; seq++) push('b', { value: seq, base: `e.${seq}`, timestamp: at })
    expect(push('b', first).verdicts, `${count}`).toMatchObject([{ status: isFound ? 'noop' : 'applied' }])
  }
})

test('[PO3] an edit that changed nothing is merged into what stands, and nothing is stored', () => {
  const { push } = after(
    'merge',
    ['a', created({ n: 1 })],
    ['a', { value: { n: 2 }, base: 'e.1', timestamp: 20 }],
  )
  expect(push('b', { value: { n: 1 }, base: 'e.1', timestamp: 99 })).toMatchObject({
    verdicts: [{ status: 'merged', seq: 2, conflict: 0 }],
    conflicts: [],
    stored: [],
  })
})

test.each<[string, Json | undefined, Json, string[]]>([
  ['a field that the base lacks', undefined, { x: 1, y: 2 }, []],
  ['null in the base', null, { y: 2 }, ['/o']],
  ['a list in the base', [], { y: 2 }, ['/o']],
])('[PO3] both make an object of %s', (_, before, merged, paths) => {
  const base = before === undefined ? {} : { o: before }
  const { push, value } = after(
    'merge',
    ['a', created(base)],
    ['a', { value: { o: { x: 1 } }, base: 'e.1', timestamp: 20 }],
  )
  const late = push('b', { value: { o: { y: 2 } }, base: 'e.1', timestamp: 21 })
  expect(value()).toEqual({ o: merged })
  expect(late.versions.get(late.seq)?.paths).toEqual(paths)
})

test('[PO5] what merge settles by the clock says lww; a deletion as the base is as null, whatever value it kept', () => {
  const told = () =>
    after('merge', ['a', created({ n: 1 })], ['a', { value: { n: 2 }, base: 'e.1', timestamp: 20 }])
  for (const late of [
    { deleted: true, base: 'e.1' },
    { value: [1], base: 'e.1' },
    { value: { n: 3 }, base: 'x.1' },
  ])
    for (const [timestamp, resolution] of [
      [20, 'kept-client'],
      [19, 'kept-server'],
    ] as const)
      expect(told().push('b', { ...late, timestamp }).conflicts).toMatchObject([
        { policy: 'lww', resolution },
      ])
  const { push, value } = after(
    'merge',
    ['a', created({ n: 1 })],
    ['a', { deleted: true, value: { n: 1 }, base: 'e.1', timestamp: 20 }],
    ['a', { value: { n: 1, a: 1 }, base: 'e.2', timestamp: 30 }],
  )
  expect(push('b', { value: { b: 1 }, base: 'e.2', timestamp: 31 }).conflicts).toEqual([])
  expect(value()).toEqual({ n: 1, a: 1, b: 1 })
})

test('[PO6] a merge of layout 6, of which the other side is not known, competes as it is', () => {
  const space = new ModelSpace('merge')
  const head = { seq: 3, root: 1, vacant: false, at: 20, by: 'b', deleted: false, merged: -1 }
  space.seq = 3
  space.heads.set('k', head)
  const version = {
    previous: 1,
    key: 'k',
    by: 'b',
    at: 20,
    timestamp: 20,
    lift: 0,
    deleted: false,
    value: { y: 1 },
    paths: [],
  }
  space.versions.set(2, { ...version, seq: 2 })
  space.versions.set(3, { ...version, seq: 3, previous: 2, value: { x: 1, y: 1 } })
  const late = space.push('b', [{ key: 'k', deleted: true, timestamp: 20, base: 'e.1' }], { numbered: true })
  expect(late.verdicts).toMatchObject([{ status: 'superseded' }])
  expect(
    space.push('b', [{ key: 'k', value: { y: 2 }, timestamp: 20, base: 'e.1' }]).states.get('k')?.merged,
  ).toBe(-1)
})
