import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { readPage } from '../../../worker/src/objects/read/feed.ts'
import { openSpace } from '../../../worker/src/objects/space/space.ts'
import { push } from '../../../worker/src/objects/write/sync.ts'
import { numbered } from '../../support/worker/room.ts'
import { sessionOf } from '../../support/worker/session.ts'

/** Counts the entry rows that a page looks up in a space of one batch of 500 entries in collection k. */
function lookUps(query: { after: number; limit: number }): Promise<number> {
  return runInDurableObject(env.CHRONICLE.getByName(crypto.randomUUID()), async (_, ctx) => {
    const space = openSpace(ctx, env)
    const session = sessionOf({ scopes: ['sync:read', 'sync:write'] })
    const changes = numbered('k', 500).map((key) => ({ key, value: 1, timestamp: 1 }))
    await push(space, session, { request: { changes }, now: Date.now() })
    let wanted = 0
    const { entryStates } = space.store
    const store = {
      ...space.store,
      entryStates(keys: readonly string[]) {
        wanted += keys.length
        return entryStates(keys)
      },
    }
    const page = await readPage(
      { ...space, store },
      { ...query, filter: null, echo: null, deletionsAfter: 0 },
    )
    expect(page.entries).toHaveLength(query.limit)
    return wanted
  })
}

test('[FE2] looks up few entry rows that a page has no room for, and none before its cursor', async () => {
  expect(await lookUps({ after: 0, limit: 500 })).toBe(500)
  expect(await lookUps({ after: 350, limit: 150 })).toBe(150)
  expect(await lookUps({ after: 100, limit: 100 })).toBe(150)
})
