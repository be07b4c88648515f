import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished, test } from 'vitest'
import { type Chromium, hasChromium, type Page, startChromium } from '../support/browser/chromium.ts'
import { type Fate, type Relay, type Seen, startRelay } from '../support/browser/relay.ts'
import { type Site, startSite } from '../support/browser/site.ts'
import { allowMuch, GENEROUS, mintToken, testCloud } from '../support/cloud/cloud.ts'
import { until as untilWithin } from '../support/until.ts'
import { type Reader, readerOf } from './service.ts'

const isThere = hasChromium('the client was not tried in a browser')

/** Test that needs a browser. */
export const testInBrowser = test.runIf(isThere)

export interface Tab extends Omit<Page, 'run'> {
  /** Runs a function in the page. It sees the page's globals, and nothing of the test but its arguments. */
  run<A extends readonly unknown[], T>(task: (...given: A) => T | Promise<T>, ...given: A): Promise<T>
  /** Texts that the page has reported, over all its reloads. */
  readonly reports: readonly string[]
  reload(): Promise<void>
}

export interface TabOptions {
  /** Script that runs before the app's. */
  readonly first?: string
  /** The token that the app gives out. */
  readonly token?: string
  /** Name of the store. */
  readonly name?: string
}

/** One user with a browser profile, a space and a relay to the service. */
export interface Scene {
  readonly relay: Relay
  readonly reader: Reader
  /** Opens the app in another tab, and waits until its client is open. */
  open(options?: TabOptions): Promise<Tab>
  mint(more?: object): Promise<string>
}

export interface Stage {
  scene(): Promise<Scene>
}

/** Starts a service, a browser and the site of the app for the tests of a file. */
export function withStage(): Stage {
  const tested = testCloud()
  let site: Site
  let browser: Chromium
  let cloud: Awaited<ReturnType<typeof tested.start>>
  beforeAll(async () => {
    if (!isThere) return
    const starting = startChromium()
    site = await startSite(join(import.meta.dirname, 'app.ts'))
    cloud = await tested.start({ ...GENEROUS, corsOrigins: JSON.stringify([site.origin]) })
    await allowMuch(cloud)
    browser = await starting
  })
  afterAll(async () => {
    await browser?.close()
    site?.close()
    await tested.remove()
  })
  return {
    async scene() {
      const space = `user-${randomUUID()}`
      const mint = (more?: object) => mintToken(cloud, space, more)
      const token = await mint()
      const relay = await startRelay(cloud.url)
      onTestFinished(() => relay.close())
      const profile = await browser.newProfile()
      const reader = await readerOf(cloud.url, token)
      async function open({ first, ...more }: TabOptions = {}): Promise<Tab> {
        const query = new URLSearchParams({ url: relay.url, token, ...more })
        const page = await browser.open(`${site.origin}/?${query}`, { profile, ...(first && { first }) })
        return tabOf(page)
      }
      return { relay, reader, open, mint }
    },
  }
}

async function tabOf(page: Page): Promise<Tab> {
  const reports: string[] = []
  page.on('Runtime.bindingCalled', ({ payload }) => reports.push(payload))
  await page.call('Runtime.enable')
  await page.call('Runtime.addBinding', { name: 'report' })
  const run: Tab['run'] = (task, ...given) =>
    page.run(`(${task})(...${JSON.stringify(given)})`) as Promise<never>
  await page.run('opened')
  return {
    ...page,
    run,
    reports,
    async reload() {
      await page.run('globalThis.isOld = true')
      await page.call('Page.reload')
      await until(() => page.run('!globalThis.isOld && !!globalThis.opened').catch(() => false))
      await page.run('opened')
    },
  }
}

/** Rule that makes the client push over HTTP: the relay does not see the messages of a socket. */
export const withoutSockets = ({ path }: Seen): Fate => (path.startsWith('/api/live') ? 'refuse' : 'pass')

/** Whether a request brings edits. */
export const isPush = ({ path, body }: Seen) => path === '/api/sync' && JSON.parse(body).changes.length > 0

export const countOf = (seen: readonly Seen[], start = '/api') =>
  seen.filter(({ path }) => path.startsWith(start)).length

/** Syncs, also if an attempt is under way that is about to fail. */
export function syncs(tab: Tab): Promise<void> {
  const attempt = () =>
    db.sync().then(
      () => true,
      () => false,
    )
  return until(() => tab.run(attempt))
}

/** Waits until a condition holds: a tab takes over from a frozen one after about 13 s. */
export const until = (holds: () => unknown, withinMs = 30_000) => untilWithin(holds, withinMs)
