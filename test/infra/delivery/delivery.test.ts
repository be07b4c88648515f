import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { load } from 'js-yaml'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { COMPILE_CACHE } from '../../../infra/cli/root.ts'
import { newStandIn, type StandIn } from '../../standin/stand-in.ts'
import { secretsOf } from '../../support/cloud/cloud.ts'
import { newProject, type Project } from '../../support/cloud/project.ts'
import { OfflineDevice } from '../../support/devices/offline-device.ts'
import { type Switchboard, switchboard } from '../../support/switchboard.ts'
import { restlessDevice } from './restless-device.ts'

const CLI = join(import.meta.dirname, 'pulumi-cli.ts')
const pinned: { version: string } = createRequire(import.meta.url)('pulumi/package.json')
const WORKFLOW = join(import.meta.dirname, '../../../.github/workflows/deliver.yml')

interface Step {
  readonly name?: string
  readonly run?: string
}

/** Commands of the delivery workflow, as GitHub's runner passes them to bash. */
const STEPS = (
  load(readFileSync(WORKFLOW, 'utf8')) as { jobs: { deliver: { steps: Step[] } } }
).jobs.deliver.steps
  .map(({ run }) => run)
  .filter((run) => run !== undefined)

/** Records the arguments of every Node process, because every user of the machine can see them. */
const NOTE_ARGUMENTS = `
const { appendFileSync } = require('node:fs')
appendFileSync(process.env.ARGUMENTS, JSON.stringify([...process.execArgv, ...process.argv]) + '\\n')
`

let project: Project
let state: string
let board: Switchboard
let token: string
/** API that the doctor calls. */
let api: StandIn

beforeEach(async () => {
  api = await newStandIn('a'.repeat(32))
})

beforeAll(async () => {
  project = newProject()
  state = join(project.root, '.local/state')
  mkdirSync(state, { recursive: true })
  // The npm package looks for its downloaded CLI at this path.
  executable(`pulumi/versions/${pinned.version}/bin/pulumi`, `exec "${process.execPath}" "${CLI}" "$@"`)
  writeFileSync(join(project.root, '.local/note.cjs'), NOTE_ARGUMENTS)
  executable('bin/gh', 'printf "%s\\n" "$*" > "$RUNNER_TEMP/gh.txt"; [ "$2" != view ] || echo OPEN')
  board = await switchboard(state)
  git('init', '--quiet', '--initial-branch=main')
  commit('the project')
})

afterAll(() => board.close())

function executable(name: string, script: string): void {
  const file = join(project.root, '.local', name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=tester', '-c', 'user.email=tester@example.com']
  return execFileSync('git', [...identity, ...args], { cwd: project.root, encoding: 'utf8' }).trim()
}

function commit(message: string): void {
  git('add', '--all')
  git('commit', '--quiet', '--message', message)
}

interface Ended {
  readonly code: number
  readonly output: string
}

function run(command: string, env: Record<string, string> = {}): Promise<Ended> {
  // Removes the tools of this checkout, which npm puts first.
  const own = (process.env.PATH ?? '').split(':').filter((folder) => !folder.endsWith('node_modules/.bin'))
  const path = [join(project.root, '.local/bin'), dirname(process.execPath), ...own].join(':')
  const child = spawn('bash', ['-eo', 'pipefail', '-c', command], {
    cwd: project.root,
    env: {
      ...process.env,
      PATH: path,
      PULUMI_HOME: join(project.root, '.local/pulumi'),
      PULUMI_BACKEND_URL: `file://${state}`,
      CLI_STATE: state,
      CLI_CLOUD: board.url,
      CLI_SWITCH: board.control,
      CLOUDFLARE_BASE_URL: api.url,
      CLOUDFLARE_API_TOKEN: api.token,
      CLOUDFLARE_ACCOUNT_ID: api.accountId,
      PULUMI_CONFIG_PASSPHRASE: 'of the tests',
      DOCTOR_SECONDS: '60',
      ARGUMENTS: join(project.root, '.local/arguments.txt'),
      NODE_OPTIONS: `--require=${join(project.root, '.local/note.cjs')}`,
      NODE_COMPILE_CACHE: join(project.root, COMPILE_CACHE),
      RUNNER_TEMP: join(project.root, '.local'),
      GITHUB_OUTPUT: join(project.root, '.local/output.txt'),
      GITHUB_STEP_SUMMARY: join(project.root, '.local/summary.txt'),
      WATCH_MINUTES: '0',
      // The state of the tests is a file.
      RUNNER_ENVIRONMENT: '',
      ...env,
    },
  })
  return ended(child)
}

async function ended(child: ChildProcess): Promise<Ended> {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text: Buffer) => {
      output += text
    })
  }
  const [code] = await once(child, 'close')
  return { code, output }
}

/** Secrets and settings of the account, which the workflow's first step does not have. */
const NO_ACCOUNT = {
  CLOUDFLARE_API_TOKEN: '',
  CLOUDFLARE_ACCOUNT_ID: '',
  PULUMI_CONFIG_PASSPHRASE: '',
}

