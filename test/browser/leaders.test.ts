import { setTimeout } from 'node:timers/promises'
import { expect } from 'vitest'
import { isPush, type Scene, type Tab, testInBrowser, until, withoutSockets, withStage } from './stage.ts'

const stage = withStage()

const statusOf = (tab: Tab) => tab.run(() => db.status.getSnapshot())

const leads = async (tab: Tab) => (await statusOf(tab)).leads

/** Opens a tab that leads, and another one beside it. */
async function pairOf({ open, relay }: Scene): Promise<readonly [leader: Tab, other: Tab]> {
  relay.rule = withoutSockets
  const leader = await open()
  await until(() => leads(leader))
  return [leader, await open()]
}

/** Holds the next push that the leader makes. Returns what lets it go, once it has arrived. */
async function holdPush({ relay }: Scene, make: () => Promise<unknown>): Promise<() => void> {
  const held = Promise.withResolvers<void>()
  let isHeld = false
  relay.rule = async (seen) => {
    if (isPush(seen) && !isHeld) {
      isHeld = true
      await held.promise
    }
    return withoutSockets(seen)
  }
  await make()
  await until(() => isHeld)
  return held.resolve
}

/** Freezes a tab that is idle: browsers do not freeze one in the middle of a transaction. */
async function freeze(tab: Tab): Promise<void> {
  await setTimeout(300)
  await tab.call('Page.setWebLifecycleState', { state: 'frozen' })
}

const thaw = (tab: Tab) => tab.call('Page.setWebLifecycleState', { state: 'active' })

testInBrowser(
  'takes over from a leader that is frozen with a batch in flight, and is not disturbed by it',
  async () => {
    const scene = await stage.scene()
    const [frozen, other] = await pairOf(scene)
    const release = await holdPush(scene, () => frozen.run(() => notes.put('n1', { title: 'frozen' })))
    await freeze(frozen)
    const begin = Date.now()
    await other.run(() => notes.put('n2', { title: 'other' }))
    await until(() => leads(other))
    console.log(
      `A visible tab takes over from a frozen one after ${((Date.now() - begin) / 1000).toFixed(1)} s`,
    )
    await until(async () => (await statusOf(other)).pending === 0)
    const { reader } = scene
    expect([...(await reader.held()).notes.keys()].sort()).toEqual(['n1', 'n2'])
    expect((await reader.held()).versions).toBe(2)

    await other.run(() => notes.put('n1', { title: 'later' }).synced)
    // The answer to the frozen tab arrives now, and the tab wakes to find it.
    release()
    await thaw(frozen)
    await until(async () => !(await leads(frozen)))
    const synced = await frozen.run(() => notes.put('n3', { title: 'thawed' }).synced)
    expect(synced).toMatchObject({ status: 'applied' })
    expect((await reader.held()).versions).toBe(4)
    expect(await reader.titlesOf('n1')).toEqual(['frozen', 'later'])
    for (const tab of [frozen, other]) {
      await until(async () => (await tab.run(() => notes.all())).length === 3)
      expect(await tab.run(async () => (await notes.get('n1'))?.title)).toBe('later')
      expect(await tab.run(() => listUnsynced())).toEqual([])
      await until(async () => (await statusOf(tab)).obstacle === null)
    }
    expect([await leads(frozen), await leads(other)]).toEqual([false, true])
  },
)

testInBrowser(
  'takes over at once from a leader that is killed, with a call of sync() that waits',
  async () => {
    const scene = await stage.scene()
    const [leader, other] = await pairOf(scene)
    await holdPush(scene, () => leader.run(() => notes.put('n1', { title: 'milk' })))
    const begin = Date.now()
    const syncing = other.run(async () => {
      await notes.put('n2', { title: 'eggs' })
      report('saved')
      await db.sync()
    })
    await until(() => other.reports.includes('saved'))
    await leader.close()
    await syncing
    console.log(`Another tab takes over from a killed one, and has synced, after ${Date.now() - begin} ms`)
    const { notes: held, versions } = await scene.reader.held()
    expect([...held.keys()].sort()).toEqual(['n1', 'n2'])
    expect(versions).toBe(2)
    expect(Date.now() - begin).toBeLessThan(10_000)
  },
)

testInBrowser('removes everything at a logout, whether another tab is frozen or not', async () => {
  const { open, reader } = await stage.scene()
  const tabs = [await open(), await open(), await open()] as const
  const [frozen, awake, leaving] = tabs
  await leaving.run(() => notes.put('n1', { title: 'milk' }).synced)
  await freeze(frozen)
  await leaving.run(() => db.logout())
  await thaw(frozen)
  for (const tab of [frozen, awake]) {
    const failure = () => tab.run(() => notes.put('n2', { title: 'eggs' }).catch(({ code }) => code))
    await until(async () => (await failure()) === 'closed')
    expect(await tab.run(() => db.status.getSnapshot())).toMatchObject({
      online: false,
      obstacle: { code: 'closed' },
    })
  }
  const fresh = await open()
  expect(await fresh.run(() => db.unsynced())).toEqual([])
  await until(() => fresh.run(async () => (await notes.all()).length === 1))
  expect([...(await reader.held()).notes.keys()]).toEqual(['n1'])
})
