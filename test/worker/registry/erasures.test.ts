import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { REPORT_DELAY_MS } from '../../../worker/src/core/values/report-limits.ts'
import { send } from '../../support/worker/client.ts'
import { pause } from '../../support/worker/follower.ts'
import { asOperator, inShard, metrics, reported, spaceNamed } from '../../support/worker/registry.ts'
import { puts } from '../../support/worker/room.ts'

test('[RG4] no longer lists an erased space, and lists it again after the next write', async () => {
  const space = crypto.randomUUID()
  const a = await spaceNamed(space)
  await a.sync({ changes: puts(['k/1', 'k/2']) })
  await reported(space, { entries: 2 })
  const before = await metrics()
  await send('DELETE', '/api/space', { body: { confirm: space }, bearer: a.session })
  await vi.waitFor(async () =>
    expect((await asOperator(`/api/spaces?prefix=${space}`)).body.spaces).toEqual([]),
  )
  const after = await metrics()
  expect(after.chronicle_changes_total).toBe(before.chronicle_changes_total)
  expect(after.chronicle_spaces).toBe((before.chronicle_spaces ?? 0) - 1)
  await pause(1100)
  await (await spaceNamed(space)).sync({ changes: puts(['k/1']) })
  await reported(space, { entries: 1 })
})

test('[RG4] does not list a space that was erased before its first report', async () => {
  for (const delay of [0, REPORT_DELAY_MS / 5, REPORT_DELAY_MS]) {
    const space = crypto.randomUUID()
    const a = await spaceNamed(space)
    await a.sync({ changes: puts(['k/1']) })
    await pause(delay)
    await send('DELETE', '/api/space', { body: { confirm: space }, bearer: a.session })
    await pause(4 * REPORT_DELAY_MS)
    expect((await asOperator(`/api/spaces?prefix=${space}`)).body.spaces, `${delay} ms`).toEqual([])
  }
})

test('[RG4] wakes after an erasure to tell the registry, also if the object ends at once', async () => {
  const space = crypto.randomUUID()
  const a = await spaceNamed(space)
  await a.sync({ changes: puts(['k/1']) })
  await reported(space, { entries: 1 })
  const answer = Promise.withResolvers<void>()
  await inShard(space, ({ constructor: { prototype } }) => {
    vi.spyOn(prototype, 'forget').mockReturnValue(answer.promise)
  })
  await send('DELETE', '/api/space', { body: { confirm: space }, bearer: a.session })
  const stub = env.CHRONICLE.getByName(space)
  const alarm = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())
  expect(alarm).toBeGreaterThan(Date.now())
  answer.resolve()
  vi.restoreAllMocks()
})

test('[RG4] forgets an erased space at its alarm if the registry could not be reached', async () => {
  const space = crypto.randomUUID()
  const a = await spaceNamed(space)
  await a.sync({ changes: puts(['k/1']) })
  await reported(space, { entries: 1 })
  await inShard(space, ({ constructor: { prototype } }) => {
    vi.spyOn(prototype, 'forget').mockRejectedValue(new Error('the registry is away'))
  })
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const stub = env.CHRONICLE.getByName(space)
  expect((await send('DELETE', '/api/space', { body: { confirm: space }, bearer: a.session })).status).toBe(
    200,
  )
  await vi.waitFor(async () => {
    expect(await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())).not.toBeNull()
  })
  vi.restoreAllMocks()
  expect((await asOperator(`/api/spaces?prefix=${space}`)).body.spaces).toHaveLength(1)
  await runInDurableObject(stub, (object) => object.alarm())
  await vi.waitFor(async () =>
    expect((await asOperator(`/api/spaces?prefix=${space}`)).body.spaces).toEqual([]),
  )
})
