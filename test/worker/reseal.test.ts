import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { decodeChunks } from '../../worker/src/core/log/chunk.ts'
import { RESEAL_AGAIN_MS } from '../../worker/src/core/values/limits.ts'
import { handle } from '../../worker/src/http/edge.ts'
import { listConflicts } from '../../worker/src/objects/read/conflicts.ts'
import { readHistory } from '../../worker/src/objects/read/history.ts'
import { pull } from '../../worker/src/objects/read/pull.ts'
import { openSpace, type Space } from '../../worker/src/objects/space/space.ts'
import { reseal, upkeep } from '../../worker/src/objects/upkeep/upkeep.ts'
import { age, damageChunks } from './ageing.ts'
import { device, mint, type Reply, send } from './client.ts'
import { sessionOf } from './session.ts'

const T = Date.now() - 60_000
const ROTATED = `2:${btoa('n'.repeat(32))} ${env.MASTER_KEY}`
const NEWEST_ONLY = ROTATED.split(' ')[0] as string
const KEYS = Array.from({ length: 60 }, (_, index) => `k/${index}`)

const session = sessionOf()

/** A space with history, conflicts and an archive, all sealed by the first master key. */
async function grownSpace(): Promise<string> {
  const space = crypto.randomUUID()
  const { token } = await mint({ space })
  const [a, b] = [await device({ token }), await device({ token })]
  for (let round = 0; round < 4; round++) {
    const changes = KEYS.map((key) => ({ key, value: `${round} ${'x'.repeat(400)}`, timestamp: T + round }))
    await a.sync({ changes })
    await b.sync({ changes: [{ key: 'k/0', value: round, timestamp: T, base: null }] })
  }
  await age(space, 1)
  return space
}

function under<R>(
  space: string,
  masterKeys: string,
  work: (opened: Space, storage: DurableObjectStorage) => Promise<R>,
): Promise<R> {
  return runInDurableObject(env.CHRONICLE.getByName(space), async (_, state) => {
    await state.storage.deleteAlarm()
    return work(openSpace(state, { ...env, MASTER_KEY: masterKeys }), state.storage)
  })
}

/** All that readers can get of a space. */
async function everything(opened: Space): Promise<unknown> {
  const { entries } = await pull(opened, session, { query: { cursor: null }, wrote: null })
  const histories = await Promise.all(KEYS.map((key) => readHistory(opened, session, { key })))
  return { entries, histories, conflicts: await listConflicts(opened, {}, null) }
}

function generations(space: string): Promise<ReadonlySet<number>> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage: { sql } }) => {
    const bodies = [
      ...sql.exec<{ body: ArrayBuffer }>('SELECT body FROM segment'),
      ...sql.exec<{ body: ArrayBuffer }>('SELECT body FROM archive'),
      ...sql.exec<{ body: ArrayBuffer }>(`SELECT value AS body FROM meta WHERE name = 'names'`),
    ]
    const chunks = bodies.flatMap(({ body }) => decodeChunks(new Uint8Array(body)))
    return new Set(chunks.map(({ header }) => header.g))
  })
}

test('[KR6] all that a space holds is sealed by the newest key, and then read without the older one', async () => {
  const space = await grownSpace()
  const before = await under(space, env.MASTER_KEY, everything)
  await under(space, ROTATED, async (opened) => {
    const now = Date.now()
    const told = { generation: 2, entries: KEYS.length }
    const answers = []
    while (answers.length < 9 && answers.at(-1)?.done !== true) {
      answers.push(await reseal(opened, now))
      opened.alarm.forget()
      await upkeep(opened, now)
    }
    expect(answers).toEqual([
      ...Array.from({ length: answers.length - 1 }, () => ({ ...told, done: false })),
      { ...told, done: true },
    ])
    expect(answers.length).toBeGreaterThan(2)
  })
  expect(await generations(space)).toEqual(new Set([2]))
  expect(await under(space, NEWEST_ONLY, everything)).toEqual(before)
})

