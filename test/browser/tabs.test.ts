import { expect } from 'vitest'
import { countOf, isPush, syncs, testInBrowser, until, withoutSockets, withStage } from './stage.ts'

const stage = withStage()

testInBrowser('shows edits of one tab in the others at once, over one line to the service', async () => {
  const { open, relay, reader } = await stage.scene()
  const tabs = [await open(), await open()] as const
  for (const tab of tabs)
    await tab.run(() =>
      notes.subscribe({}, (rows) => report(rows.map(({ $id, title }) => `${$id} ${title}`).join())),
    )
  const [one, two] = tabs
  const shown = async (text: string) => {
    for (const tab of tabs) await until(() => tab.reports.at(-1) === text)
  }
  await one.run(() => notes.put('n1', { title: 'milk' }))
  await shown('n1 milk')
  await two.run(() =>
    notes.update('n1', (note) => {
      note.title = 'oat milk'
      return undefined
    }),
  )
  await two.run(() => notes.put('n2', { title: 'eggs' }))
  await shown('n1 oat milk,n2 eggs')
  await one.run(() => notes.delete('n2').synced)
  await shown('n1 oat milk')
  expect([...(await reader.held()).notes]).toEqual([['n1', { title: 'oat milk' }]])

  await reader.write({ n3: { title: 'from elsewhere' } })
  await shown('n1 oat milk,n3 from elsewhere')
  const counts = ['/api/auth', '/api/live/ticket', '/api/live?'].map((start) => countOf(relay.seen, start))
  expect(counts).toEqual([1, 1, 1])
})

testInBrowser(
  'tells a tab that does not lead when its edits are on the service, and syncs for it',
  async () => {
    const { open, reader } = await stage.scene()
    const leader = await open()
    const other = await open()
    await until(() => leader.run(() => db.status.getSnapshot().live))
    const synced = await other.run(() => notes.put('n1', { title: 'milk' }).synced)
    expect(synced).toMatchObject({ status: 'applied' })
    await other.run(async () => {
      void notes.put('n2', { title: 'eggs' })
      await db.sync()
    })
    expect([...(await reader.held()).notes.keys()]).toEqual(['n1', 'n2'])
    await until(() => other.run(() => db.status.getSnapshot().pending === 0))
    const status = (tab: typeof other) => tab.run(() => db.status.getSnapshot())
    expect(await status(leader)).toMatchObject({ leads: true, online: true, live: true, pending: 0 })
    expect(await status(other)).toMatchObject({ leads: false, online: true, live: true, pending: 0 })
  },
)

testInBrowser(
  'keeps two stores of one origin apart: each has its leader, its messages and its end',
  async () => {
    const { open } = await stage.scene()
    const one = await open()
    const two = await open({ name: 'another' })
    const leads = (tab: typeof one) => tab.run(() => db.status.getSnapshot().leads)
    for (const tab of [one, two]) await until(() => leads(tab))
    expect([await leads(one), await leads(two)]).toEqual([true, true])
    await one.run(() => notes.put('n1', { title: 'milk' }).synced)
    await until(() => two.run(async () => (await notes.all()).length === 1))
    await two.run(() => db.logout())
    const synced = await one.run(() => notes.put('n2', { title: 'eggs' }).synced)
    expect(synced).toMatchObject({ status: 'applied' })
    expect(await one.run(() => db.status.getSnapshot())).toMatchObject({ leads: true, obstacle: null })
  },
)

testInBrowser('syncs when that is asked for right after opening', async () => {
  const { open } = await stage.scene()
  const tab = await open()
  const took = await tab.run(async () => {
    const begin = Date.now()
    const client = await start('another')
    await client.sync()
    return Date.now() - begin
  })
  // A call that no tab has heard is given up after a minute.
  expect(took).toBeLessThan(20_000)
})

testInBrowser(
  'leads in one tab after the other in a browser without locks, as in a page without TLS',
  async () => {
    const { open, reader } = await stage.scene()
    const first = `Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })`
    const one = await open({ first })
    await one.run(() => notes.put('n1', { title: 'milk' }).synced)
    const two = await open({ first })
    await until(() => two.run(() => db.status.getSnapshot().leads))
    await one.run(() => notes.put('n2', { title: 'eggs' }).synced)
    await until(() => one.run(() => !db.status.getSnapshot().leads))
    await two.close()
    await one.run(() => notes.put('n3', { title: 'bread' }).synced)
    const { notes: held, versions } = await reader.held()
    expect([[...held.keys()].sort(), versions]).toEqual([['n1', 'n2', 'n3'], 3])
  },
)

testInBrowser('loses and repeats nothing when five tabs write and close in the middle', async () => {
  const { open, relay, reader } = await stage.scene()
  const tabs = [await open(), await open(), await open(), await open(), await open()]
  let pushes = 0
  let lost = 0
  relay.rule = (seen) => {
    // The browser may repeat a request by itself, and its second answer is lost too.
    if (!isPush(seen) || pushes++ % 5 > 1) return withoutSockets(seen)
    lost += 1
    return 'lose'
  }
  relay.cut()
  for (const [index, tab] of tabs.entries())
    void tab.run((name) => writeMany(name, 800), `t${index}-`).catch(() => {})
  for (const [index, tab] of tabs.slice(0, 4).entries()) {
    await until(() => tab.reports.length > 50 * (index + 1))
    await tab.close()
  }
  const last = tabs[4] as (typeof tabs)[number]
  await until(() => last.reports.length === 800)
  await syncs(last)
  expect(lost).toBeGreaterThan(1)
  const saved = tabs.flatMap(({ reports }) => reports)
  const { notes, versions } = await reader.held()
  expect(saved.filter((id) => !notes.has(id))).toEqual([])
  expect(versions).toBe(notes.size)
  expect(await last.run(() => listUnsynced())).toEqual([])
})
