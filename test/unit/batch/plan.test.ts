import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Change, toEdits } from '../../../worker/src/core/batch/change.ts'
import type { Conflict } from '../../../worker/src/core/batch/conflict.ts'
import { type Plan, planBatch } from '../../../worker/src/core/batch/plan.ts'
import { POLICIES, type Policy } from '../../../worker/src/core/batch/policy.ts'
import type { EntryState } from '../../../worker/src/core/batch/stance.ts'
import { decodeVerdicts, encodeVerdicts } from '../../../worker/src/core/batch/verdict.ts'
import { DEFAULT_CONFIG, policyOf } from '../../../worker/src/core/space/config.ts'
import type { Json } from '../../../worker/src/core/values/json.ts'
import { EPOCH, ModelSpace } from './model-space.ts'

interface Move {
  readonly client: string
  readonly key: string
  readonly value: Json
  readonly deleted: boolean
  readonly timestamp: number
  readonly base: 'blind' | 'absent' | 'seen' | 'older' | 'foreign'
}

const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.record({
    client: fc.constantFrom('a', 'b', 'c'),
    key: fc.constantFrom('k/1', 'k/2'),
    value: fc.nat(3),
    deleted: fc.boolean(),
    timestamp: fc.nat(20),
    base: fc.constantFrom('blind', 'absent', 'seen', 'older', 'foreign'),
  }),
  { maxLength: 60 },
)

function changeOf(move: Move, space: ModelSpace): Change {
  const { key, timestamp, deleted, value } = move
  const content = deleted ? { deleted } : { value }
  const head = space.heads.get(key)?.seq ?? 0
  const bases = {
    absent: null,
    seen: head === 0 ? null : `${EPOCH}.${head}`,
    older: `${EPOCH}.${Math.max(1, head - 1)}`,
    foreign: 'x.1',
  }
  return move.base === 'blind'
    ? { key, timestamp, ...content }
    : { key, timestamp, ...content, base: bases[move.base] }
}

test('[IN2] keeps an acknowledged write as current, as replaced in order, or as the loser of a conflict', () => {
  fc.assert(
    fc.property(moves, (history) => {
      const space = new ModelSpace()
      const losers = new Set<number>()
      const replaced = new Set<number>()
      for (const move of history) {
        const plan = space.push(move.client, [changeOf(move, space)])
        for (const { loser } of plan.conflicts) losers.add(loser)
        for (const { previous, seq } of plan.stored)
          if (space.heads.get(move.key)?.seq === seq) replaced.add(previous)
      }
      for (const { seq, key } of space.versions.values()) {
        const current = space.heads.get(key)?.seq === seq
        expect(current || losers.has(seq) || replaced.has(seq)).toBe(true)
      }
    }),
    { seed: 6, numRuns: 500 },
  )
})

/** The current version of each key with its predecessors, and both sides of every conflict. */
function reachable({ heads, versions }: ModelSpace, conflicts: readonly Conflict[]): Set<number> {
  const found = new Set<number>()
  const stack = [...heads.values()].map(({ seq }) => seq)
  for (const { winner, loser } of conflicts) stack.push(winner, loser)
  for (let seq = stack.pop(); seq !== undefined; seq = stack.pop()) {
    if (seq === 0 || found.has(seq)) continue
    found.add(seq)
    stack.push(versions.get(seq)?.previous ?? 0)
  }
  return found
}

const fieldMoves = moves.map((history) =>
  history.map(({ value, ...move }) => ({ ...move, value: { [`f${value}`]: move.timestamp, all: value } })),
)

test.each(POLICIES)(
  '[PO10] %s: keeps everything that was sent, and makes one side of a conflict current',
  (policy) => {
    fc.assert(
      fc.property(fieldMoves, (history) => {
        const space = new ModelSpace(policy)
        const conflicts: Conflict[] = []
        for (const move of history) {
          const before = space.heads.get(move.key)
          const plan = space.push(move.client, [changeOf(move, space)])
          conflicts.push(...plan.conflicts)
          const [verdict] = plan.verdicts
          const stands = space.heads.get(move.key)?.seq
          if (verdict?.status === 'superseded' || verdict?.status === 'conflict')
            expect(stands).toBe(before?.seq)
          for (const { winner } of plan.conflicts) expect(winner).toBe(stands ?? 0)
        }
        expect([...reachable(space, conflicts)].sort((a, b) => a - b)).toEqual([...space.versions.keys()])
      }),
      { seed: 10, numRuns: 500 },
    )
  },
)

test("[IN6] replaces another client's version without a conflict only by a write based on that version", () => {
  fc.assert(
    fc.property(moves, (history) => {
      const space = new ModelSpace()
      for (const move of history) {
        const change = changeOf(move, space)
        const before = space.heads.get(move.key)
        const plan = space.push(move.client, [change])
        const [verdict] = plan.verdicts
        if (verdict?.status !== 'applied' || verdict.conflict || before === undefined) continue
        const onBase = change.base === `${EPOCH}.${before.seq}` || (change.base === null && before.deleted)
        expect(onBase || before.by === move.client).toBe(true)
      }
    }),
    { seed: 7, numRuns: 500 },
  )
})

