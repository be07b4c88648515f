import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Chromium, hasChromium, type Page, startChromium } from '../support/browser/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { type Example, hasNotesExample, startExample } from '../support/notes-example.ts'

const isThere =
  hasChromium('the example was not tried in a browser') && hasNotesExample('the example in a browser')
const data = mkdtempSync(join(tmpdir(), 'chronicle-notes-'))
let browser: Chromium | undefined
let example: Example | undefined
let app = ''

beforeAll(async () => {
  if (!isThere) return
  const port = await freePort()
  example = startExample(data, port, await freePort())
  browser = await startChromium()
  app = `http://127.0.0.1:${port}`
  expect(await example.printed).toContain(app)
})

afterAll(async () => {
  await browser?.close()
  if (example?.child.kill()) await once(example.child, 'exit')
  rmSync(data, { recursive: true, force: true })
})

/** Functions of a user, who finds an element by its role and name as a screen reader tells them, and waits for it. */
const USER = `
  const ROLES = { button: 'button', switch: '[role=switch]', link: 'nav a', textbox: 'input, textarea', article: 'article' }
  const nameOf = (element) => element.getAttribute('aria-label') ?? element.textContent
  const all = (role) => [...document.querySelectorAll(ROLES[role])]
  async function wait(what, find) {
    for (let tries = 0; tries < 200; tries += 1) {
      const found = find()
      if (found) return found
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    const values = all('textbox').map(({ value }) => value)
    throw new Error(['no ' + what + ' in', document.body.innerText, ...values].join('\\n'))
  }
  const the = (role, name) => wait(role + ' ' + name, () => all(role).find((one) => nameOf(one).includes(name)))
  const shows = (text) => wait(text, () => document.body.innerText.includes(text))
  const reads = (name, text) =>
    wait(name + ' ' + text, () => all('textbox').some((one) => nameOf(one).includes(name) && one.value === text))
  async function write(name, text) {
    const box = await the('textbox', name)
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), 'value').set.call(box, text)
    box.dispatchEvent(new Event('input', { bubbles: true }))
  }
  const press = async (role, name) => (await the(role, name)).click()
`

/** Opens a device of a user, with a store of its own. */
async function device(user: string, name: string): Promise<(steps: string) => Promise<unknown>> {
  const { newProfile, open } = browser as Chromium
  const page: Page = await open(`${app}/?user=${user}&device=${name}`, {
    profile: await newProfile(),
    first: USER,
  })
  return (steps) => page.run(`(async () => { ${steps} })()`)
}

test.runIf(isThere)(
  'shows a note on the other device, and says when it is safe and when it is synced',
  async () => {
    const [laptop, phone] = await Promise.all([device('eva', 'laptop'), device('eva', 'phone')])
    await laptop(`
    await press('switch', 'Offline')
    await press('button', 'New note')
    await write('Title', 'Groceries')
    await shows('On this device')
  `)
    await laptop(`await press('switch', 'Offline'); await shows('On the service')`)
    await phone(`await the('link', 'Groceries')`)
  },
)

test.runIf(isThere)('shows both sides of a conflict, and lets the user decide', async () => {
  const [laptop, phone, tablet] = await Promise.all([
    device('dora', 'laptop'),
    device('dora', 'phone'),
    device('dora', 'tablet'),
  ])
  await laptop(`
    await press('button', 'New agreement')
    await write('Title', 'Rent')
    await write('Text', 'It is 400.')
    await shows('On the service')
  `)
  await phone(`
    await press('link', 'Rent')
    await reads('Text', 'It is 400.')
    await press('switch', 'Offline')
    await write('Text', 'It is 430.')
  `)
  await laptop(`await write('Text', 'It is 410.'); await shows('It is 410.')`)
  // The service has the edit before the phone is back.
  await tablet(
    `await press('link', 'Rent'); await reads('Text', 'It is 410.'); await shows('On the service')`,
  )
  await phone(`
    await shows('On this device')
    await press('switch', 'Offline')
    const card = await the('article', 'Conflict: Rent')
    if (!card.innerText.includes('430') || !card.innerText.includes('410')) throw new Error(card.innerText)
    await press('button', 'Keep mine')
    await shows('On the service')
  `)
  await laptop(`await reads('Text', 'It is 430.')`)
})
