/** Compares the decision with the model of its rules, over a generated table. */
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import type { Change } from '../../../worker/src/core/batch/change.ts'
import type { Plan } from '../../../worker/src/core/batch/plan.ts'
import { POLICIES, type Policy } from '../../../worker/src/core/batch/policy.ts'
import { conflictId } from '../../../worker/src/core/batch/verdict.ts'
import type { Json } from '../../../worker/src/core/values/json.ts'
import { decideBatch } from './decision-model.ts'
import { EPOCH, ModelSpace, NOW } from './model-space.ts'
import { type Base, type Outcome, ReferenceSpace, type Write } from './reference-space.ts'

const KEY = 'k'

/** A step of a story: who writes what, and when. All others are of the writer that the table is about. */
interface Step extends Write {
  readonly by: 'writer' | 'other'
}

const by = (who: Step['by'], at: number, base: Base, value: Json | undefined): Step => {
  return { by: who, at, base, value, deleted: value === undefined }
}
const mine = (at: number, base: Base, value?: Json): Step => by('writer', at, base, value)
const other = (at: number, base: Base, value?: Json): Step => by('other', at, base, value)

const [A, B, C, D] = [
  { x: 1, y: 1 },
  { x: 2, y: 1 },
  { x: 1, y: 2 },
  { x: 3, z: { n: 1 } },
]

/** How a key came to stand as it does. */
const STORIES: Readonly<Record<string, readonly Step[]>> = {
  nothing: [],
  forgotten: [mine(10, null, A), other(20, 1)],
  'own head': [mine(10, null, A)],
  "other's head": [other(10, null, A)],
  'own run of two': [mine(10, null, A), mine(20, 1, B)],
  'own run of three, times falling': [mine(30, null, A), mine(20, 1, B), mine(10, 2, C)],
  'own run of one base': [other(5, null, A), mine(10, 1, B), mine(20, 1, C), mine(20, 1, 7)],
  'own blind run': [mine(10, 'blind', A), mine(10, 'blind', B), mine(20, 'blind', A)],
  "other's run": [other(10, null, A), other(20, 1, B), other(30, 2, C)],
  "other's over mine": [mine(10, null, A), other(20, 1, B)],
  "mine over other's": [mine(10, null, A), other(20, 1, B), mine(30, 2, C)],
  'mine over mine of before': [mine(10, null, A), other(20, 1, B), mine(30, 2, C), mine(40, 1, D)],
  "mine, blind, over other's": [other(10, null, A), mine(20, 'blind', B)],
  "mine, on nothing, over other's": [other(10, null, A), mine(20, null, 8)],
  'mine, on an unknown base': [other(10, null, A), mine(20, 'unknown', 8), mine(30, 'unknown', 9)],
  'mine, on a key that is gone': [mine(20, 'unknown', A), mine(30, null, B)],
  'own deletion': [mine(10, null, A), mine(20, 1)],
  "other's deletion": [other(10, null, A), other(20, 1)],
  "other's deletion of mine": [mine(10, null, A), other(20, 1)],
  "anew over other's deletion": [other(10, null, A), other(20, 1, B), other(30, 2), mine(40, null, C)],
  "blind over other's deletion": [other(10, null, A), other(20, 1), mine(40, 'blind', C)],
  'anew over a deletion that kept a value': [
    other(10, null, A),
    { ...other(20, 1, A), deleted: true },
    other(30, 2, { ...A, w: 1 }),
  ],
  'anew over own deletion': [other(5, null, D), mine(10, 1, A), mine(20, 2), mine(30, null, B)],
  'anew by other over mine': [mine(10, null, A), mine(20, 1), other(30, null, B)],
  'value bases': [
    other(10, null, A),
    mine(20, { value: A }, B),
    mine(30, { value: B }, C),
    mine(30, { value: A }, D),
  ],
  'own merge, mine later': [other(10, null, A), other(20, 1, B), mine(30, 1, C)],
  'own merge, mine earlier': [other(10, null, A), other(30, 1, B), mine(20, 1, C)],
  'own merge that clashed': [other(10, null, A), other(30, 1, B), mine(20, 1, { x: 5, y: 2 })],
  'own merge onto a merge': [
    other(10, null, A),
    other(30, 1, B),
    mine(20, 1, C),
    mine(40, 1, { x: 1, y: 3 }),
  ],
  'own merge onto a merge, times falling': [
    other(10, null, A),
    other(30, 1, B),
    mine(40, 1, C),
    mine(20, 1, { x: 1, y: 3 }),
  ],
  'mine on own merge': [other(10, null, A), other(20, 1, B), mine(30, 1, C), mine(40, 4, D)],
  'mine over own merge': [other(10, null, A), other(20, 1, B), mine(30, 1, C), mine(40, 1, 7)],
  "other's merge": [mine(10, null, A), mine(20, 1, B), other(30, 1, C)],
  'merge of two creations': [other(10, null, A), mine(20, null, D)],
}

