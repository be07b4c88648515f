/** Groups of batches on a real database, beside the same batches one by one. */
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { POLICIES, type Policy } from '../../../worker/src/core/batch/policy.ts'
import { DEFAULT_CONFIG } from '../../../worker/src/core/space/config.ts'
import { QUOTAS } from '../../../worker/src/core/space/quota.ts'
import { type Draft, settlePending } from '../../../worker/src/objects/space/draft.ts'
import { openSpace, type Space } from '../../../worker/src/objects/space/space.ts'
import { migrate } from '../../../worker/src/objects/store/tables.ts'
import { acceptBatch } from '../../../worker/src/objects/write/accept.ts'
import type { SyncRequest } from '../../../worker/src/schema/request/sync.ts'
import { newcomer, START } from '../../simulation/clients/cast.ts'
import { ringOf } from '../../simulation/host/server.ts'
import { storageOn } from '../../simulation/host/sql.ts'
import { Random } from '../../simulation/values/random.ts'
import { CLIENTS, HEADS } from '../../support/stored-rows.ts'

/** A batch and its client. */
interface Sent {
  readonly client: string
  readonly request: SyncRequest
}

interface Stage {
  readonly db: DatabaseSync
  readonly space: Space
  /** Opens the space once more from its database, as a restart does. */
  reopen(): Space
  /** Whether each of the next transactions fails. */
  readonly failures: boolean[]
  /** Counts the transactions. */
  commits: number
  /** Resolves when the commits before it are stored. */
  settled: () => Promise<void>
}

const FULL = 'Error: the disk is full'

/** A space in which all collections have one policy, and some commits fail. */
function stageOf(policy: Policy): Stage {
  const db = new DatabaseSync(':memory:')
  const settled = () => new Promise<void>((resolve) => void setImmediate(resolve))
  const stage = { db, failures: [], commits: 0, settled } as unknown as {
    -readonly [F in keyof Stage]: Stage[F]
  }
  const rest = {
    getAlarm: async () => null,
    setAlarm: async () => {},
    deleteAlarm: async () => {},
    sync: () => stage.settled(),
  }
  const right = storageOn(db, { statement() {}, committed() {} }, rest)
  migrate(right, 'e')
  const transactionSync = <R>(work: () => R): R =>
    right.transactionSync(() => {
      const result = work()
      stage.commits += 1
      if (stage.failures.shift() === true) throw new Error('the disk is full')
      return result
    })
  const ctx = { id: { toString: () => 'space' }, storage: { ...right, transactionSync } }
  const config = { ...DEFAULT_CONFIG, revision: 1, defaultPolicy: policy }
  const env = { MASTER_KEY: ringOf(1), CHRONICLE_KV: { get: async () => config } }
  const open = () => {
    // A space uses no more of the platform than this.
    return openSpace(ctx as unknown as DurableObjectState, env as unknown as Env)
  }
  stage.space = open()
  stage.reopen = open
  return stage
}

/** A view of a space for one batch, which notes the batch again at each of its decisions. */
function watched(space: Space, one: Sent, decided: Set<Sent>): Space {
  const group: Space['group'] = {
    commit: (batch) =>
      space.group.commit({
        ...batch,
        decide(draft: Draft) {
          decided.delete(one)
          decided.add(one)
          return batch.decide(draft)
        },
      }),
  }
  return Object.create(space, { group: { value: group } })
}

/** Pushes a batch. Returns what the client learns of it. */
async function push(space: Space, { client, request }: Sent): Promise<unknown> {
  const { session } = newcomer(new Random(1), client)
  const result = await acceptBatch(space, { session, request, clock: { now: START + 60_000, skew: 0 } })
  if (!result.ok) return result.fault
  const { verdicts, conflicts, replayed, wrote } = result.value
  return { verdicts, conflicts, replayed, wrote }
}

/** Everything that both ways must agree on: the rows of the space and its state. */
function standOf({ db, space }: Stage): unknown {
  const { pending: _, ...state } = space.state
  const rows = (query: string) => db.prepare(`SELECT * FROM (${query}) ORDER BY 1`).all()
  return { state, heads: rows(HEADS), clients: rows(CLIENTS), conflicts: rows('SELECT * FROM conflict') }
}

