import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { MAX_GROUP_CHANGES } from '../../../worker/src/core/values/limits.ts'
import type { Draft } from '../../../worker/src/objects/space/draft.ts'
import { type Batch, groupOf } from '../../../worker/src/objects/space/group.ts'

/** A group over drafts that only note what happens, in order. `settled` is when the commits before are stored. */
function watchedGroup(
  commit: (decided: readonly string[]) => void = () => {},
  settled: () => Promise<void> = () => sleep(0),
) {
  const events: string[] = []
  /** The names of the batches of each committed draft. */
  const commits: (readonly string[])[] = []
  let decided: string[] = []
  const group = groupOf(() => {
    const names: string[] = []
    decided = names
    return {
      commit() {
        commit(names)
        commits.push(names)
        events.push(`commit ${names.join()}`)
      },
    } as Draft
  }, settled)
  return { group, events, commits, decide: (name: string) => void decided.push(name) }
}

type Watched = ReturnType<typeof watchedGroup>

interface Wanted {
  readonly client?: string
  readonly changes?: number
  /** How often the contents must be opened before the batch can be decided. */
  readonly lacks?: number
  readonly open?: () => Promise<void>
  readonly throws?: boolean
}

/** Sends a batch, and notes its decision and its outcome. */
function send({ group, events, decide }: Watched, name: string, wanted: Wanted = {}): Promise<void> {
  const { client = name, changes = 1, lacks = 0, open = async () => {}, throws = false } = wanted
  let lacking = lacks
  const batch: Batch<string> = {
    client,
    keys: Array.from({ length: changes }, (_, index) => `${name}/${index}`),
    decide() {
      if (throws) throw new Error(`${name} cannot be decided`)
      if (lacking > 0) {
        lacking -= 1
        events.push(`${name} lacks`)
        return null
      }
      decide(name)
      return name
    },
    open,
  }
  return group.commit(batch).then(
    (outcome) => void events.push(`${outcome} told`),
    (thrown: Error) => void events.push(`${name} failed: ${thrown.message}`),
  )
}

test('[SG13] commits the batches that are ready in the same turn together, in the order of arrival', async () => {
  const watched = watchedGroup()
  await Promise.all(['a', 'b', 'c'].map((name) => send(watched, name)))
  expect(watched.events).toEqual(['commit a,b,c', 'a told', 'b told', 'c told'])
})

test('[SG13] takes in what arrives until the commit before is stored', async () => {
  const stored = Promise.withResolvers<void>()
  const watched = watchedGroup(undefined, () => stored.promise)
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  const sent = [send(watched, 'a')]
  await new Promise(setImmediate)
  sent.push(send(watched, 'b'))
  expect(watched.commits).toEqual([])
  stored.resolve()
  await Promise.all(sent)
  expect(watched.commits).toEqual([['a', 'b']])
  vi.runAllTimers()
  vi.useRealTimers()
  expect(watched.commits).toHaveLength(1)
})

test('[SG13] waits no longer than a timer for a commit that takes long', async () => {
  const watched = watchedGroup(undefined, () => new Promise(() => {}))
  await Promise.all(['a', 'b'].map((name) => send(watched, name)))
  await send(watched, 'c')
  expect(watched.commits).toEqual([['a', 'b'], ['c']])
})

test('[SG13] decides the next batch of a lone client at once', async () => {
  const watched = watchedGroup(undefined, () => new Promise(() => {}))
  await send(watched, 'a1', { client: 'a' })
  const second = send(watched, 'a2', { client: 'a' })
  expect(watched.commits).toEqual([['a1'], ['a2']])
  await second
})

test('[SG13] decides a group after a commit that could not be stored, so that each batch learns of it', async () => {
  const watched = watchedGroup(undefined, () => Promise.reject(new Error('lost')))
  await Promise.all(['a', 'b'].map((name) => send(watched, name)))
  expect(watched.events).toEqual(['commit a,b', 'a told', 'b told'])
})

test('[SG13] rejects a batch whose decision throws, and commits the others of its group', async () => {
  const watched = watchedGroup()
  await Promise.all([send(watched, 'a'), send(watched, 'b', { throws: true }), send(watched, 'c')])
  expect(watched.events).toEqual(['commit a,c', 'a told', 'b failed: b cannot be decided', 'c told'])
})

test('[SG13] tries each batch of a group alone whose commit fails, and rejects only the one that fails again', async () => {
  const watched = watchedGroup((names) => {
    if (names.includes('b')) throw new Error('no room')
  })
  await Promise.all(['a', 'b', 'c'].map((name) => send(watched, name)))
  expect(watched.commits).toEqual([['a'], ['c']])
  expect(watched.events).toEqual(['commit a', 'commit c', 'a told', 'b failed: no room', 'c told'])
})

test('[SG13] rejects all batches if no commit succeeds, and serves the next ones', async () => {
  let isFull = true
  const watched = watchedGroup(() => {
    if (isFull) throw new Error('no room')
  })
  await Promise.all(['a', 'b'].map((name) => send(watched, name)))
  expect(watched.events).toEqual(['a failed: no room', 'b failed: no room'])
  isFull = false
  await send(watched, 'c')
  expect(watched.commits).toEqual([['c']])
})