test('[KR6] before that the older key is needed, and a pass without it destroys nothing', async () => {
  const space = await grownSpace()
  const before = await under(space, env.MASTER_KEY, everything)
  await under(space, ROTATED, (opened) => opened.keys())
  await under(space, NEWEST_ONLY, async (opened) => {
    await expect(everything(opened)).rejects.toThrow('does not open')
    for (let round = 0; round < 4; round++) await upkeep(opened, Date.now())
  })
  expect(await under(space, ROTATED, everything)).toEqual(before)
})

function ask(...spaces: readonly string[]): Promise<Reply> {
  return send('POST', '/api/spaces/reseal', { bearer: env.ADMIN_TOKEN, body: { spaces } })
}

function newId(): string {
  return env.CHRONICLE.idFromName(crypto.randomUUID()).toString()
}

test('[KR6] spaces see to it by themselves, and say when it is done', async () => {
  const space = await grownSpace()
  const stub = env.CHRONICLE.getByName(space)
  await runInDurableObject(stub, (_, { storage: { sql } }) => {
    sql.exec(`DELETE FROM meta WHERE name = 'passes'`)
  })
  const [grown, empty] = [stub.id.toString(), newId()]
  const states = async () => {
    const { body } = await ask(grown, empty)
    expect(body).toMatchObject({ success: true, generation: 1, spaces: [{ id: grown }, { id: empty }] })
    return body.spaces.map(({ state }: { state: string }) => state)
  }
  expect(await states()).toEqual(['pending', 'done'])
  expect(await runDurableObjectAlarm(stub)).toBe(true)
  expect(await states()).toEqual(['done', 'done'])
})

/** Asks a Worker with other secrets or other objects than those of the test run. */
async function askOf(changed: Partial<Env>, ...spaces: readonly string[]): Promise<unknown> {
  const headers = { authorization: `Bearer ${env.ADMIN_TOKEN}`, 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify({ spaces }) }
  const response = await handle(new Request('https://sync.example/api/spaces/reseal', init), {
    ...env,
    ...changed,
  })
  return response.json()
}

test('[KR6] a space whose object still has the last secrets is not done, whatever the Worker has', async () => {
  const id = env.CHRONICLE.getByName(await grownSpace()).id.toString()
  const rotated = { MASTER_KEY: ROTATED }
  const pending = { success: true, generation: 2, spaces: [{ id, state: 'pending' }] }
  expect(await askOf(rotated, id)).toEqual(pending)
  expect(await askOf(rotated, id)).toEqual(pending)
})

test('[KR6] a space whose object runs an older release is not done, whatever that says', async () => {
  const id = newId()
  const objectThatSays = (told: object) => ({
    CHRONICLE: {
      idFromString: (text: string) => env.CHRONICLE.idFromString(text),
      get: () => ({ reseal: async () => told }),
    } as unknown as Env['CHRONICLE'],
  })
  const stateOf = async (told: object) =>
    ((await askOf(objectThatSays(told), id)) as { spaces: readonly { state: string }[] }).spaces[0]?.state
  expect(await stateOf({ done: true })).toBe('pending')
  expect(await stateOf({ done: true, generation: 1 })).toBe('pending')
  expect(await stateOf({ done: true, generation: 1, entries: 0 })).toBe('done')
  expect(await stateOf({ done: true, generation: 2, entries: 0 })).toBe('pending')
  expect(await stateOf({ done: false, generation: 1, entries: 0, unreadable: 3 })).toBe('failed')
})

/** Asks a space again and again, with its passes in between, as `npm run sweep` would. */
async function sweepOf(opened: Space, now: number) {
  for (let round = 0; round < 20; round++) {
    const told = await reseal(opened, now)
    if (told.done || told.unreadable !== undefined) return told
    opened.alarm.forget()
    await upkeep(opened, now)
  }
  throw new Error('the space was never done')
}