function timesAround(reference: ReferenceSpace): readonly number[] {
  const stands = reference.head?.at ?? 50
  const inside = reference.head?.merge ? (reference.versions.get(reference.head.merge.other)?.at ?? 0) : 0
  const around = [stands, inside].flatMap((at) => (at === 0 ? [] : [at - 1, at, at + 1]))
  return [...new Set([1, ...around])]
}

/** Every version that there is, one that there is not yet, and every value, beside what needs no version. */
function basesIn({ versions, last }: ReferenceSpace): readonly Base[] {
  const contents = new Map([...versions.values()].map(({ value }) => [JSON.stringify(value), value]))
  const values = [...contents.values()].flatMap((value) => (value === undefined ? [] : [{ value }]))
  return ['blind', null, 'unknown', ...versions.keys(), last + 5, ...values, { value: 'never' }]
}

const CONTENTS: readonly (Json | undefined)[] = [undefined, A, B, C, D, 7, { x: 9, y: 9, z: { m: 2 } }]

/** The writes that a key may meet: all bases, contents and clocks, and each write of its own come again. */
function* writesIn(reference: ReferenceSpace, story: readonly Step[]): Generator<Write> {
  for (const base of basesIn(reference))
    for (const value of CONTENTS)
      for (const at of timesAround(reference)) {
        yield { base, value, at, deleted: value === undefined }
        if (value === A) yield { base, value, at, deleted: true }
      }
  for (const step of story) {
    if (step.by !== 'writer') continue
    yield step
    yield { ...step, base: 'blind' }
  }
}

function changeOf({ base, value, deleted, at }: Write): Change {
  return {
    key: KEY,
    timestamp: at,
    ...(deleted && { deleted }),
    ...(value !== undefined && { value }),
    ...named(base),
  }
}

/** The same said in the other words that there are for it (BV3). */
function rephrased(write: Write): Change {
  const { base: _, ...change } = changeOf(write)
  if (write.base === null) return { ...change, baseDeleted: true, baseValue: 'not looked at' }
  return typeof write.base === 'number' || write.base === 'unknown'
    ? changeOf(write)
    : { ...change, baseDeleted: false }
}

function named(base: Base): Partial<Change> {
  if (base === 'blind') return {}
  if (base === null) return { base }
  if (typeof base === 'number') return { base: `${EPOCH}.${base}` }
  return base === 'unknown' ? { base: 'x.1' } : { baseValue: base.value }
}

/** What a plan says of its changes, as the model puts it. A conflict of before that a retry names is left out. */
function outcomesOf({ verdicts, conflicts, versions }: Plan): readonly Outcome[] {
  return verdicts.map((verdict) => {
    if (verdict.status === 'rejected') throw new Error(verdict.code)
    const version = 'winner' in verdict ? verdict.winner : verdict.seq
    const found = conflicts.find(({ id }) => id === conflictId(verdict))
    if (found === undefined) return { status: verdict.status, version, conflict: null }
    const { policy, resolution, winner, loser } = found
    if (resolution === 'resolved') throw new Error('nobody has decided')
    const told = policy === 'merge' ? versions.get(resolution === 'merged' ? winner : loser) : undefined
    const paths = told?.paths ?? []
    return { status: verdict.status, version, conflict: { policy, resolution, winner, loser, paths } }
  })
}

