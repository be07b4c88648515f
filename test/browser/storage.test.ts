import { expect } from 'vitest'
import type { UnsyncedEdit } from '../../client/src/index.ts'
import { countOf, syncs, type Tab, testInBrowser, until, withStage } from './stage.ts'

const stage = withStage()

const EDITS = 3_000
const QUICK = 1_500

testInBrowser('sends 3,000 edits that were made offline, in their order, after a reload', async () => {
  const { open, relay, reader } = await stage.scene()
  const tab = await open()
  await tab.run(() => db.sync())
  relay.rule = () => 'refuse'
  relay.cut()
  const writing = Date.now()
  await tab.run(async (count) => {
    const saved: Promise<void>[] = []
    for (let at = 0; at < count; at += 1) {
      saved.push(notes.put(`n${at % 1_000}`, { title: `edit ${at}` }))
      if (at % 100 === 0) await new Promise((resolve) => setTimeout(resolve))
    }
    await Promise.all(saved)
  }, EDITS)
  const written = Date.now()
  await tab.reload()
  expect((await tab.run(() => listUnsynced())).length).toBe(EDITS)
  await until(() => tab.run(() => db.status.getSnapshot().obstacle?.code === 'offline'))

  relay.rule = () => 'pass'
  const sending = Date.now()
  await syncs(tab)
  const requests = countOf(relay.seen, '/api/sync')
  console.log(
    `${EDITS} edits: saved in ${written - writing} ms, sent in ${Date.now() - sending} ms, ${requests} requests`,
  )
  const { notes: held, versions } = await reader.held()
  expect([held.size, versions]).toEqual([1_000, EDITS])
  expect(held.get('n999')).toEqual({ title: 'edit 2999' })
  expect(await reader.titlesOf('n7')).toEqual(['edit 7', 'edit 1007', 'edit 2007'])
  expect(await tab.run(() => listUnsynced())).toEqual([])
  expect(requests).toBeLessThan(30)
})

testInBrowser('sends what waits as soon as the browser is online again', async () => {
  const { open, reader, relay } = await stage.scene()
  const tab = await open()
  await tab.run(() => db.sync())
  const connect = (offline: boolean) =>
    tab.call('Network.emulateNetworkConditions', {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    })
  await tab.call('Network.enable')
  await connect(true)
  relay.cut()
  await tab.run(() => notes.put('n1', { title: 'milk' }))
  await until(() => tab.run(() => db.status.getSnapshot().obstacle?.code === 'offline'))
  expect((await reader.held()).notes.size).toBe(0)
  expect(await tab.run(() => listUnsynced())).toEqual(['n1'])
  await connect(false)
  await until(async () => (await reader.held()).notes.has('n1'))
})

const clientOf = (tab: Tab) =>
  tab.run(async () => ((await db.diagnostics()).replica as { clientId: string }).clientId)

testInBrowser('puts edits back into a store that the browser has cleared, as a new client', async () => {
  const { open, relay, reader } = await stage.scene()
  const tabs = [await open(), await open()] as const
  await tabs[0].run(() => notes.put('old', { title: 'synced' }).synced)
  const before = await clientOf(tabs[0])
  relay.rule = () => 'refuse'
  relay.cut()
  const write = (name: string, count: number) =>
    Promise.all(
      tabs.map((tab, index) =>
        tab.run(
          async (prefix, size) => {
            for (let at = 0; at < size; at += 1) {
              const edit = notes.put(`${prefix}${at}`, { title: prefix })
              edit.synced.then(
                () => report('synced'),
                ({ code }) => report(`failed ${code}`),
              )
              await edit
            }
          },
          `${name}${index}-`,
          count * (index + 1),
        ),
      ),
    )
  await write('before', 5)
  const during = write('during', 20)
  await tabs[0].call('Storage.clearDataForOrigin', {
    origin: await tabs[0].run(() => location.origin),
    storageTypes: 'all',
  })
  await during
  await write('after', 5)
  for (const tab of tabs) await until(async () => (await tab.run(() => listUnsynced())).length === 90)

  relay.rule = () => 'pass'
  await syncs(tabs[1])
  const { notes: held, versions } = await reader.held()
  expect([held.size, versions]).toEqual([91, 91])
  for (const [index, tab] of tabs.entries()) {
    await until(() => tab.reports.length === 30 * (index + 1))
    expect(new Set(tab.reports)).toEqual(new Set(['synced']))
    await until(async () => (await tab.run(() => notes.all())).length === 91)
    expect(await clientOf(tab)).not.toBe(before)
    expect(await tab.run(() => listUnsynced())).toEqual([])
  }
})

