import { setTimeout } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Relay } from '../support/browser/relay.ts'
import { countOf, isPush, syncs, type Tab, testInBrowser, until, withoutSockets, withStage } from './stage.ts'

const stage = withStage()

const obstacleOf = (tab: Tab) => tab.run(() => db.status.getSnapshot().obstacle?.code)
const putMilk = (tab: Tab) => tab.run(() => notes.put('n1', { title: 'milk' }))

/** Counts the requests of a while. */
async function during({ seen }: Relay, ms: number): Promise<number> {
  const before = countOf(seen)
  await setTimeout(ms)
  return countOf(seen) - before
}

testInBrowser('opens another session when the service refuses the one it has', async () => {
  const { open, relay, reader } = await stage.scene()
  const tab = await open()
  await tab.run(() => db.sync())
  let refusals = 0
  relay.rule = (seen) =>
    seen.path === '/api/sync' && refusals++ === 0
      ? { status: 401, code: 'session-expired' }
      : withoutSockets(seen)
  relay.cut()
  await until(async () => (await tab.run(() => db.status.getSnapshot().live)) === false)
  await putMilk(tab)
  await tab.run(() => db.sync())
  expect((await reader.held()).notes.size).toBe(1)
  expect([refusals, countOf(relay.seen, '/api/auth')]).toEqual([2, 2])
})

testInBrowser(
  'keeps edits while the token is refused, asks seldom, and sends them with a new token',
  async () => {
    const { open, relay, reader, mint } = await stage.scene()
    const expiresAt = (Math.floor(Date.now() / 1000) + 2) * 1000
    const tab = await open({ token: await mint({ expiresAt }) })
    await setTimeout(Math.max(0, expiresAt - Date.now()) + 100)
    await putMilk(tab)
    await until(async () => (await obstacleOf(tab)) === 'sign-in')
    expect(await during(relay, 2_000)).toBeLessThan(8)
    expect(await tab.run(() => listUnsynced())).toEqual(['n1'])
    expect(await obstacleOf(tab)).toBe('sign-in')
    await tab.run(
      (fresh) => {
        token = fresh
      },
      await mint(),
    )
    await syncs(tab)
    expect((await reader.held()).notes.size).toBe(1)
    expect(await tab.run(() => listUnsynced())).toEqual([])
  },
)

for (const [what, status, code] of [
  ['limits requests', 429, 'rate-limited'],
  ['is busy', 503, 'busy'],
] as const)
  testInBrowser(`waits as long as a service that ${what} asks for, and sends then`, async () => {
    const { open, relay, reader } = await stage.scene()
    relay.rule = () => ({ status, code, retryAfter: 3 })
    const tab = await open()
    await putMilk(tab)
    await until(async () => (await obstacleOf(tab)) === code)
    // Neither a call of the app nor another edit makes it ask earlier.
    const asked = during(relay, 2_000)
    expect(await tab.run(() => db.sync().catch((thrown) => thrown.code))).toBe(code)
    await tab.run(() => notes.put('n2', { title: 'eggs' }))
    expect(await asked).toBe(0)
    expect(await tab.run(() => listUnsynced())).toEqual(['n1', 'n2'])
    relay.rule = () => 'pass'
    await until(async () => (await reader.held()).notes.size === 2, 6_000)
    await until(async () => (await obstacleOf(tab)) === undefined)
  })

testInBrowser('seldom asks a service that fails, and sends when it is back', async () => {
  const { open, relay, reader } = await stage.scene()
  relay.rule = () => ({ status: 503, code: 'busy' })
  const tab = await open()
  await putMilk(tab)
  await until(async () => (await obstacleOf(tab)) === 'busy')
  // The line and the socket try three times each, after 0.25 to 0.5 s, 0.5 to 1 s, and 1 to 2 s.
  expect(await during(relay, 3_000)).toBeLessThan(7)
  expect(await tab.run(() => listUnsynced())).toEqual(['n1'])
  relay.rule = () => 'pass'
  await syncs(tab)
  expect((await reader.held()).notes.size).toBe(1)
})

testInBrowser('sends deletions to a space that is full, and keeps the rest of the queue', async () => {
  const { open, relay, reader } = await stage.scene()
  const tab = await open()
  await tab.run(() => notes.put('n1', { title: 'milk' }).synced)
  relay.rule = (seen) => {
    const { changes = [] } = seen.path === '/api/sync' ? JSON.parse(seen.body) : {}
    const isGrowing = changes.some(({ deleted }: { deleted?: boolean }) => !deleted)
    return isGrowing ? { status: 507, code: 'quota-exceeded' } : withoutSockets(seen)
  }
  relay.cut()
  await tab.run(async () => {
    await notes.put('n2', { title: 'eggs' })
    await notes.delete('n1')
  })
  await until(async () => (await reader.held()).notes.size === 0)
  await until(async () => (await obstacleOf(tab)) === 'quota-exceeded')
  expect(await tab.run(() => listUnsynced())).toEqual(['n2'])
  expect(await during(relay, 1_500)).toBeLessThan(10)
  relay.rule = () => 'pass'
  await syncs(tab)
  expect([...(await reader.held()).notes.keys()]).toEqual(['n2'])
})

testInBrowser('sends each edit once to a service whose answers get lost', async () => {
  const { open, relay, reader } = await stage.scene()
  let pushes = 0
  relay.rule = (seen) => (seen.path === '/api/sync' && pushes++ % 3 !== 2 ? 'lose' : withoutSockets(seen))
  const tab = await open()
  await tab.run(async () => {
    for (let at = 0; at < 20; at += 1) {
      await notes.put('n1', { title: `edit ${at}` })
      await new Promise((resolve) => globalThis.setTimeout(resolve, 50))
    }
  })
  await until(() => tab.run(async () => (await listUnsynced()).length === 0))
  expect(await reader.titlesOf('n1')).toEqual(Array.from({ length: 20 }, (_, at) => `edit ${at}`))
})

testInBrowser(
  'does not decide an edit again whose answer got lost, though another device has replaced it',
  async () => {
    const { open, relay, reader } = await stage.scene()
    let isLost = false
    relay.rule = async (seen) => {
      if (!isPush(seen)) return withoutSockets(seen)
      // The browser may repeat a request by itself, and finds no service then.
      if (isLost) return 'refuse'
      isLost = true
      return 'lose'
    }
    const tab = await open()
    await putMilk(tab)
    await until(async () => (await reader.held()).notes.has('n1'))
    await reader.write({ n1: { title: 'from elsewhere' } })
    relay.rule = withoutSockets
    await syncs(tab)
    await until(() => tab.run(async () => (await notes.get('n1'))?.title === 'from elsewhere'))
    expect(await reader.titlesOf('n1')).toEqual(['milk', 'from elsewhere'])
    expect(await tab.run(() => [db.troubles.getSnapshot().length, db.status.getSnapshot().troubles])).toEqual(
      [0, 0],
    )
    expect(await tab.run(() => listUnsynced())).toEqual([])
  },
)
