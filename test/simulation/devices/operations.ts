import type { Seat } from '../clients/cast.ts'
import { EVERYWHERE, operate } from '../history/operations.ts'
import { TO_THE_SERVER } from '../host/server-operations.ts'
import type { Browser } from './browser.ts'
import type { Made } from './made.ts'
import type { Tab } from './tab.ts'
import type { DeviceWorld } from './world.ts'

const HOUR = 3_600_000

/** The events of hand-made clients and of the server. */
const BESIDE = [...EVERYWHERE, ...TO_THE_SERVER]

/** An event, and its weight among the others. It does nothing where it does not apply. */
interface DeviceOperation {
  readonly weight: number
  run(world: DeviceWorld): unknown
}

function pickBrowser({ random, browsers }: DeviceWorld): Browser {
  return random.pick(browsers)
}

/** A tab in which the user can do something. */
function pickTab(world: DeviceWorld): { browser: Browser; tab: Tab } | undefined {
  const browser = pickBrowser(world)
  const tabs = browser.tabs.filter(({ runs, chronicle }) => runs && chronicle)
  return tabs.length === 0 ? undefined : { browser, tab: world.random.pick(tabs) }
}

const OPERATIONS: readonly DeviceOperation[] = [
  /** Devices, network and server continue. */
  {
    weight: 300,
    async run(world) {
      for (let events = world.random.between(1, 12); events > 0; events--)
        if (!(await world.proceed())) return world.sleep()
    },
  },

  /** A hand-made client, or the server, does something. */
  { weight: 60, run: (world) => operate(world.era, BESIDE) },

  /** A user edits rows. */
  {
    weight: 40,
    run(world) {
      const at = pickTab(world)
      if (!at) return
      world.app.edit(at.browser, at.tab)
    },
  },

  /** A user deals with an edit that needs attention. */
  {
    weight: 16,
    run(world) {
      const at = pickTab(world)
      const trouble = at && world.app.attend(at.tab)
      if (!trouble) return
      world.count('decisions')
      world.ledger.attend(at.browser, trouble)
    },
  },

  /** A tab is reloaded in the middle of whatever it does, or closed, or crashes. */
  {
    weight: 8,
    async run(world) {
      const browser = pickBrowser(world)
      if (browser.tabs.length > 0) kill(world, browser, world.random.pick(browser.tabs))
      if (browser.tabs.length === 0) browser.open()
    },
  },

  /** A tab ends as soon as a transaction is committed, before it learns of that. */
  {
    weight: 5,
    async run(world) {
      const browser = pickBrowser(world)
      if (!browser.disk.isReady) return
      kill(world, browser, await browser.disk.step())
      browser.open()
    },
  },

  /** A transaction fails. */
  {
    weight: 1,
    run(world) {
      const { disk } = pickBrowser(world)
      if (!disk.hasWrite) return
      world.count('failedWrites')
      disk.fail()
    },
  },

  /** The app is opened in another tab. */
  {
    weight: 5,
    run(world) {
      const browser = pickBrowser(world)
      if (!browser.isDurable || browser.tabs.length > 2) return
      world.count('twoTabs', Number(!world.figures.has('twoTabs')))
      browser.open()
    },
  },

  /** The browser freezes a tab. */
  {
    weight: 6,
    run(world) {
      const at = pickTab(world)
      if (!at) return
      world.count('freezes')
      at.tab.state = 'frozen'
    },
  },

  /** A frozen tab continues, some time later. */
  {
    weight: 8,
    run(world) {
      const frozen = world.tabs.filter(({ state }) => state === 'frozen')
      if (frozen.length > 0) thaw(world.random.pick(frozen))
    },
  },

  /** A tab is hidden, or shown again. */
  {
    weight: 4,
    run(world) {
      const tab = pickTab(world)?.tab
      if (!tab) return
      tab.isVisible = !tab.isVisible
      tab.wake()
    },
  },

  /** Half a minute passes for the devices, and a tab hears nothing from a frozen leader. */
  {
    weight: 6,
    run: (world) => proceedFor(world, 30_000),
  },

  /** The browser freezes the tab that leads, in the middle of whatever it does, and another tab takes the lead. */
  {
    weight: 3,
    async run(world) {
      const at = pickTab(world)
      if (!at?.browser.isDurable || !leads(at.tab)) return
      if (at.browser.tabs.length === 1) at.browser.open()
      world.app.edit(at.browser, at.tab)
      await proceedFor(world, world.random.between(0, 300))
      world.count('freezes')
      at.tab.state = 'frozen'
      await proceedFor(world, 20_000)
      for (const tab of at.browser.tabs) if (tab.runs && tab.chronicle) world.app.edit(at.browser, tab)
      await proceedFor(world, world.random.between(0, 300))
      thaw(at.tab)
    },
  },

  /** A device loses the network, or gets it back. */
  {
    weight: 5,
    run(world) {
      const browser = pickBrowser(world)
      browser.isOnline = !browser.isOnline || world.random.chance(0.6)
      if (!browser.isOnline) return world.cut(browser)
      for (const tab of browser.tabs) tab.wake()
    },
  },

  /** A request hangs while a socket opens. It arrives, others write too, and no response comes back. */
  {
    weight: 4,
    async run(world) {
      const at = pickTab(world)
      if (!at?.browser.isOnline || !leads(at.tab)) return
      const { browser, tab } = at
      await proceedFor(world, 10_000)
      world.cut(browser, false)
      while (isLive(tab) && (await world.proceed())) {}
      browser.slow = []
      world.app.edit(browser, tab)
      for (let waits = 8; waits > 0 && !isLive(tab); waits--) await proceedFor(world, 1_000)
      browser.isDeaf = true
      for (const parcel of browser.slow) world.network.send(parcel)
      browser.slow = undefined
      await proceedFor(world, 1_000)
      for (const seat of world.era.seats) await writeBeside(world, seat, tab.made.slice(-2))
      for (let waits = 9; waits > 0; waits--) await proceedFor(world, 5_000)
      browser.isDeaf = false
    },
  },

  /** A connection breaks. */
  { weight: 2, run: (world) => world.cut(pickBrowser(world)) },

  /** All sessions end. */
  { weight: 2, run: (world) => world.edge.expireAll() },

  /** The user signs in again. */
  { weight: 6, run: (world) => signIn(world, pickBrowser(world)) },

  /** A user sets the clock of a device. */
  {
    weight: 1,
    run(world) {
      pickBrowser(world).ahead = world.random.between(-30 * HOUR, 30 * HOUR)
    },
  },

  /** The operator limits the space, or gives it more room. */
  {
    weight: 2,
    run({ host, random }) {
      host.limit(random.chance(0.35) ? random.between(1, 5) : 1_000_000)
    },
  },

  /** A new release of the app holds other collections. */
  {
    weight: 1,
    async run(world) {
      const browser = pickBrowser(world)
      for (const tab of browser.tabs) kill(world, browser, tab)
      const granted = browser.user.granted ?? ['notes', 'tasks']
      browser.collections = world.random.chance(0.5) ? undefined : [world.random.pick(granted)]
      browser.open()
    },
  },

  /** The browser removes the data of the app. */
  {
    weight: 0.7,
    async run(world) {
      const browser = pickBrowser(world)
      world.count('clearings')
      world.ledger.clear(browser)
      browser.disk.clear(world.random.chance(0.6))
    },
  },

  /** The space is erased. */
  { weight: 0.25, run: (world) => world.erase() },
]

