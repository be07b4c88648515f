import { setTimeout } from 'node:timers/promises'
import { expect } from 'vitest'
import { mintToken } from '../../support/cloud/cloud.ts'
import { OfflineDevice } from '../../support/devices/offline-device.ts'
import { until } from '../../support/until.ts'
import { expectFlat, type Weight, weigh } from './weight.ts'
import { type Operator, testInConsole, withConsole } from './with-console.ts'

const console = withConsole()

/** `MEASURE=1 npm run test:browser -- test/browser/console/size.test.ts` takes a quarter of an hour. */
const isLarge = Boolean(process.env['MEASURE'])
const SPACES = isLarge ? 10_000 : 101
const ENTRIES = isLarge ? 100_000 : 1_200
/** Pages of entries that are turned. */
const TURNED = isLarge ? 200 : 12
const FEED_MS = isLarge ? 120_000 : 4_000
const CHANGES_PER_SECOND = 50
const ROUNDS_PER_SECOND = 10
const BATCH = 500
/** How many requests are under way at once. */
const LANES = 16
/** How long building up, turning and following may take, ms. */
const LONGEST_MS = isLarge ? 1_800_000 : 120_000

/** First paint on a machine that has nothing else to do, ms. */
const PAINT_MS = 1_000

const FIRST_ROW = 'tbody tr:first-child'

/** Notes when the first row is there, ms after the page began to load. */
const NOTE_ROW = `globalThis.rowAt = new Promise((resolve) => {
  const look = () => (document.querySelector('${FIRST_ROW}') ? resolve(performance.now()) : requestAnimationFrame(look))
  look()
})`

/** Reloads a page with a list. Returns the words for a report. */
async function reload({ page }: Operator): Promise<string> {
  await page.call('Page.addScriptToEvaluateOnNewDocument', { source: NOTE_ROW })
  await page.run('globalThis.isOld = true')
  await page.call('Page.reload')
  await until(() => page.run('!globalThis.isOld && !!globalThis.rowAt').catch(() => false))
  const row = Math.round(Number(await page.run('rowAt')))
  const painted = 'performance.getEntriesByName("first-contentful-paint")[0]?.startTime'
  await until(() => page.run(painted))
  const paint = await page.run(painted)
  if (isLarge) expect(paint).toBeLessThan(PAINT_MS)
  return `first paint after ${Math.round(Number(paint))} ms, first row after ${row} ms`
}

interface Turned {
  readonly rows: number
  /** The median time to the next page, ms. */
  readonly ms: number
  readonly weights: readonly Weight[]
}

/** Turns the pages of a list to its end, or as many as wanted. */
async function turn(operator: Operator, most = Number.POSITIVE_INFINITY): Promise<Turned> {
  const { page } = operator
  const weights: Weight[] = []
  const times: number[] = []
  const firstRow = () => page.run(`document.querySelector('${FIRST_ROW}')?.innerText`)
  let rows = 0
  for (let turned = 1; ; turned += 1) {
    rows += Number(await page.run('document.querySelectorAll("tbody tr").length'))
    // After a few pages the console has all that it keeps.
    if (turned > 3) weights.push(await weigh(operator))
    if (turned === most || (await operator.count('link', 'Next')) === 0) break
    const before = await firstRow()
    const begin = performance.now()
    await operator.click('link', 'Next')
    await until(async () => ![undefined, before].includes(await firstRow()))
    times.push(performance.now() - begin)
  }
  return { rows, ms: Math.round(times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0), weights }
}

/** Counts the maps in the memory of a page that have a key like this. */
async function mapsWith({ page }: Operator, key: RegExp): Promise<number> {
  const { result } = await page.call('Runtime.evaluate', { expression: 'Map.prototype' })
  const { objects } = await page.call('Runtime.queryObjects', { prototypeObjectId: result.objectId })
  const { objectId } = objects
  const functionDeclaration = `function () {
    return this.filter((map) => [...map.keys()].some((key) => ${key}.test(String(key)))).length
  }`
  const counted = await page.call('Runtime.callFunctionOn', {
    objectId,
    functionDeclaration,
    returnByValue: true,
  })
  await page.call('Runtime.releaseObject', { objectId })
  return counted.result.value
}

