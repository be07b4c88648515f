import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scriptFile } from '../../infra/local/account.ts'
import type { UpResult } from '../../infra/local/up.ts'
import { changesOf, HOSTNAME, newProject } from './project.ts'

function migrationsOf({ steps }: UpResult): unknown {
  return steps.find(({ resource }) => resource.name === 'sync-script')?.resource.inputs.migrations
}

function addCode(text: string): string {
  return `${text}\nconsole.debug('changed')\n`
}

test.concurrent('an unchanged tree changes nothing, new code only the script, a new class sends only its step', async () => {
  const project = newProject()
  const first = await project.up('dev')
  const v1 = { newTag: 'v1', steps: [{ newSqliteClasses: ['Chronicle'] }] }
  expect(migrationsOf(first)).toEqual(v1)
  expect(changesOf((await project.up('dev')).steps)).toEqual([])

  project.edit('worker/src/index.ts', addCode)
  expect(changesOf((await project.up('dev')).steps)).toEqual([
    'update sync-script ~contentSha256 -migrations',
  ])
  expect(changesOf((await project.up('dev')).steps)).toEqual([])

  project.edit(
    'worker/src/index.ts',
    (text) => `${text}\nexport { Chronicle as Archive } from './objects/chronicle.ts'\n`,
  )
  project.edit('worker/wrangler.toml', (text) =>
    text
      .replace(
        '[[migrations]]',
        '[[durable_objects.bindings]]\nname = "ARCHIVE"\nclass_name = "Archive"\n\n[[migrations]]',
      )
      .concat('\n[[migrations]]\ntag = "v2"\nnew_sqlite_classes = ["Archive"]\n'),
  )
  const third = await project.up('dev')
  expect(changesOf(third.steps)).toEqual(['update sync-script ~bindings ~contentSha256 +migrations'])
  expect(migrationsOf(third)).toEqual({
    oldTag: 'v1',
    newTag: 'v2',
    steps: [{ newSqliteClasses: ['Archive'] }],
  })
  expect(changesOf((await project.up('dev')).steps)).toEqual([])
})

test.concurrent('what ships is made from the tree, whatever lies in dist/', async () => {
  const project = newProject()
  await project.up('dev')
  const bundle = join(project.root, 'dist/worker.js')
  const fresh = readFileSync(bundle)
  writeFileSync(bundle, 'export default {}')
  expect(changesOf((await project.up('dev')).steps)).toEqual([])
  expect(readFileSync(bundle)).toEqual(fresh)

  project.edit('worker/src/index.ts', addCode)
  writeFileSync(bundle, 'export default {}')
  await project.up('dev')
  const shipped = readFileSync(scriptFile(join(project.root, '.local/dev'), 'chronicle-sync-dev'), 'utf8')
  expect(shipped).toContain('changed')
})

test.concurrent('a changed setting changes what it names, a removed hostname deletes its domain', async () => {
  const project = newProject()
  await project.up('dev', HOSTNAME)
  const other = { hostname: 'api.example.com', logSampling: '0.5', syncRequestsPerMinute: '30' }
  expect(changesOf((await project.up('dev', other)).steps)).toEqual([
    'update sync-script ~bindings -migrations ~observability',
    'replace endpoint-domain ~hostname',
  ])
  const { account, steps } = await project.up('dev', { ...other, hostname: '' })
  expect(changesOf(steps)).toEqual(['delete endpoint-domain'])
  expect(account.domains).toEqual([])
})

test.concurrent('a failed run leaves what was there, and the next one heals', async () => {
  const project = newProject()
  await project.up('dev')
  project.edit('worker/src/index.ts', (text) => text.replace(/.*Chronicle.*/g, ''))
  await expect(project.up('dev')).rejects.toThrow('does not export the class Chronicle')
  project.edit(
    'worker/src/index.ts',
    (text) => `${text}\nexport { Chronicle } from './objects/chronicle.ts'\n`,
  )
  const { steps, account } = await project.up('dev')
  expect(changesOf(steps)).toEqual(['update sync-script -migrations'])
  expect(account.scripts[0]?.migrationTag).toBe('v1')
  expect(changesOf((await project.up('dev')).steps)).toEqual([])
})

test.concurrent('protected things are not deleted or replaced', async () => {
  const project = newProject()
  await project.up('prod', HOSTNAME)
  project.edit('infra/components/credentials.ts', (text) => text.replace(/KEY_BYTES = 32/, 'KEY_BYTES = 48'))
  await expect(project.up('prod', HOSTNAME)).rejects.toThrow(
    'master-key: it is protected and would be replaced (~length)',
  )
})
