import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { scriptFile } from '../../../infra/local/cloud/account.ts'
import { assetsFolder } from '../../../infra/local/cloud/assets.ts'
import { reveal } from '../../../infra/local/engine/properties.ts'
import type { UpResult } from '../../../infra/local/engine/up.ts'
import { changesOf, HOSTNAME, newProject } from '../../support/cloud/project.ts'

function migrationsOf({ steps }: UpResult): unknown {
  return steps.find(({ resource }) => resource.name === 'chronicle-sync-script')?.resource.inputs.migrations
}

function addCode(text: string): string {
  return `${text}\nconsole.debug('changed')\n`
}

function declareArchive(text: string): string {
  const binding = '[[durable_objects.bindings]]\nname = "ARCHIVE"\nclass_name = "Archive"\n\n'
  const migration = '\n[[migrations]]\ntag = "v3"\nnew_sqlite_classes = ["Archive"]\n'
  return text.replace('[[migrations]]', `${binding}[[migrations]]`).concat(migration)
}

const deployed = newProject()
beforeAll(async () => {
  await deployed.up('dev')
})

test.concurrent('ships code from the tree alone, sends migrations once, and changes nothing of an unchanged tree', async () => {
  const project = newProject()
  const bundle = join(project.root, 'dist/worker.js')
  const first = await project.up('dev')
  expect(migrationsOf(first)).toEqual({
    newTag: 'v2',
    steps: [{ newSqliteClasses: ['Chronicle'] }, { newSqliteClasses: ['Registry'] }],
  })

  const fresh = readFileSync(bundle)
  writeFileSync(bundle, 'export default {}')
  expect(changesOf((await project.up('dev')).steps)).toEqual([])
  expect(readFileSync(bundle)).toEqual(fresh)

  project.edit('worker/src/index.ts', addCode)
  writeFileSync(bundle, 'export default {}')
  const second = await project.up('dev')
  expect(changesOf(second.steps)).toEqual([
    'update chronicle-sync-script ~bindings.VERSION.text ~contentSha256 -migrations',
  ])
  const shipped = readFileSync(scriptFile(join(project.root, '.local/dev'), 'chronicle-sync-dev'), 'utf8')
  expect(shipped).toContain('changed')
  expect(changesOf((await project.up('dev')).steps)).toEqual([])
})

test.concurrent('adds a second component to a program that exports the record of the first', async () => {
  const project = newProject(deployed)
  await project.up('dev', { masterKeys: '[2, 1]' })
  project.edit('infra/index.ts', (text) =>
    text.concat("new ChronicleSync('second', { ...settings, masterKeys: [1], artifact })\n"),
  )
  const { account } = await project.up('dev', { masterKeys: '[2, 1]' })
  expect(account.scripts.map(({ name }) => name)).toEqual(['chronicle-sync-dev', 'second-dev'])
})

test.concurrent('ships a changed page alone as another version, once and without migrations', async () => {
  const project = newProject(deployed)
  const first = await project.up('dev')
  project.edit('worker/assets/index.html', (text) => text.replace('by accident', 'by chance'))
  const second = await project.up('dev')
  expect(changesOf(second.steps)).toEqual(['update chronicle-sync-script ~bindings.VERSION.text -migrations'])
  expect(second.outputs.version).not.toBe(first.outputs.version)
  const folder = assetsFolder(join(project.root, '.local/dev'), 'chronicle-sync-dev')
  const page = readFileSync(join(folder, 'index.html'), 'utf8')
  expect(page).toContain('by chance')
  expect(page).toContain(`Version ${second.outputs.version}`)
  expect(changesOf((await project.up('dev')).steps)).toEqual([])
})

test.concurrent('ships a changed source of the console as its file and the version, once and without migrations', async () => {
  const project = newProject(deployed)
  const first = await project.up('dev')
  project.edit('console/src/main.ts', (text) => `${text}\nconsole.debug('changed')\n`)
  const second = await project.up('dev')
  expect(changesOf(second.steps)).toEqual(['update chronicle-sync-script ~bindings.VERSION.text -migrations'])
  const files = Object.entries(second.outputs.assets as object)
  const changed = files.filter(([path, digest]) => Object(first.outputs.assets)[path] !== digest)
  expect(changed.map(([path]) => path)).toEqual(['/console/console.js'])
  expect(changesOf((await project.up('dev')).steps)).toEqual([])
})

