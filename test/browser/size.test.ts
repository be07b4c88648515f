import { expect } from 'vitest'
import { countOf, isPush, syncs, type Tab, testInBrowser, until, withoutSockets, withStage } from './stage.ts'

const stage = withStage()

/** `MEASURE=1 npm test -- test/browser/size.test.ts` prints the figures of docs/client.md. */
const DOCUMENTS = process.env['MEASURE'] ? 10_000 : 2_000
const EDITS = 1_000
/** The most entries in a page of the feed, and the most changes in a request. */
const MOST = 500

const text = 'A note of a usual length, which fills about three lines on a phone. '.repeat(3)

async function heapOf(tab: Tab): Promise<string> {
  await tab.call('HeapProfiler.collectGarbage')
  const { usedSize } = await tab.call('Runtime.getHeapUsage')
  return `${(usedSize / 1e6).toFixed(1)} MB`
}

testInBrowser(`reads ${DOCUMENTS} documents the first time, and takes an edit meanwhile`, async () => {
  const { open, relay, reader } = await stage.scene()
  await reader.write(
    Object.fromEntries(
      Array.from({ length: DOCUMENTS }, (_, at) => [`n${at}`, { title: `${text}${at}`, at }]),
    ),
  )
  relay.rule = withoutSockets
  const tab = await open()
  const edit = await tab.run(async () => {
    const { behind } = db.status.getSnapshot()
    const begin = performance.now()
    const made = notes.put('mine', { title: 'written meanwhile' })
    await made
    const saved = performance.now()
    await made.synced
    return { behind, saved: Math.round(saved - begin), told: Math.round(performance.now() - begin) }
  })
  await tab.run(() => db.sync())
  const first = await tab.run(() => render())
  const heap = await heapOf(tab)
  expect(edit.behind).toBe(true)
  expect(first.rows).toBe(DOCUMENTS + 1)
  expect((await reader.held()).notes.get('mine')).toEqual({ title: 'written meanwhile' })
  const requests = countOf(relay.seen, '/api/sync')
  const place = countOf(relay.seen.slice(0, relay.seen.findIndex(isPush) + 1), '/api/sync')
  expect(place).toBeLessThanOrEqual(DOCUMENTS / MOST)
  // A page more for the edit, one for the end of the feed, and one for the call of sync().
  expect(requests).toBeLessThanOrEqual(DOCUMENTS / MOST + 4)

  await tab.reload()
  const again = await tab.run(() => rendered)
  expect(again.rows).toBe(DOCUMENTS + 1)
  console.log(
    `${DOCUMENTS} documents: first sync and rendering ${first.ms} ms, ${requests} requests, heap ${heap};`,
    `an edit meanwhile was saved after ${edit.saved} ms, went with request ${place}, and was synced after ${edit.told} ms;`,
    `after a reload all rows are rendered after ${again.ms} ms, heap ${await heapOf(tab)}`,
  )
})

testInBrowser(`sends ${EDITS} edits that wait in a few requests`, async () => {
  const { open, relay, reader } = await stage.scene()
  relay.rule = () => 'refuse'
  const tab = await open()
  const saved = await tab.run(
    async (count, title) => {
      const begin = performance.now()
      await Promise.all(Array.from({ length: count }, (_, at) => notes.put(`n${at}`, { title, at })))
      return Math.round(performance.now() - begin)
    },
    EDITS,
    text,
  )
  relay.rule = withoutSockets
  const before = relay.seen.length
  const begin = Date.now()
  await syncs(tab)
  await until(() => tab.run(() => db.status.getSnapshot().pending === 0))
  const took = Date.now() - begin
  const requests = countOf(relay.seen.slice(before), '/api/sync')
  console.log(`${EDITS} edits: saved in ${saved} ms, sent in ${took} ms, ${requests} requests`)
  const { notes: held, versions } = await reader.held()
  expect([held.size, versions]).toEqual([EDITS, EDITS])
  expect(requests).toBeLessThanOrEqual(EDITS / MOST + 3)
})
