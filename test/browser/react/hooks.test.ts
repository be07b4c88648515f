import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Chromium, hasChromium, type Page, startChromium } from '../../support/browser/chromium.ts'
import { hasNotesExample } from '../../support/notes-example.ts'

/** The folder whose packages have React. */
const REACT = join(import.meta.dirname, '../../../examples/notes/node_modules')

const isThere =
  hasChromium('the hooks of React were not tried in a browser') && hasNotesExample('the hooks of React')

let browser: Chromium | undefined
let script: string

beforeAll(async () => {
  if (!isThere) return
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page.tsx')],
    bundle: true,
    format: 'iife',
    jsx: 'automatic',
    nodePaths: [REACT],
    // Only this build of React renders twice in StrictMode, and tells of HTML that does not fit.
    define: { 'process.env.NODE_ENV': '"development"' },
    write: false,
  })
  script = outputFiles[0]?.text ?? ''
  browser = await startChromium()
})

afterAll(() => browser?.close())

async function openPage(): Promise<Page> {
  const page = await (browser as Chromium).open('about:blank')
  await page.run(`${script}; opened`)
  return page
}

/** Runs steps in the page. Returns the text that it shows, and the components that were rendered since. */
async function after(page: Page, steps: string): Promise<{ shown: string[]; rendered: string[] }> {
  const result = await page.run(`(async () => {
    await pause()
    rendered = []
    ${steps}
    await pause()
    return { shown: text().split('\\n'), rendered: [...new Set(rendered)].sort() }
  })()`)
  return result as { shown: string[]; rendered: string[] }
}

test.runIf(isThere)(
  'renders rows, a row and the status, and again only where something has changed',
  async () => {
    const page = await openPage()
    const start = await after(page, `await db.collection('notes').put('n1', { title: 'milk' }); mount()`)
    const bar = (pending: number) => `${pending} wait, 0 troubles, memory`
    expect(start.shown).toEqual(['milk', 'n1 is milk, pending', 'n9 absent', bar(1)])

    const second = await after(page, `await db.collection('notes').put('n2', { title: 'eggs' })`)
    expect(second.shown).toEqual(['milk', 'eggs', 'n1 is milk, pending', 'n9 absent', bar(2)])
    expect(second.rendered).toEqual(['Bar', 'Item n2', 'List'])

    const changed = await after(page, `await db.collection('notes').update('n1', () => ({ title: 'tea' }))`)
    expect(changed.shown).toEqual(['tea', 'eggs', 'n1 is tea, pending', 'n9 absent', bar(3)])
    expect(changed.rendered).toEqual(['Bar', 'Item n1', 'List', 'One n1'])

    const elsewhere = await after(
      page,
      `await db.collection('notes').put('x1', { title: 'x' }); await db.collection('others').put('n1', { title: 'y' })`,
    )
    expect(elsewhere.rendered).toEqual(['Bar'])

    const same = await after(page, 'lists.clear(); again(); await pause(); again()')
    expect(same).toEqual({
      shown: changed.shown.with(-1, bar(5)),
      rendered: ['Bar', 'List', 'One n1', 'One n9'],
    })
    expect(await page.run('lists.size')).toBe(1)

    const gone = await after(page, `await db.collection('notes').delete('n1')`)
    expect(gone.shown).toEqual(['eggs', 'n1 absent', 'n9 absent', bar(6)])
    expect(await page.run('recovered')).toEqual([])
  },
)

test.runIf(isThere)(
  'renders on a server what is known there, and takes its HTML over on a device with rows',
  async () => {
    const page = await openPage()
    await after(page, `await db.collection('notes').put('n1', { title: 'milk' }); mount()()`)
    const unread = ['unread', 'n1 unread', 'n9 unread', '0 wait, 0 troubles, best-effort']
    const onServer = (await page.run('html()')) as string
    expect(
      onServer
        .replaceAll(/<!-- -->|<p>/g, '')
        .split('</p>')
        .slice(0, -1),
    ).toEqual(unread)
    let { shown } = await after(page, 'mount(true)')
    // A busy machine takes the HTML over later.
    for (let tries = 0; tries < 50 && shown[0] === 'unread'; tries += 1) shown = (await after(page, '')).shown
    expect(shown).toEqual(['milk', 'n1 is milk, pending', 'n9 absent', '1 wait, 0 troubles, memory'])
    expect(await page.run('recovered')).toEqual([])
  },
)

test.runIf(isThere)('reads nothing for components that are gone', async () => {
  const page = await openPage()
  const { rendered } = await after(
    page,
    `const unmount = mount(); await pause(); unmount(); rendered = []; await db.collection('notes').put('n1', { title: 'milk' })`,
  )
  expect(rendered).toEqual([])
})
