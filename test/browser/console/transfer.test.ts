import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { until } from '../../support/until.ts'
import { testInConsole, withConsole } from './with-console.ts'

const console = withConsole()
const downloads = mkdtempSync(join(tmpdir(), 'chronicle-downloads-'))

afterAll(() => rmSync(downloads, { recursive: true, force: true }))

testInConsole('exports a space, erases it by its typed name, and imports the file again', async () => {
  const phone = await console.device('ann & bob', 'phone')
  for (let at = 0; at < 1_200; at += 1) phone.put(`notes/${at}`, { title: `note ${at}` })
  await phone.sync(500)
  const entries = Object.fromEntries(phone.entries())
  await console.reported('ann & bob')
  const operator = await console.operator('space/ann%20%26%20bob')
  const { page } = operator
  await page.call('Page.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads })

  await operator.click('link', 'Export, erase')
  await operator.click('button', 'Export')
  await operator.sees('Exported 1,200 entries.')
  const file = join(downloads, 'ann_bob.ndjson')
  await until(() => readdirSync(downloads).includes('ann_bob.ndjson'))
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(1_202)
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ type: 'end', entries: 1_200 })

  // A wrong name does nothing, not even with Enter.
  for (const wrong of ['ann & bo', 'Ann & Bob', 'ann & bob ', '']) {
    await operator.fill('Type ann & bob to confirm', wrong)
    await operator.press('Enter')
    const button = await operator.find('button', 'Erase the space')
    expect(button.states['disabled']).toBe(true)
  }
  await phone.sync()
  expect(
    operator.diary.asked.filter(({ method, url }) => method === 'DELETE' && url.includes('space')),
  ).toEqual([])
  await operator.fill('Type ann & bob to confirm', 'ann & bob')
  await operator.click('button', 'Erase the space')
  await operator.sees('The space ann & bob is erased.')
  await operator.find('heading', 'Spaces')
  expect(await operator.count('link', 'ann & bob')).toBe(0)
  await expect(phone.sync()).rejects.toThrow('401')

  await operator.click('link', 'Import')
  await operator.fill('Space', 'ann & bob')
  const input = await operator.find('button', 'Export file')
  await page.call('DOM.setFileInputFiles', { files: [file], backendNodeId: input.element })
  await operator.click('button', 'Import')
  await operator.sees('The space ann & bob has 1,200 entries.')
  const tablet = await console.device('ann & bob', 'tablet')
  await tablet.sync()
  expect(Object.fromEntries(tablet.entries())).toEqual(entries)

  // A file that is sent again continues an import. A file of another time is refused.
  const other = join(downloads, 'other.ndjson')
  writeFileSync(other, readFileSync(file, 'utf8').replace(/\d{13}/, '1700000000000'))
  await page.call('DOM.setFileInputFiles', { files: [other], backendNodeId: input.element })
  await operator.click('button', 'Import')
  await operator.find('alert', /not-empty/)
  await tablet.sync()
  expect(Object.fromEntries(tablet.entries())).toEqual(entries)
  const acts = (await console.records()).map(({ act, status }) => `${act} ${status}`)
  expect(acts).toEqual(
    expect.arrayContaining(['GET /api/export 200', 'DELETE /api/space 200', 'POST /api/import 200']),
  )
})