test('[IN8] numbers versions by one, and counts live entries', () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 8 }), (batches) => {
      const space = new ModelSpace()
      let entries = 0
      for (const batch of batches) {
        const from = space.seq
        const plan = space.push(
          'a',
          batch.map((move) => changeOf(move, space)),
        )
        entries += plan.entries
        expect(plan.stored.map(({ seq }) => seq)).toEqual(plan.stored.map((_, index) => from + index + 1))
        expect(entries).toBe(space.live())
      }
    }),
    { seed: 8 },
  )
})

test('[BA1] reads verdicts back from the idempotency record', () => {
  fc.assert(
    fc.property(moves, (history) => {
      const space = new ModelSpace()
      for (const move of history) {
        const { verdicts } = space.push(move.client, [
          changeOf(move, space),
          { key: '', timestamp: 1, value: 1 },
        ])
        expect(decodeVerdicts(encodeVerdicts(verdicts))).toEqual(verdicts)
      }
    }),
    { seed: 9 },
  )
})

test('[SY7] asks for the current content before it calls a concurrent write a change', () => {
  const edits = toEdits([{ key: 'k', value: 1, timestamp: 1 }], {
    epoch: EPOCH,
    clock: { now: 9, skew: 0 },
    granted: null,
  })
  const head: EntryState = { seq: 5, root: 0, vacant: true, at: 1, by: 'b', deleted: false, merged: 0 }
  const plan = planBatch(edits, 'a', {
    seq: 5,
    numbered: false,
    clock: { now: 9, skew: 0 },
    policy: () => 'lww',
    entry: () => head,
    version: () => undefined,
  })
  expect(new Set(plan.missing)).toEqual(new Set([5]))
})

test('[PO5] takes any name of a collection, even that of a JavaScript property', () => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    expect(policyOf({ ...DEFAULT_CONFIG, policies: {} }, `${name}/1`)).toBe('lww')
    const policies = Object.fromEntries([[name, 'merge' as const]])
    expect(policyOf({ ...DEFAULT_CONFIG, policies }, `${name}/1`)).toBe('merge')
  }
})

test('[CL4] dates a merge no earlier than the versions it was made of, even if the clock of the space went back', () => {
  const edits = toEdits([{ key: 'k', value: { a: 1 }, timestamp: 1, base: null }], {
    epoch: EPOCH,
    clock: { now: 9, skew: 0 },
    granted: null,
  })
  const head: EntryState = { seq: 5, root: 0, vacant: true, at: 20, by: 'b', deleted: false, merged: 0 }
  const version = {
    seq: 5,
    previous: 0,
    key: 'k',
    by: 'b',
    timestamp: 20,
    at: 20,
    lift: 0,
    deleted: false,
    value: { b: 1 },
    paths: [],
  }
  const plan = planBatch(edits, 'a', {
    seq: 5,
    numbered: false,
    clock: { now: 9, skew: 0 },
    policy: () => 'merge',
    entry: () => head,
    version: () => version,
  })
  expect(plan.states.get('k')).toMatchObject({ at: 20, merged: 5 })
  expect(plan.stored.map(({ lift }) => lift)).toEqual([0, 11])
})

/** A value of some fields, large or not, that counts how often it is read. */
function counted(fields: Record<string, Json>): { readonly value: Json; readonly times: () => number } {
  let times = 0
  const ownKeys = (target: object) => {
    times += 1
    return Reflect.ownKeys(target)
  }
  return { value: new Proxy<Record<string, Json>>(fields, { ownKeys }), times: () => times }
}

/** Five hundred small edits of one client to a key where another client's large value stands. */
function pile(policy: Policy, large: Json): Plan {
  const space = new ModelSpace(policy)
  space.push('a', [{ key: 'k/1', value: {}, timestamp: 1, base: null }])
  space.push('a', [{ key: 'k/1', value: large, timestamp: 900, base: 'e.1' }])
  const edits = Array.from({ length: 500 }, (_, n) => {
    return { key: 'k/1', value: { [`f${n}`]: n }, timestamp: 2, base: 'e.1' }
  })
  return space.push('b', edits)
}

test.each(POLICIES)('[SC14] %s: reads the current value no more often for hundreds of changes', (policy) => {
  const { value, times } = counted({ large: 'x'.repeat(100) })
  pile(policy, value)
  // Once each: the check of the value as sent, its text, its canonical text, and the names for a merge.
  expect(times()).toBeLessThanOrEqual(4)
})

test('[PO5] merge: decides as lww past 8 MiB of merges in a batch, and loses nothing', () => {
  const { stored, verdicts, conflicts } = pile('merge', { large: 'x'.repeat(250_000) })
  const merged = verdicts.filter(({ status }) => status === 'merged').length
  expect(merged).toBeGreaterThan(30)
  expect(merged).toBeLessThan(34)
  expect(verdicts.filter(({ status }) => status === 'superseded')).toHaveLength(500 - merged)
  expect(conflicts).toHaveLength(500 - merged)
  expect(stored.reduce((length, { line }) => length + line.length, 0)).toBeLessThan(9 * 1024 * 1024)
})
