import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { SHARDS, shardOf } from '../../../worker/src/core/report/shards.ts'
import { REPORT_DELAY_MS } from '../../../worker/src/core/values/report-limits.ts'
import { configure, newSpace, send } from '../../support/worker/client.ts'
import { follow, pause } from '../../support/worker/follower.ts'
import { asOperator, inShard, metrics, reported, reportLongAgo } from '../../support/worker/registry.ts'
import { pushed, puts, T } from '../../support/worker/room.ts'

/** A report as the space of a test would make it. */
function report(space: string, at: number, more: object = {}) {
  const usual = { entries: 1, bytes: 1000 }
  return {
    ...{ space, at, epoch: 'e', seq: 1, used: usual, limit: { entries: 100, bytes: 100_000 } },
    ...{
      openConflicts: 0,
      conflicts: 0,
      defects: 0,
      since: null,
      devices: 1,
      lastSync: at,
      upkeepFailures: 0,
    },
    ...more,
  }
}

test('[RG1] lists a space soon after its first write, and not before', async () => {
  const { space, a } = await newSpace()
  await a.get('/api/changes')
  expect((await asOperator(`/api/spaces?prefix=${space}`)).body.spaces).toEqual([])
  await a.sync({ batch: 1, changes: puts(['k/1', 'k/2', 'k/3']) })
  await reported(space, { entries: 3, openConflicts: 0, devices: 1, upkeepFailures: 0 })
})

test('[RG1] reports the first open conflict, and that it was decided', async () => {
  const { space, a, b } = await newSpace()
  await configure({ policies: { m: 'manual' } })
  await a.sync({ changes: [{ key: 'm/1', value: 1, timestamp: T, base: null }] })
  await reported(space, { entries: 1 })
  await reportLongAgo(space)
  const { body } = await b.sync({ changes: [{ key: 'm/1', value: 2, timestamp: T, base: null }] })
  await reported(space, { openConflicts: 1 })
  await reportLongAgo(space)
  const [{ id, winner }] = body.conflicts
  const path = `/api/conflicts/${id}/resolve`
  await send('POST', path, { body: { choice: 'loser', base: winner.version }, bearer: a.session })
  await reported(space, { openConflicts: 0 })
})

test('[RG1] reports that a lowered quota is used up, though nothing can be written', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: puts(['m/1', 'm/2']) })
  await reported(space, { entries: 2 })
  await reportLongAgo(space)
  await configure({ quota: { entries: 1 } })
  await vi.waitFor(async () => expect((await a.sync({ changes: puts(['m/3']) })).status).toBe(507), 10_000)
  await reported(space, { quota: expect.objectContaining({ entries: 1 }) })
  await configure({})
})

test('[RG1] reports the first open conflict of a push on a socket too', async () => {
  const { space, a, b } = await newSpace()
  await configure({ policies: { m: 'manual' } })
  // The third version, which conflicts, passes no power of two: a report of the first two is not due again for it.
  await a.sync({ changes: puts(['m/1', 'm/2']) })
  await reported(space, { openConflicts: 0 })
  await reportLongAgo(space)
  const socket = await follow(b)
  await socket.next()
  await pushed(socket, 'x', { changes: [{ key: 'm/1', value: 2, timestamp: T, base: null }] })
  await reported(space, { openConflicts: 1 })
  socket.close()
})

test('[RG2] takes pushes while the registry fails, and reports everything later', async () => {
  const { space, a } = await newSpace()
  const before = (await metrics()).chronicle_changes_total ?? 0
  await inShard(space, ({ constructor: { prototype } }) => {
    vi.spyOn(prototype, 'report').mockRejectedValue(new Error('the registry is away'))
  })
  const warnings = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  expect((await a.sync({ changes: puts(['k/1']) })).status).toBe(200)
  await vi.waitFor(() => expect(warnings.mock.calls.join()).toContain('space not reported'), 10_000)
  expect((await a.sync({ changes: puts(['k/2']) })).status).toBe(200)
  vi.restoreAllMocks()
  await evictDurableObject(env.CHRONICLE.getByName(space))
  await a.sync({ changes: puts(['k/3']) })
  await reported(space, { entries: 3 })
  expect((await metrics()).chronicle_changes_total).toBeGreaterThanOrEqual(before + 3)
})

test('[RG1] reports a space whose first report was lost, as soon as anybody reads it', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: puts(['k/1']) })
  await reported(space, { entries: 1 })
  const stub = env.CHRONICLE.getByName(space)
  await runInDurableObject(stub, (_, { storage }) => {
    storage.sql.exec(`DELETE FROM meta WHERE name = 'reported'`)
  })
  await evictDurableObject(stub)
  await inShard(space, (registry) => registry.forget(space, 0))
  expect((await asOperator(`/api/spaces?prefix=${space}`)).body.spaces).toEqual([])
  await inShard(space, (_, { storage }) => {
    storage.sql.exec('DELETE FROM space WHERE name = ?', space)
  })
  await a.get('/api/status')
  await reported(space, { entries: 1 })
})

test('[RG1] sends one report at a time, however slow the registry is', async () => {
  const { space, a } = await newSpace()
  let [running, most, calls] = [0, 0, 0]
  await inShard(space, ({ constructor: { prototype } }) => {
    vi.spyOn(prototype, 'report').mockImplementation(async () => {
      calls += 1
      running += 1
      most = Math.max(most, running)
      await pause(6 * REPORT_DELAY_MS)
      running -= 1
    })
  })
  for (let round = 0; round < 20; round += 1) {
    await a.sync({ changes: puts(['k/1'], round) })
    await pause(REPORT_DELAY_MS / 2)
  }
  await vi.waitFor(() => expect(running).toBe(0), 10_000)
  vi.restoreAllMocks()
  expect([calls, most]).toEqual([1, 1])
})