/** Runs the workflow's shell steps after the first in order, and stops at the first failure. */
async function deliver(
  step: string,
  stack: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const [, ask = '', main = '', comment = ''] = STEPS
  const commands = [...(step === 'open' ? [ask] : []), main, ...(step === 'preview' ? [comment] : [])]
  const inputs = { STEP: step, STACK: stack, NUMBER: '7', PULL_REQUEST: '7' }
  let output = ''
  for (const command of commands) {
    const ended = await run(command, { ...inputs, GH_TOKEN: 'x', ...more })
    output += ended.output
    if (ended.code !== 0) return { code: ended.code, output }
  }
  return { code: 0, output }
}

async function mintToken(): Promise<string> {
  const { output } = await run('node_modules/.bin/pulumi stack output --stack dev')
  const { adminToken } = JSON.parse(output)
  const response = await fetch(`${board.url}/api/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ subject: 'ann', scopes: ['sync:read', 'sync:write'] }),
  })
  return ((await response.json()) as { token: string }).token
}

/** Reads a file that a step has written for the workflow. */
function written(name: string): string {
  return readFileSync(join(project.root, '.local', name), 'utf8')
}

async function health(): Promise<{ version: string }> {
  return (await fetch(`${board.url}/api/health`)).json() as Promise<{ version: string }>
}

test('refuses to deliver the salt of a new stack before it is committed, because no rollback could go back to it', async () => {
  expect(await run('node_modules/.bin/pulumi stack select --create dev')).toMatchObject({ code: 0 })
  expect(git('status', '--porcelain')).toBe('M Pulumi.dev.yaml')
  const delivered = await deliver('up', 'dev')
  expect(delivered.code).toBe(1)
  expect(delivered.output).toContain(
    'Error: uncommitted changes would be deployed, and no rollback could go back to them. Commit them first, also the salt that pulumi writes into Pulumi.dev.yaml: Pulumi.dev.yaml\n',
  )
  commit('version 1')
})

test('delivers a stack by the steps of the workflow, and serves its version', async () => {
  expect(STEPS).toHaveLength(4)
  const prepared = await run(STEPS[0] ?? '', NO_ACCOUNT)
  expect(prepared).toMatchObject({ code: 0, output: expect.stringContaining('dist/worker.js: ') })
  const first = await deliver('up', 'dev')
  expect(first.code, first.output).toBe(0)
  expect(first.output).toContain('The stack dev can be deployed.')
  expect(first.output).toContain('ok     takes everything back')
  expect((await health()).version).toMatch(/^0\.1\.0\+[0-9a-f]{12}$/)
  expect(written('output.txt')).toBe(`version=${(await health()).version}\n`)
  const seen = written('arguments.txt')
  expect(seen).toContain('infra/operate/smoke.ts')
  expect(secretsOf(state).filter((secret) => seen.includes(secret))).toEqual([])
  token = await mintToken()
})

test('rolls back a version that fails its check, and loses no data of a device', async () => {
  const before = await health()
  const { device, seen, screen, start } = restlessDevice('phone', board.url, token)
  const stop = await start()
  project.edit('worker/src/http/routes/space.ts', (text) =>
    text.replace('return jsonText(text)', "throw new Error('broken')"),
  )
  commit('a broken version')
  const delivered = await deliver('up', 'dev')
  await stop()
  expect(delivered.code).toBe(1)
  expect(delivered.output).toContain('WRONG  takes a batch')
  expect(written('summary.txt')).toMatch(
    /^The delivery of dev failed, so it goes back to the previous commit\. WRONG {2}takes a batch: /,
  )
  expect(delivered.output).toMatch(/The stack "dev" goes back from [0-9a-f]{12} to [0-9a-f]+ version 1/)
  expect(await health()).toMatchObject({ version: before.version })
  const other = new OfflineDevice('tablet', board.url)
  await other.open(token)
  await other.sync()
  expect(other.entries()).toEqual(device.entries())
  const { opened, frames, pages } = screen.seen
  expect(opened).toBeGreaterThanOrEqual(3)
  // Only the first connection pulls. After a reconnect, all changes arrive as frames.
  expect(frames).toBeGreaterThan(pages)
  console.info(`switched twice: ${seen.failures} of ${seen.attempts} requests failed`)
  console.info(`a socket was opened again ${opened - 1} times: ${frames} frames, ${pages} pages pulled`)
  expect(git('worktree', 'list').split('\n')).toHaveLength(1)
})

test('goes back to the good version after the next one too, not to the broken version', async () => {
  git('revert', '--no-edit', 'HEAD')
  project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('next')\n`)
  commit('the next version')
  const next = await run('node_modules/.bin/pulumi up --stack dev')
  expect(next.code, next.output).toBe(0)
  const back = await run('npm run --silent rollback -- --stack dev --yes')
  expect(back.code, back.output).toBe(0)
  expect(back.output).toMatch(/The stack "dev" goes back from [0-9a-f]{12} to [0-9a-f]+ version 1\n/)
})