test('[SG13] holds back the later batches of a client while one opens contents, and no other client', async () => {
  const watched = watchedGroup()
  const opening = Promise.withResolvers<void>()
  const sent = [
    send(watched, 'a1', { client: 'a', lacks: 1, open: () => opening.promise }),
    send(watched, 'a2', { client: 'a' }),
    send(watched, 'b1', { client: 'b' }),
  ]
  await sleep(5)
  sent.push(send(watched, 'a3', { client: 'a' }), send(watched, 'b2', { client: 'b' }))
  await sleep(5)
  expect(watched.commits.flat()).toEqual(['b1', 'b2'])
  opening.resolve()
  await Promise.all(sent)
  expect(watched.commits.flat()).toEqual(['b1', 'b2', 'a1', 'a2', 'a3'])
})

test('[SG13] decides the batches that were held back before those that arrive as the opening ends', async () => {
  const watched = watchedGroup()
  await send(watched, 'a0', { client: 'a' })
  const opening = Promise.withResolvers<void>()
  const sent = [
    send(watched, 'a1', { client: 'a', lacks: 1, open: () => opening.promise }),
    ...['a2', 'a3'].map((name) => send(watched, name, { client: 'a' })),
  ]
  await sleep(5)
  // Both arrive as a1 comes back.
  const late = opening.promise.then().then(() => [send(watched, 'b1'), send(watched, 'a4', { client: 'a' })])
  opening.resolve()
  await Promise.all([...sent, ...(await late)])
  const commits = watched.commits.filter((names) => names.length > 0)
  expect(commits).toEqual([['a0'], ['a1'], ['a2', 'a3', 'b1', 'a4']])
})

test('[SG13] decides the later batches of a client after one that could not open its contents', async () => {
  const watched = watchedGroup()
  const open = () => Promise.reject(new Error('unreadable'))
  await Promise.all([
    send(watched, 'a1', { client: 'a', lacks: 1, open }),
    send(watched, 'a2', { client: 'a' }),
  ])
  expect(watched.events.filter((event) => event.startsWith('a'))).toEqual([
    'a1 lacks',
    'a1 failed: unreadable',
    'a2 told',
  ])
})

test('[SG13] keeps the order of a client through several openings and a commit that fails', async () => {
  let failures = 2
  const watched = watchedGroup((names) => {
    if (names.length > 1 && failures-- > 0) throw new Error('no room')
  })
  const open = () => sleep(1)
  await Promise.all([
    send(watched, 'a1', { client: 'a', lacks: 2, open }),
    send(watched, 'b1', { client: 'b', lacks: 1, open }),
    ...['a2', 'a3'].map((name) => send(watched, name, { client: 'a', lacks: 1, open })),
    send(watched, 'b2', { client: 'b' }),
  ])
  const of = (client: string) => watched.commits.flat().filter((name) => name.startsWith(client))
  expect(of('a')).toEqual(['a1', 'a2', 'a3'])
  expect(of('b')).toEqual(['b1', 'b2'])
})

for (const [by, groups] of [
  [-1, [['a', 'b']]],
  [0, [['a', 'b']]],
  [1, [['a'], ['b']]],
] as const) {
  test(`[SG13] commits ${MAX_GROUP_CHANGES + by} changes in ${groups.length} transactions`, async () => {
    const watched = watchedGroup()
    const half = MAX_GROUP_CHANGES / 2
    await Promise.all([send(watched, 'a', { changes: half }), send(watched, 'b', { changes: half + by })])
    expect(watched.commits).toEqual(groups)
  })
}

test('[SG13] commits a batch alone that has more changes than a group', async () => {
  const watched = watchedGroup()
  await Promise.all([
    send(watched, 'a', { changes: MAX_GROUP_CHANGES + 1 }),
    send(watched, 'b', { changes: MAX_GROUP_CHANGES + 1 }),
  ])
  expect(watched.commits).toEqual([['a'], ['b']])
})

test('[SG13] loses no batch that arrives while a group is decided or told', async () => {
  const watched = watchedGroup()
  const late: Promise<void>[] = []
  const { group } = watched
  const nested: Batch<string> = {
    client: 'n',
    keys: [],
    decide() {
      late.push(send(watched, 'during', { client: 'n' }))
      watched.decide('n')
      return 'n'
    },
    open: async () => {},
  }
  const told = group.commit(nested).then(() => late.push(send(watched, 'after')))
  await Promise.all([told, send(watched, 'beside')])
  await Promise.all(late)
  expect(watched.commits.flat().sort()).toEqual(['after', 'beside', 'during', 'n'])
})

test('[SG13] orders many batches of some clients, and commits each exactly once', async () => {
  const watched = watchedGroup()
  const sent: Promise<void>[] = []
  const names: string[] = []
  for (let round = 0; round < 60; round++) {
    const client = `c${(round * 7) % 5}`
    const name = `${client}-${round}`
    names.push(name)
    sent.push(send(watched, name, { client, lacks: round % 3, open: () => sleep(round % 2) }))
    if (round % 4 === 0) await sleep(0)
  }
  await Promise.all(sent)
  const decided = watched.commits.flat()
  expect([...decided].sort()).toEqual([...names].sort())
  for (const client of ['c0', 'c1', 'c2', 'c3', 'c4']) {
    const of = (all: readonly string[]) => all.filter((name) => name.startsWith(`${client}-`))
    expect(of(decided)).toEqual(of(names))
  }
})
