import { expect } from 'vitest'
import { allowMuch } from '../../support/cloud/cloud.ts'
import type { OfflineDevice } from '../../support/devices/offline-device.ts'
import { type Operator, testInConsole, withConsole } from './with-console.ts'

const console = withConsole({ prepare: ({ cloud }) => allowMuch(cloud, { agreements: 'manual' }) })

/** Keys of agreements, each with an open conflict. */
const KEYS = ['agreements/1-keep', 'agreements/2-take', 'agreements/3-edit']

interface Conflict {
  readonly id: number
  readonly key: string
  readonly winner: { readonly version: string }
}

/** Lets two devices change the same agreements, one without having seen the other's change. */
async function disagree(space: string): Promise<OfflineDevice> {
  const [phone, laptop] = [await console.device(space, 'phone'), await console.device(space, 'laptop')]
  for (const key of KEYS) phone.put(key, { rent: 400, heating: 50, since: 'May' }, Date.now() - 5_000)
  await phone.sync()
  await laptop.sync()
  for (const key of KEYS) laptop.put(key, { rent: 410, heating: 50, since: 'May' }, Date.now() - 3_000)
  await laptop.sync()
  for (const key of KEYS) phone.put(key, { rent: 430, heating: 60, since: 'May' }, Date.now() - 2_000)
  await phone.sync()
  await console.reported(space)
  return phone
}

/** Presses Tab until an element has the focus. */
async function tabTo({ press, focused }: Operator, role: string, name: RegExp): Promise<void> {
  const passed: string[] = []
  for (let steps = 0; steps < 60; steps += 1) {
    const control = await focused()
    if (control.role === role && name.test(control.name)) return
    passed.push(`${control.role} ${control.name}`)
    await press('Tab')
  }
  throw new Error(`Tab did not reach the ${role} ${name}, but ${passed.join(', ')}`)
}

/** Types another value, once the edit has the focus. */
async function retype({ focused, press, type }: Operator, text: string): Promise<void> {
  const within = { timeout: 30_000 }
  await expect.poll(focused, within).toMatchObject({ role: 'textbox', name: 'The value to save' })
  await press('Control+a')
  await type(text)
}

testInConsole(
  'decides open conflicts by keyboard alone, with both sides and their base in view',
  async () => {
    const phone = await disagree('flat')
    const operator = await console.operator()
    await tabTo(operator, 'link', /^Spaces$/)
    await operator.press('Enter')
    await operator.find('link', 'flat')
    await tabTo(operator, 'link', /^flat$/)
    await operator.press('Enter')
    await operator.find('heading', /^flat/)
    await operator.sees('Open conflicts\n3')
    await tabTo(operator, 'link', /^Conflicts$/)
    await operator.press('Enter')
    await operator.find('button', /1-keep/)
    await tabTo(operator, 'button', /^agreements\/1-keep/)

    const article = await operator.find('article', KEYS[0] ?? '')
    await operator.find('row', '/rent 410 400 430', article)
    await operator.find('row', '/heating 50 50 60', article)
    expect(await operator.count('row', /since/, article)).toBe(0)
    // Each answer is written before the next conflict is shown, and the focus stays in the list.
    await operator.press('1')
    await operator.sees('agreements/1-keep: the winner was kept')
    await operator.find('article', KEYS[1] ?? '')
    await operator.press('j', 'k', 'j')
    await operator.find('article', KEYS[2] ?? '')
    await operator.press('k')
    await operator.find('row', '/rent 410 400 430', await operator.find('article', KEYS[1] ?? ''))
    await operator.press('2')
    await operator.sees('agreements/2-take: the loser was taken')

    await operator.find('row', '/rent 410 400 430', await operator.find('article', KEYS[2] ?? ''))
    await operator.press('e')
    await retype(operator, '{ "rent": 420,')
    await operator.sees('This is not JSON')
    await operator.press('Escape')
    await tabTo(operator, 'button', /Edit$/)
    await operator.press('Enter')
    await retype(operator, '{ "rent": 420, "heating": 60 }')
    await operator.press('Control+Enter')
    await operator.sees('agreements/3-edit: your value was saved')
    await operator.sees('No open conflicts')

    await phone.sync()
    expect(Object.fromEntries(phone.entries())).toEqual({
      'agreements/1-keep': { rent: 410, heating: 50, since: 'May' },
      'agreements/2-take': { rent: 430, heating: 60, since: 'May' },
      'agreements/3-edit': { rent: 420, heating: 60 },
    })
    const { conflicts } = await phone.get<{ conflicts: { resolution: string }[] }>('/api/conflicts')
    expect(conflicts.map(({ resolution }) => resolution)).toEqual(['resolved', 'resolved', 'resolved'])
  },
)

testInConsole('refuses a decision on a version that has been replaced, and shows the new one', async () => {
  const phone = await disagree('garden')
  const operator = await console.operator('space/garden/conflicts')
  const article = await operator.find('article', KEYS[0] ?? '')
  await operator.find('row', '/rent 410 400 430', article)
  phone.put(KEYS[0] ?? '', { rent: 999 })
  await phone.sync()
  await operator.click('button', /Keep the winner$/)
  const refusal = await operator.find('alert', /stale-base/)
  await operator.click('button', 'Read again', refusal)
  await operator.sees('newer than the winner', article)
  expect(await operator.count('alert')).toBe(0)
  expect((await operator.focused()).name).toMatch(/Keep the winner$/)
  await operator.click('button', /Keep the winner$/)
  await operator.sees('the winner was kept')
  await phone.sync()
  expect(phone.entries().get(KEYS[0] ?? '')).toMatchObject({ rent: 410 })
})

