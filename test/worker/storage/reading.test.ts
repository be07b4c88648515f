import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { readPage } from '../../../worker/src/objects/read/feed.ts'
import { openSpace, type Space } from '../../../worker/src/objects/space/space.ts'
import { push } from '../../../worker/src/objects/write/sync.ts'
import { numbered } from '../../support/worker/room.ts'
import { sessionOf } from '../../support/worker/session.ts'

const session = sessionOf({ scopes: ['sync:read', 'sync:write'] })

interface Reader {
  write(keys: readonly string[]): Promise<void>
  /** Counts the entry rows that a page of the log looks up. */
  lookUps(query: { after: number; limit: number }): Promise<number>
}

/** Lets a reader read a space of one batch of 500 entries in collection k. */
function reading(work: (reader: Reader) => Promise<void>): Promise<void> {
  return runInDurableObject(env.CHRONICLE.getByName(crypto.randomUUID()), async (_, ctx) => {
    const space = openSpace(ctx, env)
    const reader = readerOf(space)
    await reader.write(numbered('k', 500))
    await work(reader)
  })
}

function readerOf(space: Space): Reader {
  let [wanted, writes] = [0, 0]
  const { entryStates } = space.store
  const store = {
    ...space.store,
    entryStates(keys: readonly string[]) {
      wanted += keys.length
      return entryStates(keys)
    },
  }
  return {
    async write(keys) {
      const changes = keys.map((key) => ({ key, value: ++writes, timestamp: Date.now() }))
      const pushed = await push(space, session, { request: { changes }, now: Date.now() })
      expect(pushed).toMatchObject({ ok: true })
    },

    async lookUps(query) {
      wanted = 0
      space.recent.forget()
      const page = await readPage(
        { ...space, store },
        { ...query, filter: null, echo: null, deletionsAfter: 0 },
      )
      expect(page.entries).toHaveLength(query.limit)
      return wanted
    },
  }
}

test('[FE2] looks up few entry rows that a page has no room for, and none before its cursor', async () => {
  await reading(async ({ lookUps }) => expect(await lookUps({ after: 0, limit: 500 })).toBe(500))
  await reading(async ({ lookUps }) => expect(await lookUps({ after: 350, limit: 150 })).toBe(150))
  await reading(async ({ lookUps }) => expect(await lookUps({ after: 100, limit: 100 })).toBe(150))
})

test('[FE2] looks up no entry rows of versions that a reader before has looked up', () =>
  reading(async ({ lookUps, write }) => {
    await lookUps({ after: 0, limit: 500 })
    expect(await lookUps({ after: 0, limit: 500 })).toBe(0)
    await write(numbered('k', 20))
    // Only the 20 new versions. The 20 that they replace are known too.
    expect(await lookUps({ after: 0, limit: 500 })).toBe(20)
  }))
