import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { MAX_PENDING_ROWS } from '../../../worker/src/core/values/limits.ts'
import { openSpace } from '../../../worker/src/objects/space/space.ts'
import { sync } from '../../../worker/src/objects/write/sync.ts'
import { watch } from '../../support/worker/ageing.ts'
import { sessionOf } from '../../support/worker/session.ts'

const T = Date.now() - 60_000

const session = sessionOf({ client: 'device-1', scopes: ['sync:read', 'sync:write'] })

interface Cost {
  readonly statements: number
  readonly rowsWritten: number
}

/** Measures the cost of each request by the counters of the object's own database. */
function costs(space: string, requests: readonly object[]): Promise<readonly Cost[]> {
  return runInDurableObject(env.CHRONICLE.getByName(space), async (_, state) => {
    const { watched, cursors, rowsWritten } = watch(state)
    const opened = openSpace(watched, env)
    // Paid once at each start of the object.
    await opened.keys()
    const found: Cost[] = []
    for (const request of requests) {
      cursors.length = 0
      const result = await sync(opened, session, { text: JSON.stringify(request), now: Date.now() })
      expect(result.ok).toBe(true)
      found.push({
        statements: cursors.length,
        rowsWritten: rowsWritten(),
      })
    }
    return found
  })
}

function batches(size: number, rounds: number, keys = Number.POSITIVE_INFINITY): object[] {
  return Array.from({ length: rounds }, (_, round) => ({
    batch: round + 1,
    changes: Array.from({ length: size }, (_, index) => {
      const change = round * size + index
      const key = `k/${change % keys}`
      return { key, value: { title: change, body: 'x'.repeat(200) }, timestamp: T + change }
    }),
  }))
}

function sum(found: readonly Cost[]): number {
  return found.reduce((total, { rowsWritten }) => total + rowsWritten, 0)
}

/** The statements and rows of each kind of request: how many requests cost so much. */
function tally(found: readonly Cost[]): Readonly<Record<string, number>> {
  const kinds = Map.groupBy(
    found,
    ({ statements, rowsWritten }) => `${statements} statements, ${rowsWritten} rows`,
  )
  return Object.fromEntries(Array.from(kinds, ([kind, { length }]) => [kind, length]))
}

/** Six log rows of 44 batches each, and 36 batches in a seventh. */
const SINGLE = 300

test('[SG1] writes one row a batch of one, and the entry and the client once a log row of 16 KiB, for one hot key', async () => {
  const found = await costs(crypto.randomUUID(), batches(1, SINGLE, 1))
  expect(sum(found)).toBe(SINGLE + 6 * 2)
  // A new log row opens the value that is replaced, between two readings of the client.
  expect(tally(found)).toEqual({
    '3 statements, 1 rows': 1,
    '4 statements, 1 rows': 6,
    '2 statements, 1 rows': SINGLE - 13,
    '4 statements, 3 rows': 6,
  })
})

test('[SG1] writes one row a batch of one, and its entry with those of the same log row, for random keys', async () => {
  const found = await costs(crypto.randomUUID(), batches(1, SINGLE))
  expect(sum(found)).toBe(SINGLE + 6 * (44 + 1))
  expect(tally(found)).toEqual({
    '3 statements, 1 rows': 7,
    '2 statements, 1 rows': SINGLE - 13,
    '4 statements, 46 rows': 6,
  })
})

test('[SG1] writes one row a change and two a batch of 100, in five statements', async () => {
  const found = await costs(crypto.randomUUID(), batches(100, 30))
  expect(tally(found)).toEqual({ '5 statements, 102 rows': 30 })
})

test('[SG1] writes one row a change and three a batch of 500, which fills two log rows, in six statements', async () => {
  const found = await costs(crypto.randomUUID(), batches(500, 6))
  expect(tally(found)).toEqual({ '6 statements, 503 rows': 6 })
})

test('[SG1] writes up to 64 rows of entries and clients into the row of the log, and more into their tables', async () => {
  for (const [size, rowsWritten] of [
    [MAX_PENDING_ROWS - 2, 1],
    [MAX_PENDING_ROWS - 1, 1],
    [MAX_PENDING_ROWS, 1 + MAX_PENDING_ROWS + 1],
  ] as const) {
    const changes = Array.from({ length: size }, (_, n) => ({ key: `k/${n}`, value: n, timestamp: T }))
    expect(await costs(crypto.randomUUID(), [{ batch: 1, changes }]), `${size}`).toMatchObject([
      { rowsWritten },
    ])
  }
})

test('[SG2] writes as many rows for a change in a large space as in a small one', async () => {
  const space = crypto.randomUUID()
  const rewrite = (round: number) => ({
    changes: [{ key: 'k/0', value: round, timestamp: T + round }],
  })
  // The first write also records the subject of the client.
  await costs(space, [rewrite(0)])
  const [before] = await costs(space, [rewrite(1)])
  await costs(space, batches(500, 10))
  const [after] = await costs(space, [rewrite(2)])
  expect(after?.rowsWritten).toBe(before?.rowsWritten)
})