testInConsole('shows new conflicts as they arise, and keeps the edit and the focus', async () => {
  const phone = await disagree('attic')
  const laptop = await console.device('attic', 'tablet')
  const operator = await console.operator('space/attic/conflicts')
  await operator.find('article', KEYS[0] ?? '')
  await operator.press('Tab')
  await operator.click('button', /Edit$/)
  await retype(operator, '{ "rent": 1 }')

  // Somebody else settles the conflict that is edited, and two devices disagree about another key.
  const { conflicts } = await phone.get<{ conflicts: Conflict[] }>('/api/conflicts')
  const { id, winner } = conflicts.find(({ key }) => key === KEYS[0]) ?? {}
  const scopes = ['sync:read', 'sync:write']
  const opened = await console.ask<{ session: string }>('/api/sessions', {
    method: 'POST',
    body: JSON.stringify({ space: 'attic', scopes }),
  })
  const settled = await fetch(`${console.cloud.url}/api/conflicts/${id}/resolve`, {
    method: 'POST',
    headers: { authorization: `Bearer ${opened.session}`, 'content-type': 'application/json' },
    body: JSON.stringify({ choice: 'winner', base: winner?.version }),
  })
  expect(settled.status).toBe(200)
  phone.put('agreements/4-new', { rent: 1 })
  await phone.sync()
  laptop.put('agreements/4-new', { rent: 2 })
  await laptop.sync()
  await operator.sees('Open conflicts\n3')
  await operator.find('button', /^agreements\/4-new/)
  expect(await operator.focused()).toMatchObject({ role: 'textbox', name: 'The value to save' })
  expect(await operator.on(await operator.focused(), 'return this.value')).toBe('{ "rent": 1 }')

  await operator.click('button', /^agreements\/4-new/)
  await operator.find('article', 'agreements/4-new')
  expect(await operator.count('button', /^agreements\/1-keep/)).toBe(0)
})

testInConsole('reads the figures of a space again right after a decision', async () => {
  await disagree('roof')
  const operator = await console.operator('space/roof/conflicts')
  // Without its timers the page reads nothing again by itself.
  const source = 'globalThis.setInterval = () => 0'
  await operator.page.call('Page.addScriptToEvaluateOnNewDocument', { source })
  await operator.page.call('Page.reload')
  await operator.find('article', KEYS[0] ?? '')
  await operator.sees('Open conflicts\n3')
  await operator.click('button', /Keep the winner$/)
  await operator.sees('Open conflicts\n2')
})

testInConsole('leads from a key to its conflicts, the settled ones too', async () => {
  await disagree('cellar')
  const key = KEYS[1] ?? ''
  const operator = await console.operator(`space/cellar/keys/${encodeURIComponent(key)}`)
  await operator.click('link', 'Its conflicts')
  await operator.find('heading', `Conflicts of ${key}`)
  await operator.find('article', key)
  expect(await operator.count('button', /^agreements\//)).toBe(1)
  await operator.click('button', /Take the loser$/)
  await operator.sees('somebody has decided')
  await operator.sees(/newer than the winner\.\s+See its history\./)
  await operator.click('link', 'Open', await operator.find('navigation', 'Which conflicts'))
  await operator.sees('No open conflicts')
  await operator.click('link', 'Those of all keys')
  await operator.find('button', /^agreements\/3-edit/)
})

testInConsole('restores an old version as a new write, after showing what changes', async () => {
  // Each of these characters means something else in an address.
  const key = 'notes/100% of #1? & more'
  const [phone, laptop] = [await console.device('diary', 'phone'), await console.device('diary', 'laptop')]
  phone.put(key, { title: 'milk', done: false })
  await phone.sync()
  phone.put(key, { title: 'bread' })
  await phone.sync()
  phone.delete(key)
  await phone.sync()
  await console.reported('diary')
  const operator = await console.operator('space/diary/entries')
  await operator.fill('Key begins with', key)
  await operator.click('link', 'Open this key')
  await operator.find('heading', `History of ${key}`)
  await operator.sees('deletion')
  await operator.find('row', '/title "milk" "bread"')
  await operator.find('row', '/done false absent')

  const buttons = await operator.page.run(
    `[...document.querySelectorAll('.versions button')].map((b) => b.ariaLabel)`,
  )
  const [newer = '', oldest = ''] = buttons as string[]
  await operator.click('button', oldest)
  const dialog = await operator.find('dialog', oldest)
  await operator.find('row', /^the whole value absent \{ "title": "milk", "done": false \}$/, dialog)
  await operator.press('Escape')
  await operator.sees('current')
  expect(await operator.count('dialog')).toBe(0)
  expect((await operator.focused()).name).toBe(oldest)
  await laptop.sync()
  expect(laptop.entries().size).toBe(0)

  await operator.press('Enter')
  await operator.click('button', 'Restore', await operator.find('dialog', oldest))
  await operator.sees('is current again, as a new version')
  await operator.find('heading', /^\w+\.4$/)
  await laptop.sync()
  expect(laptop.entries().get(key)).toEqual({ title: 'milk', done: false })

  // Somebody has written since the page was read, so the version that would be replaced is another one.
  phone.put(key, { title: 'cheese' })
  await phone.sync()
  await operator.click('button', newer)
  await operator.click('button', 'Restore', await operator.find('dialog', newer))
  const stale = await operator.find('alert', /Somebody has written this key since you read it/)
  await phone.sync()
  expect(phone.entries().get(key)).toEqual({ title: 'cheese' })
  await operator.click('button', 'Read again', stale)
  await operator.find('row', '/title "milk" "cheese"')
  expect(await operator.count('dialog')).toBe(0)
})
