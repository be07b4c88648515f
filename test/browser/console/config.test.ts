import { expect } from 'vitest'
import { type Operator, testInConsole, withConsole } from './with-console.ts'

const console = withConsole()

/** Reads the text that describes a control. */
const DESCRIPTION = 'return document.getElementById(this.getAttribute("aria-describedby")).innerText'

interface Config {
  readonly revision: number
  readonly historyDays: number
  readonly policies: Readonly<Record<string, string>>
  readonly quota: Readonly<Record<string, number>>
}

const stored = () => console.ask<Config>('/api/config')

/** The words of the service for a configuration that it refuses: the path of the field, and what is wrong with it. */
async function wordsFor(change: object): Promise<readonly string[]> {
  const body = JSON.stringify({ ...(await stored()), ...change })
  const refusal = await console.ask('/api/config', { method: 'PUT', body }).catch(String)
  const { detail } = JSON.parse(String(refusal).replace(/^[^{]*/, ''))
  return detail.split(/: (.*)/s)
}

async function save(operator: Operator): Promise<void> {
  await operator.click('button', /^Review \d+ changes?$/)
  await operator.click('button', 'Save for all spaces', await operator.find('dialog', 'What changes'))
}

testInConsole(
  'says at the field what the service refuses, in its words, and stores what it takes',
  async () => {
    const [, words = ''] = await wordsFor({ historyDays: -1 })
    expect(words.length).toBeGreaterThan(10)
    const { revision } = await stored()
    const operator = await console.operator('config')
    const saved = await operator.find('button', 'Nothing to save')
    expect(saved.states['disabled']).toBe(true)
    await operator.fill('History, days', '-1')
    await operator.click('button', 'Review 1 change')
    await operator.find('row', /^\/historyDays \d+ -1$/, await operator.find('dialog', 'What changes'))
    await operator.press('Escape')
    await save(operator)
    await operator.find('alert', words)
    await operator.find('alert', `Not saved. historyDays: ${words}`)
    const field = await operator.find('textbox', 'History, days')
    expect(field.states['invalid']).toBe('true')
    expect(await operator.on(field, DESCRIPTION)).toBe(words)
    expect(await operator.focused()).toMatchObject({ name: 'History, days' })
    expect((await stored()).revision).toBe(revision)

    await operator.fill('History, days', '45')
    await operator.fill('Name another collection', 'agreements')
    await operator.press('Enter')
    await operator.choose('Collection agreements', 'manual: somebody decides')
    await save(operator)
    await operator.sees(/Revision \d+ is stored/)
    const taken = await stored()
    expect(taken).toMatchObject({ historyDays: 45, policies: { agreements: 'manual' } })
    expect(taken.revision).toBeGreaterThan(revision)
    await operator.find('button', 'Nothing to save')

    await operator.click('button', 'Remove the policy of agreements')
    await operator.fill('Quota, bytes', 'many')
    await operator.click('button', 'Undo all')
    await operator.find('combobox', 'Collection agreements')
  },
)

testInConsole('takes the configuration as JSON too, and says where it is wrong', async () => {
  const [path = '', words = ''] = await wordsFor({ policies: { notes: 'newest' } })
  const operator = await console.operator('config')
  await operator.click('button', 'JSON')
  const { revision: _revision, ...config } = await stored()
  const draft = { ...config, stack: undefined, policies: { notes: 'newest' } }
  const text = JSON.stringify(draft, null, 2)
  await operator.fill('Configuration', text.slice(0, -1))
  await operator.find('alert', /^This is not JSON/)
  const broken = await operator.find('button', 'Form')
  expect(broken.states['disabled']).toBe(true)
  await operator.find('button', 'Broken JSON cannot be saved')
  await operator.fill('Configuration', '[]')
  await operator.find('alert', 'This is JSON, but no object.')
  await operator.fill('Configuration', '{}')
  await operator.click('button', 'Form')
  await operator.sees('Identity providers: 0.')
  await operator.click('button', 'JSON')
  await operator.fill('Configuration', text)
  await save(operator)
  const line = text.split('\n').findIndex((row) => row.includes('"notes"')) + 1
  await operator.find('alert', `Line ${line}: ${path}: ${words}`)
  await operator.fill('Configuration', text.replace('newest', 'merge'))
  await save(operator)
  await operator.sees(/Revision \d+ is stored/)
  expect((await stored()).policies).toEqual({ notes: 'merge' })
})

testInConsole('keeps the edits when somebody else has changed the configuration meanwhile', async () => {
  const operator = await console.operator('config')
  await operator.fill('Deletions, days', '200')
  await operator.fill('Quota, entries', '6000')
  const now = await stored()
  const body = JSON.stringify({ ...now, historyDays: 77, quota: { ...now.quota, entries: 5_000 } })
  const { revision } = await console.ask<Config>('/api/config', { method: 'PUT', body })
  await save(operator)
  await operator.find('alert', /config-changed/)
  await operator.click('button', 'Read the new revision and keep my edits')
  await operator.sees(`Stack dev, revision ${revision}`)
  expect(await operator.count('alert')).toBe(0)
  expect(await operator.count('button', /keep my edits/)).toBe(0)
  await operator.click('button', /^Review \d+ changes?$/)
  const dialog = await operator.find('dialog', 'What changes')
  // The other operator's edit of the same field is in view before it is overwritten, and the other edit stays.
  await operator.find('row', /^\/tombstoneDays \d+ 200$/, dialog)
  await operator.find('row', /^\/quota\/entries 5000 6000$/, dialog)
  expect(await operator.count('row', /historyDays/, dialog)).toBe(0)
  await operator.click('button', 'Save for all spaces', dialog)
  await operator.sees(/Revision \d+ is stored/)
  const { quota, ...others } = await stored()
  expect(others).toMatchObject({ tombstoneDays: 200, historyDays: 77 })
  expect(quota).toMatchObject({ entries: 6_000 })
})

testInConsole('says that a collection is there already, and keeps its policy', async () => {
  const body = JSON.stringify({ ...(await stored()), policies: { tasks: 'manual' } })
  await console.ask('/api/config', { method: 'PUT', body })
  const operator = await console.operator('config')
  await operator.fill('Name another collection', 'tasks')
  await operator.press('Enter')
  await operator.find('alert', 'This collection is there already.')
  const select = await operator.find('combobox', 'Collection tasks')
  expect(await operator.on(select, 'return this.value')).toBe('manual')
  await operator.find('button', 'Nothing to save')
  await operator.fill('Name another collection', 'tasks-2')
  expect(await operator.count('alert')).toBe(0)
})

testInConsole('shows a refused name of a collection at that collection', async () => {
  const operator = await console.operator('config')
  for (const name of ['x/', 'my-notes']) {
    await operator.fill('Name another collection', name)
    await operator.press('Enter')
  }
  await save(operator)
  await operator.find('alert', /^Not saved\. policies/)
  const wrong = await operator.find('combobox', 'Collection x/')
  expect(wrong.states['invalid']).toBe('true')
  const right = await operator.find('combobox', 'Collection my-notes')
  expect(right.states['invalid']).toBe('false')
  expect(await operator.focused()).toMatchObject({ name: 'Collection x/' })
})

testInConsole('keeps a draft until it is undone or the operator leaves', async () => {
  const operator = await console.operator('config')
  await operator.fill('History, days', '51')
  await operator.click('link', 'Audit')
  await operator.find('heading', 'Audit')
  const body = JSON.stringify({ ...(await stored()), tombstoneDays: 300 })
  const { revision } = await console.ask<Config>('/api/config', { method: 'PUT', body })
  await operator.click('link', 'Configuration')
  await operator.sees(`revision ${revision}`)
  await operator.click('button', 'Review 1 change')
  const dialog = await operator.find('dialog', 'What changes')
  await operator.find('row', /^\/historyDays \d+ 51$/, dialog)
  await operator.click('button', 'Back', dialog)

  await operator.click('button', 'Sign out')
  await operator.enter()
  await operator.find('button', 'Nothing to save')
})