test.concurrent('sends only the step of a new class', async () => {
  const project = newProject(deployed)
  project.edit(
    'worker/src/index.ts',
    (text) => `${text}\nexport { Chronicle as Archive } from './objects/chronicle.ts'\n`,
  )
  project.edit('worker/wrangler.toml', declareArchive)
  const second = await project.up('dev')
  expect(changesOf(second.steps)).toEqual([
    'update chronicle-sync-script +bindings.ARCHIVE ~bindings.VERSION.text ~contentSha256 ~migrations.newTag +migrations.oldTag ~migrations.steps[0].newSqliteClasses[0] -migrations.steps[1]',
  ])
  expect(migrationsOf(second)).toEqual({
    oldTag: 'v2',
    newTag: 'v3',
    steps: [{ newSqliteClasses: ['Archive'] }],
  })
  expect(changesOf((await project.up('dev')).steps)).toEqual([])

  project.edit('worker/wrangler.toml', (text) => text.replace('tag = "v3"', 'tag = "w3"'))
  await expect(project.up('dev')).rejects.toThrow(/^the deployed script is at migration "v3", which [^\n]*$/)
})

test.concurrent('updates only what a changed setting names, and deletes the domain of a removed hostname', async () => {
  const project = newProject()
  await project.up('dev', HOSTNAME)
  const kept = { ...HOSTNAME, protect: 'true' }
  expect(changesOf((await project.up('dev', kept)).steps)).toEqual([
    'update chronicle-sync-script -force -migrations',
  ])
  const other = { ...kept, hostname: 'api.example.com', logSampling: '0.5', syncRequestsPerMinute: '30' }
  const changed = await project.up('dev', other)
  expect(changed.account.domains).toMatchObject([{ hostname: 'api.example.com' }])
  expect(changesOf(changed.steps)).toEqual([
    'update chronicle-sync-script ~bindings.SYNC_LIMIT.simple.limit ~observability.headSamplingRate',
    'replace chronicle-sync-domain ~hostname',
  ])
  const { account, steps } = await project.up('dev', { ...other, hostname: '' })
  expect(changesOf(steps)).toEqual(['delete chronicle-sync-domain'])
  expect(account.domains).toEqual([])

  project.edit('infra/component/credentials.ts', (text) => text.replace('KEY_BYTES = 32', 'KEY_BYTES = 48'))
  await expect(project.up('dev', other)).rejects.toThrow(
    /^[a-z-]+: it is protected and would be replaced \(length\)$/,
  )
})

test.concurrent('keeps no traces with a share of 0, and names the destinations of a stack', async () => {
  const project = newProject(deployed)
  const settings = { traceSampling: '0', traceDestinations: '["tempo"]', logDestinations: '["loki"]' }
  const { account } = await project.up('dev', settings)
  expect(account.scripts[0]?.observability).toEqual({
    enabled: true,
    headSamplingRate: 1,
    logs: { enabled: true, invocationLogs: false, destinations: ['loki'] },
    traces: { enabled: false, headSamplingRate: 0, destinations: ['tempo'] },
  })
})

test.concurrent('rotates a secret by its setting alone, and the master key only by adding to the list', async () => {
  const project = newProject()
  const first = await project.up('dev')
  const rotated = await project.up('dev', {
    adminTokens: '[2, 1]',
    sessionKeys: '[2, 1]',
    masterKeys: '[2, 1]',
  })
  expect(changesOf(rotated.steps)).toEqual([
    'create chronicle-sync-admin-token-2',
    'create chronicle-sync-master-key-2',
    'create chronicle-sync-session-key-2',
    'update chronicle-sync-script ~bindings.ADMIN_TOKEN.text ~bindings.MASTER_KEY.text ~bindings.SESSION_KEY.text -migrations',
  ])
  const secretOf = ({ account }: UpResult, name: string) =>
    String(account.scripts[0]?.bindings.find((binding) => binding.name === name)?.text)
  expect(secretOf(rotated, 'MASTER_KEY')).toMatch(/^2:\S{44} 1:\S{44}$/)
  expect(secretOf(rotated, 'MASTER_KEY').split(' ')[1]).toBe(secretOf(first, 'MASTER_KEY'))
  expect(secretOf(rotated, 'ADMIN_TOKEN')).toBe(
    `${reveal(rotated.outputs.adminToken)} ${secretOf(first, 'ADMIN_TOKEN')}`,
  )
  const ended = await project.up('dev', { adminTokens: '[2]', sessionKeys: '[2]', masterKeys: '[2, 1]' })
  expect(changesOf(ended.steps)).toEqual([
    'update chronicle-sync-script ~bindings.ADMIN_TOKEN.text ~bindings.SESSION_KEY.text',
    'delete chronicle-sync-session-key',
    'delete chronicle-sync-admin-token',
  ])
})

