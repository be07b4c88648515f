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

function declareArchive(text: string): string {
  const binding = '[[durable_objects.bindings]]\nname = "ARCHIVE"\nclass_name = "Archive"\n\n'
  const migration = '\n[[migrations]]\ntag = "v2"\nnew_sqlite_classes = ["Archive"]\n'
  return text.replace('[[migrations]]', `${binding}[[migrations]]`).concat(migration)
}

test.concurrent('code ships from the tree alone, migrations once, and an unchanged tree changes nothing', async () => {
  const project = newProject()
  const bundle = join(project.root, 'dist/worker.js')
  const first = await project.up('dev')
  expect(migrationsOf(first)).toEqual({ newTag: 'v1', steps: [{ newSqliteClasses: ['Chronicle'] }] })

  const fresh = readFileSync(bundle)
  writeFileSync(bundle, 'export default {}')
  expect(changesOf((await project.up('dev')).steps)).toEqual([])
  expect(readFileSync(bundle)).toEqual(fresh)

  project.edit('worker/src/index.ts', addCode)
  writeFileSync(bundle, 'export default {}')
  const second = await project.up('dev')
  expect(changesOf(second.steps)).toEqual(['update sync-script ~contentSha256 -migrations'])
  const shipped = readFileSync(scriptFile(join(project.root, '.local/dev'), 'chronicle-sync-dev'), 'utf8')
  expect(shipped).toContain('changed')
  expect(changesOf((await project.up('dev')).steps)).toEqual([])
})

test.concurrent('a new class sends just its step', async () => {
  const project = newProject()
  await project.up('dev')
  project.edit(
    'worker/src/index.ts',
    (text) => `${text}\nexport { Chronicle as Archive } from './objects/chronicle.ts'\n`,
  )
  project.edit('worker/wrangler.toml', declareArchive)
  const second = await project.up('dev')
  expect(changesOf(second.steps)).toEqual(['update sync-script ~bindings ~contentSha256 ~migrations'])
  expect(migrationsOf(second)).toEqual({
    oldTag: 'v1',
    newTag: 'v2',
    steps: [{ newSqliteClasses: ['Archive'] }],
  })
  expect(changesOf((await project.up('dev')).steps)).toEqual([])

  project.edit('worker/wrangler.toml', (text) => text.replace('tag = "v2"', 'tag = "w2"'))
  await expect(project.up('dev')).rejects.toThrow(/^the deployed script is at migration "v2", which [^\n]*$/)
})

test.concurrent('a changed setting changes what it names, a removed hostname deletes its domain', async () => {
  const project = newProject()
  await project.up('dev', HOSTNAME)
  const kept = { ...HOSTNAME, protect: 'true' }
  expect(changesOf((await project.up('dev', kept)).steps)).toEqual(['update sync-script -force -migrations'])
  const other = { ...kept, hostname: 'api.example.com', logSampling: '0.5', syncRequestsPerMinute: '30' }
  expect(changesOf((await project.up('dev', other)).steps)).toEqual([
    'update sync-script ~bindings ~observability',
    'replace endpoint-domain ~hostname',
  ])
  const { account, steps } = await project.up('dev', { ...other, hostname: '' })
  expect(changesOf(steps)).toEqual(['delete endpoint-domain'])
  expect(account.domains).toEqual([])

  project.edit('infra/components/credentials.ts', (text) => text.replace('KEY_BYTES = 32', 'KEY_BYTES = 48'))
  await expect(project.up('dev', other)).rejects.toThrow(
    /^[a-z-]+: it is protected and would be replaced \(~length\)$/,
  )
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
