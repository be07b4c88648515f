import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { CAMPAIGN_TIMEOUT_MS, enrol } from '../support/worker/stronghold.ts'
import { hear, ownersIn, talk } from './canaries.ts'

const T = Date.now() - 60_000

/** Collection of a space, the number of its canaries, and two sessions that see nothing else. */
interface Part {
  readonly collection: string
  readonly number: number
  readonly x: string
  readonly y: string
  readonly token: string
  readonly keys: readonly string[]
  /** Numbered batch of `x` that met conflicts. */
  readonly batch: object
  readonly versions: readonly string[]
  readonly conflicts: readonly number[]
  readonly cursor: string
}

const POLICIES = ['lww', 'server-wins', 'client-wins', 'merge', 'manual'] as const

function namesOf(number: number): readonly string[] {
  return POLICIES.map((policy) => `${policy}-${number}`)
}

beforeAll(async () => {
  const { body } = await talk('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
  const policies = Object.fromEntries(
    [1, 2].flatMap((number) => namesOf(number).map((name, index) => [name, POLICIES[index]])),
  )
  const config = { revision: body.revision, policies }
  expect((await talk('PUT', '/api/config', { body: config, bearer: env.ADMIN_TOKEN })).status).toBe(200)
})

/** Fills a collection with entries, merges, deletions and conflicts between two clients of one subject. */
async function part(space: string, collection: string, number: number): Promise<Part> {
  const canary = (what: string) => `canary-${number}-${what}`
  const granted = { space, collections: [collection] }
  const { session: x, token } = await enrol(talk, granted, `phone-${number}`)
  const { session: y } = await enrol(talk, granted, `tablet-${number}`)
  const keys = ['one', 'two', 'gone'].map((name) => `${collection}/${canary(name)}`)
  const [one = '', two = '', gone = ''] = keys
  const sync = (bearer: string, body: object) => talk('POST', '/api/sync', { bearer, body })
  const changes = [
    { key: one, value: { [canary('field')]: canary('first'), same: 1 }, timestamp: T },
    { key: two, value: canary('first'), timestamp: T },
    { key: gone, value: canary('gone'), timestamp: T },
  ]
  const first = await sync(x, { changes })
  const base = first.body.results[0].version
  await sync(y, { changes: [{ key: gone, deleted: true, timestamp: T + 1 }] })
  const mine = { [canary('field')]: canary('mine'), same: 1 }
  await sync(y, {
    changes: [
      { key: one, value: mine, timestamp: T + 5, base },
      { key: two, value: canary('second'), timestamp: T + 5, base: null },
    ],
  })
  const batch = {
    batch: 1,
    changes: [
      { key: one, value: { [canary('field')]: canary('theirs'), same: 2 }, timestamp: T + 9, base },
      { key: two, value: canary('third'), timestamp: T + 3, base: null },
    ],
  }
  await sync(x, batch)
  const { body: listed } = await talk('GET', '/api/conflicts', { bearer: x })
  const { body: page } = await talk('GET', '/api/changes', { bearer: x })
  const versions = page.changes.map(({ version }: { version: string }) => version)
  const conflicts = listed.conflicts.map(({ id }: { id: number }) => id)
  expect(conflicts.length).toBeGreaterThan(0)
  return { collection, number, x, y, token, keys, batch, versions, conflicts, cursor: page.cursor }
}

type Attempt = readonly [method: string, path: string, body?: object]

/** Every way to read, with everything known of the other collection. */
function attempts(mine: Part, theirs: Part): readonly Attempt[] {
  const own = encodeURIComponent(mine.keys[0] ?? '')
  const write = { key: mine.keys[1], value: { same: 3 }, timestamp: T + 20 }
  return [
    ['GET', '/api/changes'],
    ['GET', `/api/changes?cursor=${theirs.cursor}`],
    ['GET', `/api/changes?collections=${theirs.collection}`],
    ['GET', `/api/changes?collections=${mine.collection},${theirs.collection}`],
    ['GET', '/api/status'],
    ['GET', `/api/status?cursor=${theirs.cursor}`],
    ['GET', `/api/status?collections=${theirs.collection}`],
    ['GET', '/api/conflicts'],
    ['GET', '/api/conflicts?open=1'],
    ['GET', '/api/export'],
    ['POST', '/api/sync', { changes: [], cursor: null }],
    ['POST', '/api/sync', { changes: [], cursor: theirs.cursor }],
    ['POST', '/api/sync', { changes: [], cursor: null, collections: [theirs.collection] }],
    [
      'POST',
      '/api/sync',
      { changes: [{ ...write, baseValue: `canary-${theirs.number}-third` }], cursor: null },
    ],
    ...theirs.keys.flatMap((key): readonly Attempt[] => [
      ['GET', `/api/entries?key=${encodeURIComponent(key)}`],
      ['GET', `/api/history?key=${encodeURIComponent(key)}`],
      ['GET', `/api/conflicts?key=${encodeURIComponent(key)}`],
      ['POST', '/api/sync', { changes: [{ key, value: 1, timestamp: T + 30 }], cursor: null }],
      ['POST', '/api/sync', { changes: [{ key, value: {}, timestamp: T, base: null }], atomic: true }],
      [
        'POST',
        '/api/sync',
        { changes: [{ key, deleted: true, timestamp: T + 30, base: theirs.versions[0] }] },
      ],
    ]),
    ...theirs.versions.flatMap((version): readonly Attempt[] => [
      ['GET', `/api/history?key=${own}&before=${version}`],
      ['POST', '/api/sync', { changes: [{ ...write, base: version }], cursor: null }],
    ]),
    ...theirs.conflicts.flatMap((id): readonly Attempt[] => [
      ['GET', `/api/conflicts?after=${id - 1}`],
      ...['winner', 'loser'].map(
        (choice): Attempt => [
          'POST',
          `/api/conflicts/${id}/resolve`,
          { choice, base: theirs.versions.at(-1) },
        ],
      ),
      ['POST', `/api/conflicts/${id}/resolve`, { choice: 'value', value: 1, base: null }],
    ]),
  ]
}

async function tryAll(mine: Part, theirs: Part, bearer: string): Promise<number> {
  const list = attempts(mine, theirs)
  for (const attempt of list) {
    const heard = await hear(attempt, { bearer })
    expect(
      ownersIn(heard.text, heard.asked).filter((owner) => owner !== mine.number),
      heard.asked,
    ).toEqual([])
    expect(heard.status, heard.asked).toBeLessThan(500)
    // Counts of other collections are not shown either.
    expect(heard.text).not.toMatch(/"(entries|openConflicts)":\d/)
  }
  return list.length
}

test(
  "[SC5] shows two tokens of one space nothing of each other's collections, under any policy, on any path",
  async () => {
    let asked = 0
    for (const [index, policy] of POLICIES.entries()) {
      const space = `canary-9-${policy}`
      const [a, b] = [
        await part(space, namesOf(1)[index] ?? '', 1),
        await part(space, namesOf(2)[index] ?? '', 2),
      ]
      const { session: owner } = await enrol(talk, { space })
      const before = await talk('GET', `/api/changes?collections=${a.collection}`, { bearer: owner })
      asked += await tryAll(b, a, b.x)
      asked += await tryAll(b, a, b.y)
      // The same subject and client with a token for another collection: a replay returns its own batch and no more.
      const { session } = await enrol(talk, { space, collections: [b.collection] }, 'phone-1')
      const replay = await hear(['POST', '/api/sync', { ...a.batch, cursor: null }], { bearer: session })
      expect(replay.text).toContain('"replayed":true')
      expect(ownersIn(replay.text, replay.asked).filter((owner) => owner !== 2)).toEqual([])
      asked += 1 + (await tryAll(a, b, a.y))
      const after = await talk('GET', `/api/changes?collections=${a.collection}`, { bearer: owner })
      const untouched = (keys: readonly string[], { body }: typeof after) =>
        body.changes.filter(({ key }: { key: string }) => keys.includes(key) && !key.endsWith('two'))
      expect(untouched(a.keys, after)).toEqual(untouched(a.keys, before))
    }
    console.info(`SC5: ${POLICIES.length} policies, ${asked} requests across two collections: nothing seen`)
  },
  CAMPAIGN_TIMEOUT_MS,
)

test('[SC5] shows a write-only token no value of another client', async () => {
  const space = 'canary-9-writer'
  const one = await part(space, 'merge-1', 1)
  const granted = { space, scopes: ['sync:write'], collections: ['merge-1', 'merge-2'] }
  const { session } = await enrol(talk, granted, 'writer')
  for (const key of one.keys) {
    for (const base of [undefined, null, ...one.versions]) {
      for (const value of [1, { other: 1 }, `canary-1-third`]) {
        const change = { key, value, timestamp: T + 40, ...(base !== undefined && { base }) }
        const heard = await hear(['POST', '/api/sync', { changes: [change] }], { bearer: session })
        expect(heard.status).toBe(200)
        expect(ownersIn(heard.text, heard.asked), heard.asked).toEqual([])
      }
    }
  }
})