test('deploys no other version than the one that another stack has run', async () => {
  git('revert', '--no-edit', 'HEAD')
  const { version } = await health()
  const other = await deliver('up', 'dev', { VERSION: '0.1.0+0123456789ab' })
  expect(other.code).toBe(1)
  expect(other.output).toContain(
    `this checkout builds the version ${version}, but the one to deploy is 0.1.0+0123456789ab, which ran in another stack.`,
  )
  expect(other.output).not.toContain('goes back')
})

test('leaves the version that runs in place if the preview of the next one is refused', async () => {
  project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('good')\n`)
  commit('a good version')
  expect(await run('node_modules/.bin/pulumi up --stack dev')).toMatchObject({ code: 0 })
  const { version } = await health()
  project.edit('worker/wrangler.toml', (text) =>
    text.replace('invocation_logs = false', 'invocation_logs = true'),
  )
  project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('refused')\n`)
  commit('a version that breaks a policy')
  const delivered = await deliver('up', 'dev')
  expect(delivered.code).toBe(1)
  expect(delivered.output).not.toContain('goes back')
  expect(written('summary.txt')).toMatch(
    /The delivery of dev failed before it changed anything, so the stack stays as it is\. error: Invocation logs /,
  )
  expect((await health()).version).toBe(version)
  git('revert', '--no-edit', 'HEAD')
})

test('keeps all data when a class and tables are added, and refuses to roll back past them', async () => {
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
      .concat('\n[[migrations]]\ntag = "v3"\nnew_sqlite_classes = ["Archive"]\n'),
  )
  project.edit('worker/src/objects/store/tables.ts', (text) =>
    text.replace('\n]\n', "\n  'CREATE TABLE mark (id INTEGER PRIMARY KEY) STRICT',\n]\n"),
  )
  commit('version 2')
  const { device, seen, screen, start } = restlessDevice('laptop', board.url, token)
  const stop = await start()
  const delivered = await deliver('up', 'dev')
  await setTimeout(500)
  await stop()
  expect(delivered.code, delivered.output).toBe(0)
  const other = new OfflineDevice('watch', board.url)
  await other.open(token)
  await other.sync()
  expect(other.entries()).toEqual(device.entries())
  expect(device.entries().size).toBeGreaterThan(10)
  const { opened, frames, pages } = screen.seen
  expect(opened).toBeGreaterThanOrEqual(2)
  console.info(`switched once: ${seen.failures} of ${seen.attempts} requests failed`)
  console.info(`a socket was opened again ${opened - 1} times: ${frames} frames, ${pages} pages pulled`)

  const back = await run('npm run --silent rollback -- --stack dev --yes')
  expect(back.code).toBe(1)
  expect(back.output).toMatch(
    /^Error: the migration "v3" lies between [0-9a-f]{12} and [0-9a-f]{12}, .*Fix it forward\n$/,
  )

  project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('3')\n`)
  project.edit('worker/src/core/space/layout.ts', (text) => text.replace(/LAYOUT = \d+/, 'LAYOUT = 99'))
  commit('version 3')
  expect(await run('node_modules/.bin/pulumi up --stack dev')).toMatchObject({ code: 0 })
  const again = await run('npm run --silent rollback -- --stack dev --yes')
  expect(again.output).toMatch(
    /^Error: spaces are stored in another form by [0-9a-f]{12} \(layout 99\) than by [0-9a-f]{12} \(layout \d+\), /,
  )
})

test('posts a preview as a comment, and checks a stack for drift', async () => {
  const { output } = await deliver('preview', 'dev')
  expect(output).toMatch(/\n### Preview of `dev`\n\n(The|Nothing) [\s\S]*- \*\*policies\*\*: \d+ passed: /)
  expect(output).toMatch(/- \*\*own stack\*\*: The stack pr-7 of this pull request opens .*\n\n<details>/)
  expect(readFileSync(join(project.root, '.local/gh.txt'), 'utf8')).toMatch(
    /^pr comment 7 --edit-last --create-if-none --body-file /,
  )
  expect((await deliver('drift', 'dev')).code).toBe(0)
})

test('creates, checks and removes a temporary stack', async () => {
  const opened = await deliver('open', 'pr-7')
  expect(written('output.txt')).toContain('state=OPEN\n')
  expect(opened.code, opened.output).toBe(0)
  expect(opened.output).toContain('ok     takes everything back')
  const blind = await deliver('close', 'pr-7', { CLI_STATE: join(state, 'nowhere') })
  expect(blind.code).not.toBe(0)
  expect(blind.output).not.toContain('nothing to close')
  expect((await deliver('close', 'pr-7')).code).toBe(0)
  expect(git('status', '--porcelain')).toBe('')
  expect(await deliver('close', 'pr-7')).toMatchObject({
    code: 0,
    output: expect.stringContaining('There is no stack pr-7: nothing to close'),
  })
  expect((await run('node_modules/.bin/pulumi stack select pr-7')).output).toContain(
    "no stack named 'pr-7' found",
  )
  for (const [step, stack] of [
    ['close', 'prod'],
    ['open', 'dev'],
    ['nothing', 'dev'],
  ] as const) {
    expect((await deliver(step, stack)).code).toBe(2)
  }
})
