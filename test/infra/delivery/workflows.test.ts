import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { validate } from '@actions/languageservice'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { TextDocument } from 'vscode-languageserver-textdocument'

const FOLDER = join(import.meta.dirname, '../../../.github/workflows')

interface Step {
  readonly name?: string
  readonly uses?: string
  readonly run?: string
  readonly env?: Readonly<Record<string, string>>
}

interface Job {
  readonly uses?: string
  readonly if?: string
  readonly env?: object
  readonly environment?: string
  readonly secrets?: string
  readonly with?: Readonly<Record<string, string>>
  readonly strategy?: { readonly matrix: { readonly include: readonly Readonly<Record<string, string>>[] } }
  readonly permissions?: Readonly<Record<string, string>>
  readonly concurrency?: { readonly group: string }
  readonly steps?: readonly Step[]
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions: object
  readonly jobs: Readonly<Record<string, Job>>
}

const FILES = readdirSync(FOLDER)

function read(file: string): {
  text: string
  workflow: Workflow
  jobs: readonly Job[]
  steps: readonly Step[]
} {
  const text = readFileSync(join(FOLDER, file), 'utf8')
  const workflow = load(text) as Workflow
  const jobs = Object.values(workflow.jobs)
  return { text, workflow, jobs, steps: jobs.flatMap(({ steps = [] }) => steps) }
}

test('has a workflow for pull requests, for main and for each night', () => {
  expect(FILES).toEqual(['deliver.yml', 'main.yml', 'nightly.yml', 'pull-request.yml'])
})

/** Gives the language service the workflows that another one calls. */
const CALLED = {
  getFileContent: async (called: { path?: string }) => {
    const name = called.path?.split('/').at(-1) ?? ''
    return { name, content: readFileSync(join(FOLDER, name), 'utf8') }
  },
}

test.each(FILES)("passes GitHub's own language service: %s", async (file) => {
  const { text } = read(file)
  // The language service caches documents by name.
  const check = (name: string, content: string) =>
    validate(TextDocument.create(`file:///${name}`, 'yaml', 0, content), { fileProvider: CALLED })
  expect(await check(file, text)).toEqual([])
  expect(await check(`wrong-${file}`, text.replace('uses:', 'use:'))).not.toEqual([])
})

test.each(FILES)('pins actions by commit, with the version beside it: %s', (file) => {
  const { text } = read(file)
  const used = text.split('\n').filter((line) => /\buses: (?!\.\/)/.test(line))
  for (const line of used) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test.each(FILES)(
  'grants only the permissions that each job names, and runs no text from outside: %s',
  (file) => {
    const { workflow, jobs, steps, text } = read(file)
    expect(workflow.permissions).toEqual({})
    for (const { permissions } of jobs) {
      expect(permissions?.contents).toBe('read')
      expect(
        Object.keys(permissions ?? {}).filter((key) => key !== 'contents' && key !== 'pull-requests'),
      ).toEqual([])
    }
    for (const { run = '' } of steps) expect(run).not.toContain('${{')
    expect(Object.keys(workflow.on)).not.toContain('pull_request_target')
    if (file !== 'deliver.yml') expect(text).not.toContain('${{ secrets.')
  },
)

test('runs one delivery of a stack at a time, and gives no secret to a fork or a bot', () => {
  const [deliver] = read('deliver.yml').jobs
  // A waiting delivery would be cancelled for a preview or a drift check in the same group.
  expect(deliver?.concurrency?.group).toMatch(/^stack-\$\{\{ inputs\.stack \}\}\$\{\{ .* \|\| '' \}\}$/)
  expect(deliver?.concurrency?.group).toContain(
    "inputs.step == 'preview' && format('-preview-{0}', github.event.number) || inputs.step == 'drift' && '-drift'",
  )
  for (const condition of [
    "vars.CLOUDFLARE_ACCOUNT_ID != ''",
    'github.event.pull_request.head.repo.full_name == github.repository',
    "github.event.pull_request.user.type == 'User'",
    "!endsWith(github.actor, '[bot]')",
  ]) {
    expect(deliver?.if?.replaceAll('\n', ' ')).toContain(condition)
  }
})

test('gives secrets to one step of a delivery only, after packages and bundle are there', () => {
  const [deliver] = read('deliver.yml').jobs
  expect(deliver?.env).toBeUndefined()
  const { steps = [] } = deliver ?? {}
  const holding = steps.filter((step) => JSON.stringify(step).includes('${{ secrets.'))
  expect(holding.map(({ run }) => run)).toEqual([
    expect.stringMatching(/^infra\/operate\/deliver\.sh "\$STEP" "\$STACK" /),
  ])
  const prepare = steps.findIndex(({ run }) => run === 'infra/operate/deliver.sh prepare')
  expect(prepare).toBeGreaterThan(0)
  expect(prepare).toBeLessThan(steps.findIndex((step) => holding.includes(step)))
  expect(steps[prepare]).not.toHaveProperty('env')
})

test('installs packages without running their scripts', () => {
  const installer = readFileSync(join(FOLDER, '../../infra/local/install.mjs'), 'utf8')
  expect(installer).toContain("'ci', '--ignore-scripts'")
  for (const file of FILES) expect(read(file).text, file).not.toMatch(/npm (ci|install)/)
})

/** Lists the deliveries of a workflow, each as step, stack and environment. */
function deliveriesOf(file: string): readonly string[] {
  const delivering = read(file).jobs.filter(({ uses }) => uses === './.github/workflows/deliver.yml')
  return delivering.flatMap(({ with: inputs = {}, strategy }) => {
    const each = strategy?.matrix.include ?? [{}]
    return each.map((values) =>
      ['step', 'stack', 'environment']
        .map((name) =>
          inputs[name]?.replace(/\$\{\{ (?:matrix\.)?([\w.]+) \}\}$/, (_, key) => values[key] ?? `<${key}>`),
        )
        .join(' '),
    )
  })
}

test('runs every delivery in the environment whose secrets it may have', () => {
  expect(read('deliver.yml').jobs[0]?.environment).toMatch(/^\$\{\{ inputs\.environment \}\}$/)
  expect(FILES.flatMap(deliveriesOf)).toEqual([
    'up dev development',
    'up prod production',
    'drift dev development',
    'drift prod production',
    'preview dev preview',
    'open pr-<github.event.number> preview',
    'preview dev preview',
    'close pr-<github.event.number> preview',
  ])
})

test('deploys production after dev, and dev after the check', () => {
  const { workflow } = read('main.yml')
  expect(workflow.jobs).toMatchObject({
    dev: { needs: 'check', with: { step: 'up', stack: 'dev', environment: 'development' } },
    prod: { needs: 'dev', with: { step: 'up', stack: 'prod', environment: 'production' } },
  })
  // An empty version would let production deploy any.
  expect(workflow.jobs.prod?.if).toBe("needs.dev.outputs.version != ''")
})

test('audits every change before the gates, and requires a report of the registry every night', () => {
  const gates = readFileSync(join(FOLDER, '../../.ci/run'), 'utf8').trimEnd().split('\n')
  expect(gates.indexOf('node .ci/audit.mjs')).toBeGreaterThan(0)
  // The last output of the gates is the summary of all tests.
  expect(gates.at(-1)).toBe('npm run check')
  for (const file of ['main.yml', 'pull-request.yml']) {
    expect(read(file).steps.map(({ run }) => run)).toContain('.ci/run')
  }
  expect(read('nightly.yml').steps.map(({ run }) => run)).toContain('node .ci/audit.mjs --required')
})
