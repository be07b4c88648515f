import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { OfflineDevice } from '../../support/devices/offline-device.ts'
import { restlessDevice } from './restless-device.ts'
import { runner } from './with-runner.ts'

test('keeps all data when a class and tables are added, and refuses to roll back past them', async () => {
  expect(await runner.run('node_modules/.bin/pulumi stack select --create dev')).toMatchObject({ code: 0 })
  runner.commit('version 1')
  expect(await runner.run('node_modules/.bin/pulumi up --stack dev')).toMatchObject({ code: 0 })
  runner.edit(
    'worker/src/index.ts',
    (text) => `${text}\nexport { Chronicle as Archive } from './objects/chronicle.ts'\n`,
  )
  runner.edit('worker/wrangler.toml', (text) =>
    text
      .replace(
        '[[migrations]]',
        '[[durable_objects.bindings]]\nname = "ARCHIVE"\nclass_name = "Archive"\n\n[[migrations]]',
      )
      .concat('\n[[migrations]]\ntag = "v3"\nnew_sqlite_classes = ["Archive"]\n'),
  )
  runner.edit('worker/src/objects/store/tables.ts', (text) =>
    text.replace('\n]\n', "\n  'CREATE TABLE mark (id INTEGER PRIMARY KEY) STRICT',\n]\n"),
  )
  runner.commit('version 2')
  const token = await runner.mintToken()
  const { device, seen, screen, start } = restlessDevice('laptop', runner.url, token)
  const stop = await start()
  const delivered = await runner.deliver('up', 'dev')
  await setTimeout(500)
  await stop()
  expect(delivered.code, delivered.output).toBe(0)
  const other = new OfflineDevice('watch', runner.url)
  await other.open(token)
  await other.sync()
  expect(other.entries()).toEqual(device.entries())
  expect(device.entries().size).toBeGreaterThan(10)
  const { opened, frames, pages } = screen.seen
  expect(opened).toBeGreaterThanOrEqual(2)
  console.info(`switched once: ${seen.failures} of ${seen.attempts} requests failed`)
  console.info(`a socket was opened again ${opened - 1} times: ${frames} frames, ${pages} pages pulled`)

  const back = await runner.run('npm run --silent rollback -- --stack dev --yes')
  expect(back.code).toBe(1)
  expect(back.output).toMatch(
    /^Error: the migration "v3" lies between [0-9a-f]{12} and [0-9a-f]{12}, .*Fix it forward\n$/,
  )

  runner.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('3')\n`)
  runner.edit('worker/src/core/space/layout.ts', (text) => text.replace(/LAYOUT = \d+/, 'LAYOUT = 99'))
  runner.commit('version 3')
  expect(await runner.run('node_modules/.bin/pulumi up --stack dev')).toMatchObject({ code: 0 })
  const again = await runner.run('npm run --silent rollback -- --stack dev --yes')
  expect(again.output).toMatch(
    /^Error: spaces are stored in another form by [0-9a-f]{12} \(layout 99\) than by [0-9a-f]{12} \(layout \d+\), /,
  )
})
