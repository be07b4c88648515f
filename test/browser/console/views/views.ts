import type { Operator } from '../with-console.ts'
import { type Furniture, LONG_KEY, SPACE } from './furniture.ts'

const HOME = `space/${encodeURIComponent(SPACE)}`
const AS_USER = `user/${encodeURIComponent(SPACE)}`
const keyAt = (key: string) => `${HOME}/keys/${encodeURIComponent(key)}`

/** A state of the page, and the steps to it from the view before it. */
export interface View {
  readonly name: string
  readonly show: (operator: Operator) => Promise<unknown>
}

/** View of an address, once a control is there. */
function at(name: string, path: string, role: string, control: string | RegExp): View {
  return {
    name,
    async show(operator) {
      await operator.visit(path)
      await operator.find(role, control)
    },
  }
}

function step(name: string, show: View['show']): View {
  return { name, show }
}

/** Dialogs of the tokens. The page is the one of the tokens. */
const OF_TOKENS: readonly View[] = [
  at('tokens', 'tokens', 'row', /Prometheus/),
  step('token-mint', async ({ click, find, fill, press }) => {
    await click('button', 'Mint a token')
    const form = await find('dialog', 'Mint a token')
    await fill('Subject', 'ann', form)
    await fill('Collections', 'a/b', form)
    await press('Enter')
    await find('alert', /slash/, form)
  }),
  step('token-new', async ({ find, fill, press }) => {
    await fill('Collections', 'notes')
    await press('Enter')
    await find('dialog', 'The new token')
  }),
  step('token-rotate', async ({ click, find }) => {
    await click('button', 'Close')
    await click('button', /^Rotate Prometheus/)
    await find('dialog', 'Rotate the token')
  }),
  step('token-revoke', async ({ click, find, press }) => {
    await press('Escape')
    await click('button', /^Revoke Prometheus/)
    await find('dialog', 'Revoke the token')
  }),
]

/** The configuration, from an edit to its refusal. */
const OF_CONFIG: readonly View[] = [
  step('config', async ({ visit, fill }) => {
    await visit('config')
    await fill('History, days', '-1')
  }),
  step('config-review', async ({ click, find }) => {
    await click('button', 'Review 1 change')
    await find('dialog', 'What changes')
  }),
  step('config-refused', async ({ click, find }) => {
    await click('button', 'Save for all spaces')
    await find('alert', /^Not saved/)
  }),
  step('config-json', async ({ click, find }) => {
    await click('button', 'JSON')
    await find('alert', /^Line \d+/)
  }),
]

/** The pages of the service, without those of a space. */
export const OF_THE_SERVICE: readonly View[] = [
  at('overview', '', 'image', /^Storage: .* KiB/),
  at('spaces', 'spaces', 'link', SPACE),
  step('spaces-none', async ({ visit, sees }) => {
    await visit('spaces?prefix=nobody')
    await sees('No space begins with “nobody”')
  }),
  at('import', 'import', 'button', 'Import'),
  ...OF_TOKENS,
  ...OF_CONFIG,
  at('audit', 'audit', 'row', /PUT \/api\/config 422/),
  at('no-such-page', 'nowhere', 'heading', 'No such page'),
  // The plots have their second sample now.
  at('overview-later', '', 'image', /^Storage: .* KiB/),
  step('loading', async ({ page, visit, sees }) => {
    await page.call('Fetch.enable', { patterns: [{ urlPattern: '*/api/*' }] })
    await visit('spaces')
    await sees('Loading…')
  }),
  step('offline', async ({ page, visit, find }) => {
    await page.call('Fetch.disable')
    const line = { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 }
    await page.call('Network.emulateNetworkConditions', line)
    await visit('audit')
    await find('alert', /cannot be reached/)
  }),
]

/** The pages of a space. */
export function ofSpace({ phone, laptop }: Furniture): readonly View[] {
  return [
    step('live', async ({ visit, find }) => {
      await visit(HOME)
      await find('status', 'Live')
      for (const edit of ['an edit', 'another edit']) {
        phone.put('notes/2026/0005', { title: edit })
        await phone.sync()
      }
      phone.put('notes/2026/0001', { title: 'an edit that loses' }, Date.now() - 5_000)
      laptop.put('notes/2026/0001', { title: 'an edit that wins' })
      await laptop.sync()
      await phone.sync()
      await find('row', /notes\/2026\/0001 phone lost to laptop$/)
    }),
    at('entries', `${HOME}/entries`, 'link', 'notes/2026/0001'),
    step('entries-none', async ({ visit, sees }) => {
      await visit(`${HOME}/entries?prefix=nothing`)
      await sees('No entries')
    }),
    at('key', keyAt('notes/2026/0002'), 'row', /milk, milk/),
    at('key-long', keyAt(LONG_KEY), 'heading', /^History of photos/),
    step('restore', async ({ visit, click, find }) => {
      await visit(keyAt('notes/2026/0005'))
      await click('button', /^Restore \w+\.\d\d$/)
      await find('dialog', /^Restore/)
    }),
    step('conflicts', async ({ press, visit, find }) => {
      await press('Escape')
      await visit(`${HOME}/conflicts`)
      await find('row', '/rent 410 400 430')
    }),
    step('conflicts-edit', async ({ click, fill, find }) => {
      await click('button', /Edit$/)
      await fill('The value to save', '{ "rent": 420,')
      await find('alert', /^This is not JSON/)
    }),
    at('conflicts-all', `${HOME}/conflicts?all=1`, 'button', /garden/),
    at('devices', `${HOME}/devices`, 'row', /tablet-of-grandma follows/),
    at('transfer', `${HOME}/transfer`, 'button', 'Export'),
    at('conflicts-of-key', `${HOME}/conflicts?all=1&key=notes%2F2026%2F0001`, 'article', 'notes/2026/0001'),
    at('user', `${AS_USER}/entries`, 'link', 'notes/2026/0001'),
    at('no-such-space', 'space/nobody', 'alert', /has reported/),
  ]
}

/** The ways into the console. The page is at a code that is not valid. */
export const OF_SIGN_IN: readonly View[] = [
  step('sign-in', ({ find }) => find('heading', 'Sign in to the console')),
  step('sign-in-code', ({ sees }) => sees('The one-time code was not accepted')),
  step('sign-in-refused', async ({ enter, find }) => {
    await enter('not-the-admin-token')
    await find('alert', /unauthorized/)
  }),
]