test('[RG2] counts nothing twice of a report that arrives twice or late', async () => {
  const space = crypto.randomUUID()
  await inShard(space, async (registry) => {
    const counted = async () => {
      const { changes, conflicts } = await registry.totals()
      return [changes, conflicts]
    }
    const [changes = 0, conflicts = 0] = await counted()
    await registry.report(report(space, 10, { seq: 5, conflicts: 2 }))
    await registry.report(report(space, 10, { seq: 5, conflicts: 2 }))
    expect(await counted()).toEqual([changes + 5, conflicts + 2])
    const since = 10
    await registry.report(report(space, 20, { seq: 8, conflicts: 1, since }))
    await registry.report(report(space, 20, { seq: 8, conflicts: 1, since }))
    await registry.report(report(space, 10, { seq: 5, conflicts: 2 }))
    expect(await counted()).toEqual([changes + 8, conflicts + 3])
    await registry.report(report(space, 30, { epoch: 'f', seq: 2, conflicts: 1 }))
    expect(await counted()).toEqual([changes + 10, conflicts + 4])
    const { defects } = await registry.totals()
    // No change came between the defects, and the answer to the first report was lost.
    await registry.report(report(space, 40, { epoch: 'f', seq: 2, since: 30, defects: 1 }))
    await registry.report(report(space, 50, { epoch: 'f', seq: 2, since: 30, defects: 1 }))
    expect((await registry.totals()).defects).toBe(defects + 1)
  })
})

test('[RG2] takes the reports and the end of a space whose clock was set back', async () => {
  const space = crypto.randomUUID()
  await inShard(space, async (registry) => {
    await registry.report(report(space, 1000, { seq: 5 }))
    await registry.report(report(space, 900, { seq: 6, since: 1000, openConflicts: 1 }))
    expect(await registry.list({ order: 'name', prefix: space, after: null, limit: 9 })).toMatchObject([
      { openConflicts: 1 },
    ])
    await registry.forget(space, 800)
    expect(await registry.has(space)).toBe(false)
    await registry.report(report(space, 1100, { seq: 7, since: 900 }))
    expect(await registry.has(space), 'after a late report of the erased epoch').toBe(false)
    await registry.report(report(space, 700, { epoch: 'f', seq: 1 }))
    expect(await registry.has(space), 'after a report of the next epoch').toBe(true)
  })
})

test('[RG3] lists spaces by name, size and age, in pages of any size and across the shards', async () => {
  const names = ['ä', 'a', 'b/c', 'é', '\u{1f600}', '\u{ffff}', 'B', 'a%', 'a_', "o'k", '10', '9'].map(
    (name) => `p-${name}`,
  )
  expect(new Set(names.map(shardOf)).size).toBe(SHARDS.length)
  for (const [index, name] of names.entries()) {
    const used = { entries: index, bytes: 1000 * ((index * 7) % 12) }
    await inShard(name, (registry) =>
      registry.report(
        report(name, 100 + index, { used, lastSync: 50 - (index % 5), openConflicts: index % 4 }),
      ),
    )
  }
  const inBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other))
  const position = (name: string) => names.indexOf(name)
  const expected = {
    name: names.toSorted(inBytes),
    size: names.toSorted((one, other) => ((position(other) * 7) % 12) - ((position(one) * 7) % 12)),
    conflicts: names.toSorted(
      (one, other) => (position(other) % 4) - (position(one) % 4) || inBytes(one, other),
    ),
    age: names.toSorted((one, other) => (position(other) % 5) - (position(one) % 5) || inBytes(one, other)),
  }
  for (const [order, all] of Object.entries(expected)) {
    for (const limit of [1, 5, 12, 500]) {
      const found: string[] = []
      for (let after: string | null = ''; after !== null; ) {
        const query = new URLSearchParams({
          order,
          prefix: 'p-',
          limit: `${limit}`,
          ...(after !== '' && { after }),
        })
        const { status, body, text } = await asOperator(`/api/spaces?${query}`)
        expect(status, text).toBe(200)
        expect(body.spaces.length).toBeLessThanOrEqual(limit)
        found.push(...body.spaces.map(({ space }: { space: string }) => space))
        after = body.next
      }
      expect(found, `${order} ${limit}`).toEqual(all)
    }
  }
})

test('[RG3] refuses an unknown order and a place that it did not name', async () => {
  for (const query of ['order=big', 'after=x', 'limit=0', 'limit=501', 'prefix=a&prefix=b'])
    expect((await asOperator(`/api/spaces?${query}`)).body, query).toMatchObject({ code: 'invalid-request' })
})

test('[RG1] writes a row for a report in the space and one in the registry, and none while nothing is due', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: puts(['k/1']) })
  await reported(space, { entries: 1 })
  const rows = () =>
    runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) =>
      storage.sql.exec(`SELECT value FROM meta WHERE name = 'reported'`).one(),
    )
  const before = await rows()
  await a.sync({ changes: puts(['k/1'], 'other') })
  await pause(6 * REPORT_DELAY_MS)
  expect(await rows()).toEqual(before)
})
