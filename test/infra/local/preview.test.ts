import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { changesBetween } from '../../../infra/local/engine/diff.ts'
import { redact } from '../../../infra/local/engine/properties.ts'
import type { UpResult } from '../../../infra/local/engine/up.ts'
import { formatChange } from '../../../infra/local/print.ts'
import { changesOf, HOSTNAME, newProject } from '../../support/cloud/project.ts'

/** Lists the changes of the outputs that people read. */
function shown({ before, outputs }: UpResult) {
  return changesBetween({ ...before, release: null }, { ...outputs, release: null })
}

const deployed = newProject()
beforeAll(async () => {
  await deployed.up('dev')
})

test.concurrent('previews every resource of an empty account, and creates none', async () => {
  const project = newProject()
  const { steps, outputs } = await project.preview('prod', HOSTNAME)
  expect(changesOf(steps).filter((change) => !change.startsWith('create '))).toEqual([])
  expect(outputs).toMatchObject({ url: 'https://sync.example.com', scriptName: 'chronicle-sync-prod' })
  expect(existsSync(join(project.root, '.local/prod/account.json'))).toBe(false)
  expect(existsSync(join(project.root, '.local/prod/state.json'))).toBe(false)
})

test.concurrent('previews exactly what the next run changes, and no change of an unchanged tree', async () => {
  const project = newProject()
  await project.up('dev', HOSTNAME)
  expect(changesOf((await project.preview('dev', HOSTNAME)).steps)).toEqual([])

  project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('changed')\n`)
  const changed = { hostname: 'api.example.com', logSampling: '0.5', syncRequestsPerMinute: '30' }
  const foreseen = changesOf((await project.preview('dev', changed)).steps)
  expect(foreseen).toEqual([
    'update chronicle-sync-script ~bindings.SYNC_LIMIT.simple.limit ~bindings.VERSION.text ~contentSha256 -migrations ~observability.headSamplingRate',
    'replace chronicle-sync-domain ~hostname',
  ])
  expect(changesOf((await project.preview('dev', changed)).steps)).toEqual(foreseen)
  expect(changesOf((await project.up('dev', changed)).steps)).toEqual(foreseen)
  expect(changesOf((await project.preview('dev', changed)).steps)).toEqual([])
})

test.concurrent('previews a changed page by its path, and a removed one', async () => {
  const project = newProject(deployed)
  project.edit('worker/assets/index.html', (text) => text.replace('by accident', 'by chance'))
  rmSync(join(project.root, 'worker/assets/style.css'))
  expect(shown(await project.preview('dev')).map(formatChange)).toEqual([
    expect.stringMatching(/^~ assets\.\/index\.html: "[0-9a-f]{12}" => "[0-9a-f]{12}"$/),
    expect.stringMatching(/^- assets\.\/style\.css: "[0-9a-f]{12}"$/),
    expect.stringMatching(/^~ bindings\.VERSION: /),
    expect.stringMatching(/^~ version: /),
  ])
  expect(existsSync(join(project.root, 'dist/assets/style.css'))).toBe(false)
})

test.concurrent('previews a new secret and a renamed variable as single changes', async () => {
  const project = newProject(deployed)
  project.edit('worker/wrangler.toml', (text) => text.replace('"ADMIN_TOKEN", ', '"ADMIN_TOKEN", "PEPPER", '))
  project.edit('infra/component/provision.ts', (text) =>
    text.replace('ADMIN_TOKEN: credentials.adminTokens,', "$&\n    PEPPER: secret('a'.repeat(32)),"),
  )
  project.edit('infra/component/provision.ts', (text) =>
    text.replace('{ getStack, type', '{ getStack, secret, type'),
  )
  const added = await project.preview('dev')
  expect(changesOf(added.steps)).toEqual(['update chronicle-sync-script +bindings.PEPPER -migrations'])
  expect(JSON.stringify(redact(added.resources.map(({ inputs }) => inputs)))).not.toContain('a'.repeat(32))
  expect(shown(added).map(formatChange)).toEqual(['+ bindings.PEPPER: "[secret]"'])
  await project.up('dev')

  for (const file of ['worker/wrangler.toml', 'infra/component/provision.ts']) {
    project.edit(file, (text) => text.replace('JURISDICTION', 'REGION'))
  }
  const renamed = await project.preview('dev')
  expect(changesOf(renamed.steps)).toEqual([
    'update chronicle-sync-script -bindings.JURISDICTION +bindings.REGION',
  ])
  expect(shown(renamed).map(({ path }) => path)).toEqual(['bindings.JURISDICTION', 'bindings.REGION'])
})

test.concurrent('refuses in a preview what a run would refuse', async () => {
  const project = newProject()
  await project.up('prod', HOSTNAME)
  await expect(project.preview('prod', { ...HOSTNAME, jurisdiction: 'eu' })).rejects.toThrow(
    /^chronicle-sync-namespace: it is protected and would be replaced \(jurisdiction\)$/,
  )
  await expect(project.preview('prod', { ...HOSTNAME, masterKeys: '[2]' })).rejects.toThrow(
    /^masterKeys is \[2\], which takes away master key 1: /,
  )
  await expect(project.preview('prod')).rejects.toThrow(/hostname is missing/)
})