/** Lets a hand-made client write the same entries, and waits for the reply. */
async function writeBeside({ era }: DeviceWorld, seat: Seat, made: readonly Made[]): Promise<void> {
  era.giveUp(seat)
  await era.exchange(seat)
  for (const { key } of made)
    seat.client.edit({ key, value: `beside ${era.now}`, timestamp: era.now, ...seat.client.baseOf(key) })
  await era.exchange(seat)
}

function isLive({ chronicle }: Tab): boolean {
  return chronicle?.status.getSnapshot().live === true
}

function leads({ chronicle }: Tab): boolean {
  return chronicle?.status.getSnapshot().leads === true
}

/** Lets some time pass for the devices, ms, and not much happen in it. */
async function proceedFor(world: DeviceWorld, ms: number): Promise<void> {
  const until = world.now() + ms
  for (let events = world.random.between(20, 300); events > 0 && world.now() <= until; events--)
    if (!(await world.proceed()) && !(await world.sleep())) return
}

function kill(world: DeviceWorld, browser: Browser, tab: Tab): void {
  world.count('reloads')
  if (!browser.isDurable) world.ledger.clear(browser)
  browser.kill(tab)
}

export function thaw(tab: Tab): void {
  tab.state = 'running'
  tab.isVisible = true
  tab.wake()
}

export function signIn(world: DeviceWorld, browser: Browser): void {
  browser.token = world.edge.tokenFor(browser.user)
}

/** Picks one event by weight, and runs it. */
export async function operateDevices(world: DeviceWorld): Promise<void> {
  const total = OPERATIONS.reduce((sum, { weight }) => sum + weight, 0)
  let left = world.random.next() * total
  const chosen = OPERATIONS.find(({ weight }) => {
    left -= weight
    return left < 0
  })
  await chosen?.run(world)
  await world.step()
}