test('[KR6] what a pass could not read is counted, and the space is done once it can be read again', async () => {
  const space = await grownSpace()
  const before = await under(space, env.MASTER_KEY, everything)
  const now = Date.now()
  const told = await under(space, NEWEST_ONLY, (opened) => sweepOf(opened, now))
  expect(told).toEqual({ generation: 2, done: false, entries: KEYS.length, unreadable: expect.any(Number) })
  expect(told.unreadable).toBeGreaterThan(KEYS.length / 60)
  // Believed for a while: a sweep asks every second, and a pass reads all that the space holds.
  expect(await under(space, ROTATED, (opened) => reseal(opened, now + RESEAL_AGAIN_MS - 1))).toEqual(told)
  const mended = await under(space, ROTATED, (opened) => sweepOf(opened, now + RESEAL_AGAIN_MS))
  expect(mended).toEqual({ generation: 2, done: true, entries: KEYS.length })
  expect(await generations(space)).toEqual(new Set([2]))
  expect(await under(space, NEWEST_ONLY, everything)).toEqual(before)
})

test('[KR6] a pass of a release that did not count is done again', async () => {
  const space = await grownSpace()
  await under(space, NEWEST_ONLY, async (opened, { sql }) => {
    await opened.keys()
    const passes = { last: { at: Date.now(), generation: 2 }, now: { after: 9, to: 10, generation: 2 } }
    sql.exec(`INSERT OR REPLACE INTO meta VALUES ('passes', ?)`, JSON.stringify(passes))
    expect((await reseal(opened, Date.now())).done).toBe(false)
    expect((await sweepOf(opened, Date.now())).unreadable).toBeGreaterThan(0)
  })
})

test('[KR6] one that fails is told, and the others go on', async () => {
  const broken = env.CHRONICLE.getByName(crypto.randomUUID())
  await runInDurableObject(broken, (_, { storage: { sql } }) => {
    sql.exec(`INSERT INTO meta VALUES ('names', x'000000030000000100')`)
  })
  const { status, body } = await ask(broken.id.toString(), newId())
  expect(status).toBe(200)
  expect(body.spaces.map(({ state }: { state: string }) => state)).toEqual(['failed', 'done'])
})

test('[KR6] what is no object of the class is refused with its place, and so are none and more than a hundred', async () => {
  const place = { status: 422, body: { code: 'invalid-request' } }
  expect(await ask(newId(), '0'.repeat(64))).toMatchObject(place)
  expect((await ask(newId(), '0'.repeat(64))).body.detail).toContain('spaces[1]')
  expect(await ask('x')).toMatchObject(place)
  expect(await ask()).toMatchObject(place)
  const many = Array.from({ length: 101 }, newId)
  expect(await ask(...many)).toMatchObject(place)
  expect(await ask(...many.slice(1))).toMatchObject({ status: 200 })
})

test('[LC8] a chunk that cannot be read stays where it is, and the pass goes on', async () => {
  const space = crypto.randomUUID()
  const a = await device(await mint({ space }))
  for (let round = 0; round < 3; round++) {
    for (const key of ['k/1', 'k/2', 'k/3']) {
      await a.sync({ changes: [{ key, value: `${key} ${round}`, timestamp: T + round }] })
    }
  }
  // The version of k/2 that stands, and one of k/1 that was replaced.
  await damageChunks(space, (nth) => nth === 8 || nth === 1)
  const effort = await age(space, 1)
  expect(effort.next).not.toBe(0)
  expect(await a.get('/api/entries?key=k/2')).toMatchObject({ status: 500 })
  for (const key of ['k/1', 'k/3'])
    expect(await a.get(`/api/entries?key=${key}`)).toMatchObject({ status: 200, body: { value: `${key} 2` } })
  const kept = await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage: { sql } }) =>
    sql
      .exec<{ body: ArrayBuffer }>('SELECT body FROM segment ORDER BY first')
      .toArray()
      .flatMap(({ body }) => decodeChunks(new Uint8Array(body)))
      .map(({ header }) => header.slots[0]?.seq),
  )
  expect(kept).toEqual([1, 7, 8, 9])
  await damageChunks(space, (nth) => nth === 3)
  expect(await a.get('/api/entries?key=k/2')).toMatchObject({ status: 200, body: { value: 'k/2 2' } })
})