testInBrowser('puts edits back that were saved faster than one a millisecond', async () => {
  const { open, relay, reader } = await stage.scene()
  relay.rule = () => 'refuse'
  const tab = await open()
  await tab.run(async (count) => {
    await Promise.all(Array.from({ length: count }, (_, at) => notes.put(`n${at}`, { title: 'quick', at })))
  }, QUICK)
  const origin = await tab.run(() => location.origin)
  await tab.call('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' })
  await tab.run(() => notes.put('last', { title: 'after' }))
  await until(async () => (await tab.run(() => listUnsynced())).length === QUICK + 1)
  relay.rule = () => 'pass'
  await syncs(tab)
  const { notes: held, versions } = await reader.held()
  expect([held.size, versions]).toEqual([QUICK + 1, QUICK + 1])
})

testInBrowser(
  'says that an edit is not saved while the disk is full, and saves the next one when there is room',
  async () => {
    const { open } = await stage.scene()
    const first = `
    const put = IDBObjectStore.prototype.put
    IDBObjectStore.prototype.put = function (...given) {
      if (globalThis.isFull) throw new DOMException('the disk is full', 'QuotaExceededError')
      return put.apply(this, given)
    }`
    const tab = await open({ first })
    await tab.run(() => notes.put('n1', { title: 'milk' }).synced)
    await tab.run(() => void Object.assign(globalThis, { isFull: true }))
    expect(
      await tab.run(() => notes.put('n2', { title: 'eggs' }).catch(({ name, code }) => [name, code])),
    ).toEqual(['ChronicleError', 'storage'])
    expect(await tab.run(() => listUnsynced())).toEqual([])
    await tab.run(() => void Object.assign(globalThis, { isFull: false }))
    await tab.run(() => notes.put('n3', { title: 'bread' }))
    expect(await tab.run(async () => (await notes.all()).map(({ $id }) => $id))).toEqual(['n1', 'n3'])
  },
)

/** Scripts that run before the app, as a browser without IndexedDB. */
const WITHOUT = {
  'has no IndexedDB': `Object.defineProperty(window, 'indexedDB', { value: undefined })`,
  'denies IndexedDB': `Object.defineProperty(window, 'indexedDB', {
    get() { throw new DOMException('denied', 'SecurityError') },
  })`,
  'opens no database': `IDBFactory.prototype.open = () => { throw new DOMException('private', 'InvalidStateError') }`,
}

for (const [what, first] of Object.entries(WITHOUT))
  testInBrowser(`works in memory, and says so, in a browser that ${what}`, async () => {
    const { open, relay, reader } = await stage.scene()
    const tab = await open({ first })
    await until(() => tab.run(() => db.status.getSnapshot().storage === 'memory'))
    await tab.run(() => notes.put('n1', { title: 'milk' }).synced)
    relay.rule = () => 'refuse'
    relay.cut()
    await tab.run(() => notes.put('n2', { title: 'eggs' }))
    for (const end of ['close', 'logout'] as const) {
      const refusal = await tab.run(
        (method) =>
          db[method]().catch(({ code, edits }) => ({
            code,
            keys: edits.map(({ key }: UnsyncedEdit) => key),
          })),
        end,
      )
      expect(refusal).toEqual({ code: 'unsynced', keys: ['notes/n2'] })
    }
    relay.rule = () => 'pass'
    await syncs(tab)
    await tab.run(() => db.close())
    expect([...(await reader.held()).notes.keys()]).toEqual(['n1', 'n2'])
  })