test.concurrent('retires an older master key from a protected stack only after a sweep', async () => {
  const project = newProject()
  const rotated = { ...HOSTNAME, masterKeys: '[2, 1]' }
  await project.up('prod', rotated)
  const hasty = newProject(project).up('prod', { ...HOSTNAME, masterKeys: '[2]' })
  await expect(hasty).rejects.toThrow(/^masterKeys is \[2\], which takes away master key 1: [^\n]*$/)
  expect(changesOf((await project.up('prod', { ...rotated, sweptMasterKey: '2' })).steps)).toEqual([])
  const retired = await project.up('prod', { ...HOSTNAME, masterKeys: '[2]', sweptMasterKey: '2' })
  expect(changesOf(retired.steps)).toEqual([
    expect.stringMatching(/^update chronicle-sync-script ~bindings\.MASTER_KEY\.text/),
    'delete chronicle-sync-master-key',
  ])
})

test.concurrent('never takes away a master key that may have sealed data, and never reuses its number', async () => {
  const project = newProject(deployed)
  const refusal = /^masterKeys is \[2\], which takes away master key 1: [^\n]*$/
  await expect(project.up('dev', { masterKeys: '[2]' })).rejects.toThrow(refusal)

  // A failed run keeps the key in its state, because the script may have received it.
  const wrong = "contentSha256: 'f'.repeat(64), assets }"
  project.edit('infra/program/artifact.ts', (text) => text.replace('contentSha256, assets }', wrong))
  await expect(project.up('dev', { masterKeys: '[2, 1]' })).rejects.toThrow('contentSha256 is f')
  project.edit('infra/program/artifact.ts', (text) => text.replace(wrong, 'contentSha256, assets }'))
  await expect(project.up('dev')).rejects.toThrow(
    /^chronicle-sync-master-key-2 is protected and would be deleted/,
  )
  await project.up('dev', { masterKeys: '[2, 1]' })
  await project.up('dev', { masterKeys: '[2]', sweptMasterKey: '2' })
  await expect(project.up('dev', { masterKeys: '[2, 1]' })).rejects.toThrow(
    /^masterKeys is \[2, 1\], but master key 1 was taken away, [^\n]*$/,
  )
})

test.concurrent('refuses to replace a version that stores spaces in a newer form by an older one', async () => {
  const project = newProject(deployed)
  const newer = (text: string) => text.replace(/LAYOUT = \d+/, 'LAYOUT = 99')
  project.edit('worker/src/core/space/layout.ts', newer)
  await project.up('dev')
  project.edit('worker/src/core/space/layout.ts', (text) => text.replace('99', '98'))
  await expect(project.up('dev')).rejects.toThrow(
    /^this version stores spaces in layout 98, and the last one [^\n]* in layout 99, [^\n]*$/,
  )
})

test.concurrent('creates a route with its record, and deletes both with the setting', async () => {
  const project = newProject()
  const route = { route: 'sync.example.com/api/*', zoneId: 'f'.repeat(32), routeRecord: 'true' }
  const { account, outputs } = await project.up('dev', route)
  expect(account.routes).toMatchObject([{ pattern: 'sync.example.com/api/*', script: 'chronicle-sync-dev' }])
  expect(outputs).toMatchObject({
    url: 'https://sync.example.com',
    liveUrl: 'wss://sync.example.com/api/live',
  })
  const other = { ...route, route: 'sync.example.com/*' }
  const moved = await project.up('dev', other)
  expect(changesOf(moved.steps)).toEqual(['update chronicle-sync-route ~pattern'])
  expect(moved.account.routes).toMatchObject([{ pattern: 'sync.example.com/*' }])
  const gone = await project.up('dev')
  expect(changesOf(gone.steps).toSorted()).toEqual([
    'delete chronicle-sync-record',
    'delete chronicle-sync-route',
  ])
  expect(gone.account.routes).toEqual([])
})

test.concurrent('keeps what was deployed when a run fails, and repairs it with the next run', async () => {
  const project = newProject(deployed)
  let source = ''
  project.edit('worker/src/index.ts', (text) => {
    source = text
    return text.replace(/.*Chronicle.*/g, '')
  })
  await expect(project.up('dev')).rejects.toThrow(
    'makes the class Chronicle, but worker/src/index.ts does not export it',
  )
  project.edit('worker/src/index.ts', () => source)
  const { steps, account } = await project.up('dev')
  expect(changesOf(steps)).toEqual([])
  expect(account.scripts[0]?.migrationTag).toBe('v2')
  expect(changesOf((await project.up('dev')).steps)).toEqual([])
})
