/** Bugs that generated histories have found, each reproduced in as few steps as possible. */
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { Policy } from '../../worker/src/core/batch/policy.ts'
import type { Origin } from '../../worker/src/core/log/chunk-header.ts'
import type { Space } from '../../worker/src/objects/space/space.ts'
import { newcomer, type Seat, START } from './clients/cast.ts'
import { floor } from './host/floor.ts'
import { ringOf } from './host/server.ts'
import { storageOn } from './host/sql.ts'
import { Random } from './values/random.ts'
import type { Change, Reply } from './values/wire.ts'

/** A space in which all collections have one policy. `committing` runs before each commit, and may throw. */
function spaceWith(defaultPolicy: Policy, committing = () => {}): Space {
  const rest = {
    getAlarm: async () => null,
    setAlarm: async () => {},
    deleteAlarm: async () => {},
    sync: async () => {},
  }
  const watch = { statement() {}, committing, committed() {} }
  const storage = storageOn(new DatabaseSync(':memory:'), watch, rest)
  floor.migrate(storage, 'e')
  const config = { revision: 1, defaultPolicy, policies: {}, historyDays: 30, tombstoneDays: 90 }
  const env = { MASTER_KEY: ringOf(1), ENTRY_NAMES: 'keyed', CHRONICLE_KV: { get: async () => config } }
  const ctx = { id: { toString: () => 'space' }, storage }
  // A space uses no more of the platform than this.
  return floor.openSpace(ctx as unknown as DurableObjectState, env as unknown as Env)
}

async function push(space: Space, id: string, changes: readonly Change[]): Promise<Reply> {
  const text = JSON.stringify({ cursor: null, changes })
  const result = await floor.sync(space, session(id), { text, now: START + 1_000 })
  if (!result.ok) throw new Error(result.fault.code)
  return JSON.parse(result.value.text)
}

function session(id: string): Seat['session'] {
  return newcomer(new Random(1), id).session
}

/** Runs work during the nth seal of the space for a client. */
function interrupt(
  space: Space,
  { client, nth }: { client: string; nth: number },
  work: () => Promise<unknown>,
): void {
  const { keys } = space
  let seals = 0
  async function seal(text: string, origin: Origin): Promise<Uint8Array> {
    if (origin.c === client && ++seals === nth) await work()
    return (await keys()).seal(text, origin)
  }
  Object.assign(space, { keys: async () => ({ ...(await keys()), seal }) })
}

test('[BA7] keeps every change under its own key if a merge is abandoned while it is sealed', async () => {
  const space = spaceWith('merge')
  await push(space, 'a', [{ key: 'k', value: { a: 1 }, timestamp: START, base: null }])
  interrupt(space, { client: 'b', nth: 2 }, () =>
    push(space, 'a', [{ key: 'k', deleted: true, timestamp: START + 9, base: 'e.1' }]),
  )
  const { results } = await push(space, 'b', [
    { key: 'k', value: { b: 1 }, timestamp: START + 5, base: null },
    { key: 'other', value: 'mine', timestamp: START + 5, base: null },
  ])
  expect(results.map(({ status }) => status)).toEqual(['applied', 'applied'])
  const { changes } = await push(space, 'c', [])
  expect(changes.map(({ key, value }) => [key, value])).toEqual([
    ['k', { b: 1 }],
    ['other', 'mine'],
  ])
})

test('[SY6] keeps the other side of a merge as a loser under a blind write by its own client', async () => {
  const space = spaceWith('merge')
  await push(space, 'a', [{ key: 'k', value: { a: 1 }, timestamp: START, base: null }])
  const merged = await push(space, 'b', [{ key: 'k', value: { b: 1 }, timestamp: START + 5, base: null }])
  expect(merged.results).toMatchObject([{ status: 'merged', value: { a: 1, b: 1 } }])
  const blind = await push(space, 'b', [{ key: 'k', value: { b: 2 }, timestamp: START + 9 }])
  expect(blind.results).toMatchObject([{ status: 'applied' }])
  expect(blind.conflicts).toMatchObject([{ resolution: 'kept-client', loser: { value: { a: 1, b: 1 } } }])
})

test('[SG9] opens a space at the next request if its key names could not be stored at this one', async () => {
  let isFull = false
  const space = spaceWith('lww', () => {
    if (isFull) throw new Error('the disk is full')
  })
  isFull = true
  const change = { key: 'k', value: 1, timestamp: START, base: null }
  await expect(push(space, 'a', [change])).rejects.toThrow('the disk is full')
  isFull = false
  expect((await push(space, 'a', [change])).results).toMatchObject([{ status: 'applied' }])
})
