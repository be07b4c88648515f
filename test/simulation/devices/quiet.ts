import type { Row } from '../../../client/src/view/row.ts'
import { Violation } from '../values/violation.ts'
import { type Json, sameJson } from '../values/wire.ts'
import type { Browser } from './browser.ts'
import { signIn, thaw } from './operations.ts'
import type { Tab } from './tab.ts'
import { snapshotOf } from './witness.ts'
import type { DeviceWorld } from './world.ts'

/** The most rounds until all devices and clients have told each other everything. */
const MAX_ROUNDS = 30

/** Longer than any wait of a device, ms. */
const PATIENCE_MS = 200_000

/** Longer than a call of `sync()` takes, ms. */
const SYNC_MS = 60_000

/** Lets everything end well: nothing is lost any more, and all devices sync until nothing changes. */
export async function calm(world: DeviceWorld): Promise<void> {
  const { era, browsers } = world
  world.isKind = true
  await world.relieve()
  for (const browser of browsers) {
    browser.isOnline = true
    if (browser.tabs.length === 0) browser.open()
    signIn(world, browser)
    for (const tab of browser.tabs) thaw(tab)
  }
  await world.step()
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const before = era.journal.last
    await era.calm()
    await world.rest(PATIENCE_MS)
    if (era.journal.last === before && round > 0) return
  }
  throw new Violation('IN1', `devices are not quiet after ${MAX_ROUNDS} rounds`)
}

/** Checks what devices hold and tell once everything is quiet. */
export async function checkDevices(world: DeviceWorld): Promise<void> {
  for (const browser of world.browsers) {
    await checkStore(world, browser)
    for (const tab of browser.tabs) await checkTab(world, browser, tab)
  }
  await checkSync(world)
  world.ledger.check()
  const copies = world.browsers.map(async (browser) => snapshotOf(browser, await browser.disk.rows()))
  await world.close(await Promise.all(copies))
}

/** `sync()` resolves in every tab, now that nothing is in its way. */
async function checkSync(world: DeviceWorld): Promise<void> {
  for (const browser of world.browsers)
    for (const tab of browser.tabs) {
      let outcome = 'it does not end'
      void tab.chronicle?.sync().then(
        () => {
          outcome = 'done'
        },
        (reason: unknown) => {
          outcome = String(reason)
        },
      )
      await world.rest(SYNC_MS)
      expect(world, outcome === 'done', () => `sync() in ${tab.name}: ${outcome}`)
      const age = browser.clock() - (tab.chronicle?.status.getSnapshot().lastSync ?? 0)
      expect(world, Math.abs(age) <= 2 * SYNC_MS, () => `the last sync of ${tab.name} was ${age} ms ago`)
    }
}

async function checkStore(world: DeviceWorld, { name, disk }: Browser): Promise<void> {
  const { edits, state } = await disk.rows()
  const left = JSON.stringify(edits)
  expect(world, edits.length === 0, () => `${name} still has ${left} to send`)
  const isEnded = state?.outgoing === null && state.restart === null
  expect(world, isEnded, () => `${name} is not at its end: ${JSON.stringify(state)}`)
}

/** Checks that a tab shows the rows of its store, and tells the truth about itself. */
async function checkTab(world: DeviceWorld, browser: Browser, tab: Tab): Promise<void> {
  const { chronicle, name, made } = tab
  if (chronicle === undefined) throw new Violation('IN1', `${name} did not open`)
  const { entries, outcomes } = await browser.disk.rows()
  const status = chronicle.status.getSnapshot()
  const troubles = chronicle.troubles.getSnapshot()
  const isTrue = status.pending === 0 && status.troubles === outcomes.length && status.obstacle === null
  expect(world, isTrue && status.online && !status.behind, () => `${name} tells ${JSON.stringify(status)}`)
  const isListed = troubles.length === outcomes.length
  expect(world, isListed, () => `${name} lists ${troubles.length} of ${outcomes.length} troubles`)
  for (const collection of browser.collections ?? ['notes', 'tasks']) {
    const rows = await answered(world, chronicle.collection(collection).all())
    const stored = [...entries.values()].filter(({ key }) => key.startsWith(`${collection}/`))
    const isSame = rows.length === stored.length
    expect(world, isSame, () => `${name} shows ${rows.length} of ${stored.length} rows of ${collection}`)
    for (const row of rows) {
      const key = `${collection}/${row.$id}`
      const entry = entries.get(key)
      const outcome = outcomes.findLast((one) => one.key === key && one.status !== 'orphaned')
      const isRight = row.$version === entry?.version && row.$status === (outcome?.status ?? 'synced')
      expect(
        world,
        isRight && sameJson(contentOf(row), entry?.value),
        () =>
          `${name} shows ${key} as ${row.$status} ${row.$version} ${JSON.stringify(row)}, not ${JSON.stringify([entry, outcome?.status])}`,
      )
    }
  }
  for (const one of made) {
    const isSettled = one.failure !== undefined || (one.isSaved && one.settled !== undefined)
    expect(world, isSettled, () => `an edit in ${name} is never settled: ${JSON.stringify(one)}`)
    world.ledger.checkSettled(browser, one)
  }
}

function contentOf(row: Row<object>): Json {
  return '$value' in row ? (row.$value as Json) : (row as Json)
}

async function answered<T>(world: DeviceWorld, question: Promise<T>): Promise<T> {
  let answer: { readonly value: T } | undefined
  void question.then((value) => {
    answer = { value }
  })
  await world.rest(0)
  if (answer === undefined) throw new Violation('IN1', 'a read of a row does not end')
  return answer.value
}

function expect({ ledger }: DeviceWorld, holds: boolean, message: () => string): void {
  ledger.verdicts.expect(holds, 'IN1', message)
}