const change = fc.record(
  {
    key: fc.constantFrom('a/1', 'a/2', 'b/1', ''),
    value: fc.oneof(fc.constantFrom('x', 1), fc.dictionary(fc.constantFrom('f', 'g'), fc.nat(3))),
    timestamp: fc.integer({ min: START, max: START + 5 }),
    base: fc.constantFrom(null, 'e.1', 'e.2', 'e.3', 'e.5', 'e.8'),
    deleted: fc.constantFrom(true),
  },
  { requiredKeys: ['key', 'value', 'timestamp'] },
)

const sent = fc.record({
  client: fc.constantFrom('p', 'q', 'r'),
  changes: fc.array(change, { minLength: 1, maxLength: 4 }),
  numbered: fc.boolean(),
  atomic: fc.boolean(),
  twice: fc.nat(4),
  pause: fc.nat(3),
  fails: fc.nat(3),
})

test('[SG13] gives the same rows, results and state for batches in groups as one by one in their order', async () => {
  let [batchCount, commitCount, failed] = [0, 0, 0]
  const property = fc.asyncProperty(
    fc.constantFrom(...POLICIES),
    fc.array(sent, { minLength: 2, maxLength: 16 }),
    async (policy, plan) => {
      const numbers = new Map<string, number>()
      const batches = plan.flatMap(({ client, changes, numbered, atomic, twice }): Sent[] => {
        const batch = (numbers.get(client) ?? 0) + 1
        if (numbered) numbers.set(client, batch)
        const request = { changes, ...(numbered && { batch }), ...(atomic && { atomic }) } as SyncRequest
        const one = { client, request }
        return twice === 0 ? [one, { client, request }] : [one]
      })
      const together = stageOf(policy)
      const decided = new Set<Sent>()
      const outcomes = new Map<Sent, unknown>()
      await Promise.all(
        batches.map(async (one, index) => {
          const { pause = 0, fails = 1 } = plan[index] ?? {}
          for (let turn = 0; turn < pause; turn++) await new Promise(setImmediate)
          together.failures.push(fails === 0, fails === 0)
          outcomes.set(one, await push(watched(together.space, one, decided), one).catch(String))
        }),
      )
      const alone = stageOf(policy)
      for (const one of decided) {
        if (outcomes.get(one) === FULL) failed += 1
        else expect(await push(alone.space, one)).toEqual(outcomes.get(one))
      }
      batchCount += batches.length
      commitCount += together.commits
      expect(standOf(together)).toEqual(standOf(alone))
      expect(together.reopen().state).toEqual(together.space.state)
      together.failures.length = 0
      settlePending(together.space)
      expect(standOf(together)).toEqual(standOf(alone))
    },
  )
  await fc.assert(property, { numRuns: 60 })
  expect(commitCount).toBeLessThan(batchCount / 2)
  expect(failed).toBeGreaterThan(0)
})

for (const quota of QUOTAS) {
  test(`[QU2] counts the ${quota} of the batches before it in its group against the quota`, async () => {
    const stage = stageOf('lww')
    const { space } = stage
    const room = { entries: 1, bytes: space.store.bytes() + 1 }
    space.config = { ...DEFAULT_CONFIG, quota: { ...DEFAULT_CONFIG.quota, [quota]: room[quota] } }
    Object.assign(space, { refreshConfig: async () => {} })
    const changesOf = (client: string) => [{ key: `a/${client}`, value: 1, timestamp: START }]
    const outcomes = await asOneGroup(stage, 3, () =>
      ['p', 'q', 'r'].map((client) =>
        push(space, { client, request: { batch: 1, changes: changesOf(client) } }),
      ),
    )
    // The batches are in line in the order in which they were sealed.
    const isRefused = (outcome: unknown) => Number('code' in (outcome as object))
    const [first, ...others] = outcomes.toSorted((one, other) => isRefused(one) - isRefused(other))
    expect(first).toMatchObject({ verdicts: [{ status: 'applied' }] })
    for (const other of others) expect(other).toMatchObject({ code: 'quota-exceeded', quota })
  })
}

/** Holds the next group back until this many batches are in line, however long each takes to be sealed. */
async function asOneGroup<T>(stage: Stage, count: number, start: () => readonly Promise<T>[]): Promise<T[]> {
  const { space, settled } = stage
  const { commit } = space.group
  const together = Promise.withResolvers<void>()
  let joined = 0
  const counting: Space['group'] = {
    commit(batch) {
      joined += 1
      if (joined === count) together.resolve()
      return commit(batch)
    },
  }
  Object.assign(space, { group: counting })
  stage.settled = () => together.promise
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  try {
    return await Promise.all(start())
  } finally {
    vi.useRealTimers()
    stage.settled = settled
  }
}