/** Does something for each number below a count, several at a time. */
async function each(count: number, act: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async () => {
    for (let at = next++; at < count; at = next++) await act(at)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

async function knownSpaces(): Promise<number> {
  const authorization = `Bearer ${console.cloud.outputs.adminToken}`
  const text = await (await fetch(`${console.cloud.url}/api/metrics`, { headers: { authorization } })).text()
  return Number(/^chronicle_spaces (\d+)/m.exec(text)?.[1])
}

testInConsole(
  `lists ${SPACES} spaces, page by page`,
  async () => {
    await each(SPACES, async (at) => {
      const device = new OfflineDevice('phone', console.cloud.url)
      await device.open(await mintToken(console.cloud, `space-${String(at).padStart(5, '0')}`))
      device.put('notes/1', { title: 'milk' })
      await device.sync()
    })
    await until(async () => (await knownSpaces()) === SPACES, LONGEST_MS)
    const operator = await console.operator('spaces')
    await operator.find('link', 'space-00000')
    const painted = await reload(operator)
    const { rows, ms, weights } = await turn(operator)
    expect(rows).toBe(SPACES)
    const flat = isLarge ? expectFlat(weights) : 'not weighed'
    globalThis.console.log(`${SPACES} spaces: ${painted}; ${ms} ms a page; ${flat}`)
  },
  LONGEST_MS,
)

testInConsole(
  `browses a space of ${ENTRIES} entries`,
  async () => {
    const device = await console.device('large', 'phone')
    for (let at = 0; at < ENTRIES; at += 1)
      device.put(`notes/${String(at).padStart(6, '0')}`, { title: `Note ${at}`, done: at % 2 === 0 })
    await device.sync(BATCH)
    await console.reported('large')
    const operator = await console.operator('space/large/entries')
    await operator.find('link', 'notes/000000')
    const painted = await reload(operator)
    const { rows, ms, weights } = await turn(operator, TURNED)
    expect(rows).toBe(TURNED * 100)
    expect(await mapsWith(operator, /after=/)).toBeGreaterThan(0)
    await operator.click('link', 'Devices')
    await operator.find('row', /^phone/)
    expect(await mapsWith(operator, /after=/)).toBe(0)
    await operator.click('link', 'Entries')
    const last = `notes/${String(ENTRIES - 1).padStart(6, '0')}`
    const begin = performance.now()
    await operator.fill('Key begins with', last)
    await operator.press('Enter')
    await operator.find('link', last)
    const found = Math.round(performance.now() - begin)
    globalThis.console.log(
      `${ENTRIES} entries: ${painted}; ${ms} ms a page; ${expectFlat(weights)}; the last one is found after ${found} ms`,
    )
  },
  LONGEST_MS,
)

testInConsole(
  `follows ${CHANGES_PER_SECOND} changes a second for ${FEED_MS / 1000} s`,
  async () => {
    const device = await console.device('busy', 'sensor')
    let written = 0
    const write = async () => {
      for (let change = 0; change < CHANGES_PER_SECOND / ROUNDS_PER_SECOND; change += 1)
        device.put(`readings/${written++ % 1_000}`, { celsius: written / 10 })
      await device.sync()
    }
    await write()
    await console.reported('busy')
    const operator = await console.operator('space/busy')
    await operator.find('status', 'Live')
    const early = written
    // The list has all its rows before the page is weighed.
    while (written < early + 250) await write()
    const weights: Weight[] = []
    const begin = performance.now()
    const first = written
    for (let round = 1; performance.now() - begin < FEED_MS; round += 1) {
      await write()
      if (round % (isLarge ? 50 : 5) === 0) weights.push(await weigh(operator))
      await setTimeout(Math.max(0, begin + (round * 1_000) / ROUNDS_PER_SECOND - performance.now()))
    }
    const rate = Math.round(((written - first) * 1_000) / (performance.now() - begin))
    const end = performance.now()
    await operator.sees(`${new Intl.NumberFormat('en').format(written - early)} writes`)
    const late = Math.round(performance.now() - end)
    const rows = await operator.page.run('document.querySelectorAll("tbody tr").length')
    expect(rows).toBe(200)
    globalThis.console.log(
      `a feed of ${rate} changes a second, ${written - first} in all: ${expectFlat(weights)}; all are shown ${late} ms after the last one`,
    )
  },
  LONGEST_MS,
)
