import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileNameOf } from '../../../infra/operate/backup/export-file.ts'
import { runCommand } from '../../standin/command.ts'
import { mintToken } from '../../support/cloud/cloud.ts'
import { OfflineDevice } from '../../support/devices/offline-device.ts'
import {
  backUp,
  entriesOf,
  erase,
  folder,
  leftTokens,
  newSpace,
  operate,
  printed,
  restore,
  running,
  service,
} from './operator.ts'

test('refuses to restore a space that was restored and then edited, because it is not empty', async () => {
  const device = await newSpace('edited')
  await backUp()
  const file = join(folder, fileNameOf('edited'))
  expect(await restore(file)).toMatch(/^edited: POST .* answered 409: The space is not empty/)
  await erase('edited')
  expect(await restore(file)).toBe('complete')
  expect(await restore(file)).toBe('complete')
  expect(printed.slice(-2)).toEqual([
    'edited: 3 entries',
    'edited: 3 entries are already there, as in this file',
  ])
  const again = new OfflineDevice('phone', running.url)
  await again.open(await mintToken(running, 'edited'))
  again.delete('notes/0')
  await again.sync()
  expect(await restore(file)).toMatch(
    /^edited: the space is not empty: it was filled from this file before and has changed since\. Nothing was restored/,
  )
  expect(device.entries().size).toBe(3)
})

test('restores a folder past a file that fails, and retries only that file in the next run', async () => {
  for (const space of ['kept', 'lost']) await newSpace(space)
  await backUp()
  const some = join(folder, 'some')
  mkdirSync(some)
  for (const name of ['kept.ndjson', 'lost.ndjson']) copyFileSync(join(folder, name), join(some, name))
  await erase('lost')
  const place = await service()
  expect(await restore(some, {}, place)).toBe('not everything is restored: see above')
  expect(printed.slice(-2)).toEqual([
    `1 of 2 files of ${some} are restored`,
    expect.stringMatching(/^Not restored: kept: POST .* answered 409: The space is not empty/),
  ])
  await erase('kept')
  printed.length = 0
  expect(await restore(some, {}, place)).toBe('complete')
  expect(printed).toEqual([
    expect.stringMatching(/^Continuing the restore that started at /),
    '1 of 2  kept: 3 entries',
    `2 of 2 files of ${some} are restored`,
  ])
  expect(await leftTokens()).toEqual([])
})

test('continues an import that was cut off, and sends nothing of a file that broke off', async () => {
  const device = await newSpace('cut')
  await backUp()
  const file = join(folder, fileNameOf('cut'))
  const lines = readFileSync(file, 'utf8').split('\n')
  await erase('cut')
  const { token } = await operate('POST', '/api/tokens', {
    subject: 'x',
    space: 'cut',
    scopes: ['space:admin'],
  })
  const { session } = await operate('POST', '/api/auth', { token })
  const headers = { authorization: `Bearer ${session}`, 'content-type': 'application/x-ndjson' }
  await fetch(`${running.url}/api/import`, { method: 'POST', headers, body: lines.slice(0, 2).join('\n') })
  expect(await restore(file)).toBe('complete')
  expect(await entriesOf('cut')).toEqual(device.entries())

  writeFileSync(file, lines.slice(0, 3).join('\n'))
  expect(await restore(file)).toMatch(/^cut: cut\.ndjson is incomplete, it has no end\. Nothing was sent/)
  writeFileSync(file, '{}\n')
  expect(await restore(file)).toContain(
    `${file} is not a backup: its first line is not the header of an export`,
  )
  expect(await restore(join(folder, 'none'))).toMatch(/ cannot be read: ENOENT/)
})

test('fills a space from a file of many entries, and names a malformed line', async () => {
  const device = await newSpace('many')
  for (let n = 0; n < 700; n++) device.put(`more/${n}`, { n, text: 'x'.repeat(n) })
  await device.sync(300)
  device.delete('more/0')
  await device.sync()
  await backUp()
  const file = join(folder, fileNameOf('many'))
  const command = (path: string) =>
    runCommand(process.execPath, ['infra/operate/restore.ts', running.url, path], {
      cwd: join(import.meta.dirname, '../../..'),
      env: { CHRONICLE_ADMIN_TOKEN: running.outputs.adminToken },
    })
  await erase('many')
  expect(await command(file)).toEqual({ code: 0, printed: 'many: 702 entries\n' })
  expect(await entriesOf('many')).toEqual(device.entries())
  await erase('many')
  const [header = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
  writeFileSync(file, [header, '{"key":1}', lines.at(-1), ''].join('\n'))
  const { code, printed: said } = await command(file)
  expect([code, said]).toEqual([
    1,
    expect.stringMatching(/^Error: many: POST .* answered 422: Line 2: [^\n]*\n$/),
  ])
  await erase('many')
})
