import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { json, text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readStack } from '../../../infra/cli/stack-file.ts'
import { loadAccount } from '../../../infra/local/cloud/account.ts'
import { serveAccount } from '../../../infra/local/cloud/runtime.ts'
import { deployment } from '../../../infra/local/engine/deployment.ts'
import { loadState } from '../../../infra/local/engine/state.ts'
import { up } from '../../../infra/local/engine/up.ts'
import { installExample } from '../../support/cloud/example.ts'

const CHECKOUT = join(import.meta.dirname, '../../..')
const root = mkdtempSync(join(tmpdir(), 'chronicle-package-'))
const folder = join(root, '.local/dev')

beforeAll(() => installExample(root))

afterAll(() => rmSync(root, { recursive: true }))

function run(config: Readonly<Record<string, string>> = {}) {
  return up({ root, stack: readStack(root, 'dev', config), folder })
}

test("deploys from a stranger's program, and changes nothing the second time", async () => {
  const first = await run()
  expect(first.steps.map(({ operation }) => operation)).toEqual(Array(12).fill('create'))
  expect(first.outputs).toMatchObject({ url: 'https://sync.example.com', scriptName: 'sync-dev' })
  expect(first.account.scripts).toMatchObject([{ name: 'sync-dev', migrationTag: 'v2' }])
  const second = await run()
  expect(second.steps.map(({ operation }) => operation)).toEqual(Array(12).fill('same'))
  const state = readFileSync(join(folder, 'state.json'), 'utf8')
  expect(state).toContain('node_modules/@chronicle-sync/pulumi/dist/artifact/worker.js')
  expect(state).toContain('"directory": "node_modules/@chronicle-sync/pulumi/dist/artifact/assets"')
  expect([root, CHECKOUT].filter((path) => state.includes(path))).toEqual([])
})

test('serves the version that it deployed', async () => {
  const account = loadAccount(folder)
  const runtime = await serveAccount({ account, folder, port: 0, onLog: () => {} })
  async function ask(path: string): Promise<IncomingMessage> {
    const url = `http://127.0.0.1:${runtime.port}${path}`
    // `fetch` would not let a caller choose the host.
    const [response] = await once(get(url, { headers: { host: 'sync.example.com' } }), 'response')
    return response
  }
  const health = await json(await ask('/api/health'))
  const page = await text(await ask('/'))
  await runtime.stop()
  const description = readFileSync(
    join(root, 'node_modules/@chronicle-sync/pulumi/dist/artifact/artifact.json'),
    'utf8',
  )
  const { version } = JSON.parse(description)
  expect(health).toMatchObject({ version })
  expect(page).toContain(`Version ${version}`)
})

test('refuses wrong arguments in one line each', async () => {
  await expect(run({ hostname: 'https://sync.example.com/' })).rejects.toThrow(
    /^new ChronicleSync\('sync'\): hostname is "https:\/\/sync\.example\.com\/", expected a host name in lower case, [^\n]*: sync\.example\.com$/,
  )
})

test('has types that a strict program accepts, and that refuse a setting of another type', () => {
  const wrong = readFileSync(join(root, 'index.ts'), 'utf8').replace("['https://app.example.com']", "'*'")
  writeFileSync(join(root, 'wrong.ts'), wrong)
  const options = ['--module', 'nodenext', '--target', 'es2024', '--strict', '--noEmit', '--skipLibCheck']
  const tsc = join(CHECKOUT, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(
    process.execPath,
    [tsc, ...options, '--types', 'node', 'index.ts', 'wrong.ts'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  )
  expect(stdout.match(/^\S+\.ts.*error/gm)).toEqual([expect.stringMatching(/^wrong\.ts\(7,3\): error/)])
})

test('is destroyed whole once its protection is off', async () => {
  const destroy = () =>
    deployment({
      project: 'notes-app',
      stack: 'dev',
      state: loadState(folder),
      cloud: { account: loadAccount(folder), folder, programFolder: dirname(folder) },
      dryRun: false,
      onStep: () => {},
    }).finish()
  expect(destroy).toThrow(/is protected/)
  await run({ protect: 'false' })
  destroy()
  expect(loadState(folder).resources).toEqual([])
  expect(loadAccount(folder)).toMatchObject({ namespaces: [], scripts: [], domains: [] })
})
