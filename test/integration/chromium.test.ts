import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunningCloud } from '../../infra/local/start-cloud.ts'
import {
  type Chromium,
  EXTENSION_ORIGIN,
  hasChromium,
  type Page,
  startChromium,
} from '../support/browser/chromium.ts'
import { allowMuch, GENEROUS, mintToken, type TestCloud, testCloud } from '../support/cloud/cloud.ts'

const isThere = hasChromium('no page was tried in a browser')

let tested: TestCloud | undefined
let cloud: RunningCloud
let browser: Chromium | undefined
let pages: readonly Page[]

beforeAll(async () => {
  if (!isThere) return
  tested = testCloud()
  const starting = startChromium()
  cloud = await tested.start({ ...GENEROUS, corsOrigins: JSON.stringify([EXTENSION_ORIGIN]) })
  browser = await starting
  await allowMuch(cloud)
  pages = await Promise.all([browser.open(`${cloud.url}/api/health`), browser.openExtension()])
  for (const page of pages) await page.run(CLIENT.replace('$API', cloud.url))
})

afterAll(async () => {
  await browser?.close()
  await tested?.remove()
})

/** Script of a page, which calls the API and follows a space on a socket. */
const CLIENT = `
  const api = '$API'
  async function ask(method, path, session, body) {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer ' + session }
    const response = await fetch(api + path, { method, headers, body: body && JSON.stringify(body) })
    return response.json()
  }
  function follow(credential) {
    const socket = new WebSocket(api.replace('http', 'ws') + '/api/live', ['chronicle.v1', credential])
    const line = { frames: [], opened: false, socket }
    socket.onopen = () => { line.opened = true }
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data)
      line.frames.push(frame)
      if (frame.cursor) socket.send(JSON.stringify({ type: 'seen', cursor: frame.cursor }))
    }
    line.closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean, opened: line.opened })
    })
    return line
  }
  async function until(holds) {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  undefined
`

const SPENT = { code: 4401, reason: 'ticket-spent' }
const EXPIRED = { code: 4401, reason: 'session-expired' }
const ENDED = { code: 4403, reason: 'session-ended' }
const told = (ending: object) => ({ ...ending, wasClean: true, opened: true })

async function sessionOf(token: string): Promise<string> {
  const response = await fetch(`${cloud.url}/api/auth`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  })
  return ((await response.json()) as { session: string }).session
}

/** Opens a session that expires with its token within two seconds. `expiresAt` is in ms. */
async function briefSession(space: string): Promise<{ session: string; expiresAt: number }> {
  const expiresAt = (Math.floor(Date.now() / 1000) + 2) * 1000
  return { session: await sessionOf(await mintToken(cloud, space, { expiresAt })), expiresAt }
}

test.runIf(isThere)(
  "[LV30] lets pages of Chromium on the API's own host and in an extension follow a space, and says why a socket ends",
  async () => {
    const origins = await Promise.all(pages.map((page) => page.run('location.origin')))
    expect(origins).toEqual([cloud.url, EXTENSION_ORIGIN])
    const outcomes = pages.map(async (page, index) => {
      const session = await sessionOf(await mintToken(cloud, `page-${index}`))
      return page.run(`(async () => {
        const session = '${session}'
        const { ticket } = await ask('POST', '/api/live/ticket', session)
        const line = follow('ticket.' + ticket)
        await until(() => line.frames.length === 1)
        const changes = [{ key: 'notes/1', value: 'milk', timestamp: Date.now() }]
        const { success } = await ask('POST', '/api/sync', session, { changes })
        await until(() => line.frames.length === 2)
        const again = await follow('ticket.' + ticket).closed
        await ask('DELETE', '/api/auth', session)
        const closed = await line.closed
        const late = await follow('bearer.' + session).closed
        return { success, key: line.frames[1].changes[0].key, again, closed, late }
      })()`)
    })
    for (const outcome of await Promise.all(outcomes)) {
      expect(outcome).toEqual({
        success: true,
        key: 'notes/1',
        again: told(SPENT),
        closed: told(ENDED),
        late: told(ENDED),
      })
    }
  },
)

test.runIf(isThere)(
  '[LV30] tells a page of Chromium that its session has expired, on an open socket and on a new one',
  async () => {
    const outcomes = pages.map(async (page, index) => {
      const { session, expiresAt } = await briefSession(`brief-${index}`)
      await page.run(`(async () => {
        const session = '${session}'
        const { ticket } = await ask('POST', '/api/live/ticket', session)
        globalThis.line = follow('ticket.' + ticket)
        globalThis.unused = (await ask('POST', '/api/live/ticket', session)).ticket
        await until(() => line.frames.length === 1)
      })()`)
      await setTimeout(expiresAt - Date.now() + 20)
      return page.run(`(async () => {
        line.socket.send(JSON.stringify({ type: 'seen', cursor: line.frames[0].cursor }))
        const closed = await line.closed
        return [closed, await follow('bearer.${session}').closed, await follow('ticket.' + unused).closed]
      })()`)
    })
    for (const outcome of await Promise.all(outcomes)) {
      expect(outcome).toEqual([told(EXPIRED), told(EXPIRED), told(SPENT)])
    }
  },
)

test.runIf(isThere)(
  '[SC1] opens no socket in Chromium for a forged session, and tells the page nothing',
  async () => {
    const session = await sessionOf(await mintToken(cloud, 'forged'))
    const forged = `${session.slice(0, -3)}AAA`
    for (const page of pages) {
      expect(await page.run(`follow('bearer.${forged}').closed`)).toEqual({
        code: 1006,
        reason: '',
        wasClean: false,
        opened: false,
      })
    }
  },
)
