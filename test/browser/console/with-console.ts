import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type RunningCloud, startCloud } from '../../../infra/local/start-cloud.ts'
import { type Chromium, hasChromium, startChromium } from '../../support/browser/chromium.ts'
import { type Diary, keepDiary } from '../../support/browser/diary.ts'
import { type Person, personAt } from '../../support/browser/person.ts'
import {
  type CloudOptions,
  GENEROUS,
  secretsOf,
  type TestCloud,
  testCloud,
} from '../../support/cloud/cloud.ts'
import { runHosted } from '../../support/cloud/program-runner.ts'
import { keepSecret, secretsIn } from '../../support/secrets.ts'
import { type Backstage, backstageOf } from './backstage.ts'
import { checkConduct } from './conduct.ts'

const isThere = hasChromium('the console was not tried in a browser')

/** Test that needs a browser. */
export const testInConsole = test.runIf(isThere)

/** Somebody at the console, with a browser profile. */
export interface Operator extends Person {
  readonly diary: Diary
  /** Goes to an address of the console, such as `spaces`, as if it was typed. */
  visit(path: string): Promise<void>
  /** Types an admin token, by default the valid one, and presses Enter. */
  enter(token?: string): Promise<void>
}

export interface Console extends Backstage {
  /** The service, as it was started last. */
  readonly cloud: RunningCloud
  readonly tested: TestCloud
  /** Opens the console in a profile of its own. `address` follows the origin. */
  open(address?: string): Promise<Operator>
  /** Opens a page of the console and signs in. */
  operator(path?: string): Promise<Operator>
  /** Stops the service, and starts it at the same address with other settings. */
  restart(config: Readonly<Record<string, string>>): Promise<void>
}

export interface ConsoleOptions extends CloudOptions {
  /** Called before the first test, if there is a browser. */
  readonly prepare?: (console: Console) => Promise<unknown>
}

/** Starts a service and a browser for the tests of a file. After each test, checks the conduct of all pages. */
export function withConsole({ prepare, ...options }: ConsoleOptions = {}): Console {
  const tested = testCloud(options)
  let cloud: RunningCloud
  let browser: Chromium
  let operators: Operator[] = []
  /** Lines that the service has logged since its restart. */
  const lines: string[] = []
  const backstage = backstageOf(() => cloud)

  beforeAll(async () => {
    if (!isThere) return
    const starting = startChromium()
    cloud = await tested.start()
    browser = await starting
    await prepare?.(console)
  })
  afterEach(async () => {
    const used = operators
    operators = []
    for (const operator of used) await checkConduct(operator, cloud, backstage)
    for (const { page } of used) await page.close()
  })
  afterAll(async () => {
    await browser?.close()
    await cloud?.stop()
    await tested.remove()
    expect(lines.filter((line) => secretsIn(line).length > 0)).toEqual([])
  })

  async function open(address = '/console/'): Promise<Operator> {
    const page = await browser.open('about:blank', { profile: await browser.newProfile() })
    const diary = await keepDiary(page)
    await page.call('Emulation.setFocusEmulationEnabled', { enabled: true })
    const person = personAt(page)
    const operator: Operator = {
      ...person,
      diary,
      async visit(path) {
        await page.call('Page.navigate', { url: `${cloud.url}/console/#/${path}` })
      },
      async enter(token = cloud.outputs.adminToken) {
        await person.fill('Admin token', token)
        await person.press('Enter')
      },
    }
    operators.push(operator)
    await page.call('Page.navigate', { url: cloud.url + address })
    return operator
  }

  const console: Console = {
    ...backstage,
    tested,
    get cloud() {
      return cloud
    },
    open,
    async operator(path = '') {
      const operator = await open(`/console/#/${path}`)
      await operator.enter()
      await operator.find('button', 'Sign out')
      return operator
    },
    async restart(config) {
      await cloud.stop()
      const port = Number(new URL(cloud.url).port)
      const settings = { ...GENEROUS, ...config }
      const onLog = (_level: string, line: string) => lines.push(line)
      cloud = await startCloud({ local: tested.folder, port, config: settings, onLog, launch: runHosted })
      keepSecret(secretsOf(tested.folder))
    },
  }
  return console
}