/** A space and its reference, side by side. */
class Pair {
  readonly product: ModelSpace
  readonly reference: ReferenceSpace
  readonly writer: string

  constructor(product: ModelSpace, reference: ReferenceSpace, writer: string) {
    this.product = product
    this.reference = reference
    this.writer = writer
  }

  fork(): Pair {
    return new Pair(this.product.fork(), this.reference.fork(), this.writer)
  }

  isOwn(): boolean {
    return this.reference.head?.by === this.writer
  }

  forget(): void {
    this.product.heads.delete(KEY)
    this.reference.head = null
  }

  /** Pushes a batch to both and compares what they say and where the key stands. */
  push(
    writes: readonly Write[],
    { client = this.writer, numbered = false, reads = true, put = changeOf } = {},
  ): void {
    const plan = this.product.push(client, writes.map(put), { numbered, reads })
    const expected = decideBatch(this.reference, writes, { client, numbered, reads })
    const stands = this.product.heads.get(KEY)
    const content = this.product.versions.get(stands?.seq ?? 0)
    const { head } = this.reference
    const found = { outcomes: outcomesOf(plan), at: stands?.at, by: stands?.by, value: content?.value }
    const wanted = { outcomes: expected, at: head?.at, by: head?.by, value: head?.value }
    if (!isDeepStrictEqual(inOrder(found), inOrder(wanted))) expect(found).toEqual(wanted)
  }
}

function inOrder<T extends { readonly outcomes: readonly Outcome[]; readonly value: Json | undefined }>(
  side: T,
): object {
  const outcomes = side.outcomes.map(({ conflict, ...rest }) => {
    return { ...rest, conflict: conflict && { ...conflict, paths: conflict.paths.toSorted() } }
  })
  return { ...side, outcomes }
}

/** A story told to both, by a writer whose name is before or after the other's. */
function tell(policy: Policy, story: readonly Step[], writer: string): Pair {
  const pair = new Pair(new ModelSpace(policy), new ReferenceSpace(policy, NOW), writer)
  for (const step of story) pair.push([step], { client: step.by === 'writer' ? writer : 'm', numbered: true })
  return pair
}

/** How a batch comes. Without a number, its client's writes could be retries; who may not read compares nothing (AU7). */
interface Way {
  readonly numbered: boolean
  readonly reads: boolean
}

function waysOf(pair: Pair): readonly Way[] {
  return [
    { numbered: true, reads: true },
    ...(pair.isOwn() ? [{ numbered: false, reads: true }] : []),
    ...(pair.writer === 'z' ? [{ numbered: true, reads: false }] : []),
  ]
}

/** One write, alone and with more in its batch; after it, one that was made on the same base. */
function compare(pair: Pair, write: Write, way: Way): void {
  const next = { ...write, deleted: false, value: { x: 1, f: 1 }, at: 2 }
  const alone = pair.fork()
  alone.push([write], way)
  alone.push([next], { ...way, numbered: true, put: rephrased })
  const last = { ...write, deleted: true, value: undefined }
  pair.fork().push([write, next, last], { ...way, put: rephrased })
}

test.each(POLICIES)('[SY1] %s: every row of the table is decided as the rules say', (policy) => {
  let rows = 0
  for (const [name, story] of Object.entries(STORIES))
    for (const writer of ['a', 'z']) {
      const pair = tell(policy, story, writer)
      if (name === 'forgotten') pair.forget()
      for (const write of writesIn(pair.reference, story))
        for (const way of waysOf(pair)) {
          rows += 1
          try {
            compare(pair, write, way)
          } catch (cause) {
            throw new Error(`${name}, ${writer}, ${JSON.stringify([way, write])}`, { cause })
          }
        }
    }
  console.log(`${policy}: compared ${rows} rows`)
  expect(rows).toBeGreaterThan(10_000)
})
