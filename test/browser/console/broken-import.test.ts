import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { until } from '../../support/until.ts'
import { type Operator, testInConsole, withConsole } from './with-console.ts'

const NOTES = 40
const folder = mkdtempSync(join(tmpdir(), 'chronicle-imports-'))
const whole = join(folder, 'whole.ndjson')
const cut = join(folder, 'cut.ndjson')

const console = withConsole({ prepare: writeFiles })

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes an export of a space, and one that was cut before its end line. */
async function writeFiles({ cloud, device, reported, ask }: typeof console): Promise<void> {
  const phone = await device('source', 'phone')
  for (let at = 0; at < NOTES; at += 1) phone.put(`notes/${at}`, { title: `note ${at}` })
  await phone.sync()
  await reported('source')
  const body = JSON.stringify({ space: 'source', scopes: ['sync:read', 'space:admin'] })
  const { session } = await ask<{ session: string }>('/api/sessions', { method: 'POST', body })
  const headers = { authorization: `Bearer ${session}` }
  const text = await (await fetch(`${cloud.url}/api/export`, { headers })).text()
  writeFileSync(whole, text)
  writeFileSync(cut, text.slice(0, text.trimEnd().lastIndexOf('\n') + 1))
}

/** Imports a file on the page for that. */
async function bring({ page, find, click }: Operator, file: string): Promise<void> {
  const input = await find('button', 'Export file')
  await page.call('DOM.setFileInputFiles', { files: [file], backendNodeId: input.element })
  await click('button', 'Import')
}

/** Brings a cut file into a new space. */
async function breakOff(operator: Operator, space: string): Promise<void> {
  await operator.visit('import')
  await operator.fill('Space', space)
  await bring(operator, cut)
  await operator.find('alert', /has no end line, so the import is not finished/)
  await console.reported(space)
}

testInConsole('says for good that a file was cut, and continues with the whole one', async () => {
  const operator = await console.operator()
  await breakOff(operator, 'mended')
  // Waits for longer than a notice stays.
  await new Promise((resolve) => setTimeout(resolve, 6_500))
  await operator.find('alert', /has no end line/)

  await operator.visit('space/mended/entries')
  const alert = await operator.find('alert', /^An import into this space is not finished/)
  await operator.click('link', /^Import the\s+whole file again$/, alert)
  await operator.find('heading', 'Import')
  const field = await operator.find('textbox', 'Space')
  expect(await operator.on(field, 'return this.value')).toBe('mended')
  await bring(operator, whole)
  await operator.sees(`The space mended has ${NOTES} entries.`)
  expect(await operator.count('alert')).toBe(0)
  await operator.click('link', 'mended')
  await operator.sees(`Entries\n${NOTES} of`)
})

testInConsole('leads from a space whose import broke off to its erasure', async () => {
  const operator = await console.operator()
  await breakOff(operator, 'given-up')
  await operator.visit('space/given-up')
  await operator.find('alert', /^An import into this space is not finished/)
  await operator.visit('user/given-up')
  await operator.sees('You see given-up as its user does')
  await operator.find('alert', /^An import into this space is not finished/)
  expect(await operator.count('link', 'erase the space')).toBe(0)
  await operator.click('link', 'Leave')
  await operator.click('link', 'erase the space')
  expect(await operator.count('button', 'Export')).toBe(0)
  await operator.fill('Type given-up to confirm', 'given-up')
  await operator.click('button', 'Erase the space')
  await operator.sees('The space given-up is erased.')
  await until(
    async () => (await console.ask<{ spaces: unknown[] }>('/api/spaces?prefix=given')).spaces.length === 0,
  )
})
