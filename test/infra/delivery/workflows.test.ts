import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { validate } from '@actions/languageservice'
import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { TextDocument } from 'vscode-languageserver-textdocument'

const FOLDER = join(import.meta.dirname, '../../../.github/workflows')

interface Step {
  readonly uses?: string
  readonly run?: string
}

interface Job {
  readonly uses?: string
  readonly if?: string
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

test('there is a workflow for pull requests, for main and for the night', () => {
  expect(FILES).toEqual(['deliver.yml', 'main.yml', 'nightly.yml', 'pull-request.yml'])
})

test.each(FILES)("%s is right, as GitHub's own language service says", async (file) => {
  const { text } = read(file)
  // It remembers what it has read by name.
  const check = (name: string, content: string) =>
    validate(TextDocument.create(`file:///${name}`, 'yaml', 0, content))
  expect(await check(file, text)).toEqual([])
  expect(await check(`wrong-${file}`, text.replace('uses:', 'use:'))).not.toEqual([])
})

test.each(FILES)('%s pins actions by commit, with the version beside it', (file) => {
  const { text } = read(file)
  const used = text.split('\n').filter((line) => /\buses: (?!\.\/)/.test(line))
  for (const line of used) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test.each(FILES)('%s grants nothing but what each job names, and runs no text from outside', (file) => {
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
})

test('a stack has one delivery at a time, and forks never get the account', () => {
  const [deliver] = read('deliver.yml').jobs
  expect(deliver?.concurrency?.group).toMatch(/^stack-\$\{\{ inputs\.stack \}\}$/)
  const delivering = read('pull-request.yml').jobs.filter(({ uses }) => uses !== undefined)
  expect(delivering).toHaveLength(3)
  for (const job of delivering) {
    expect(job.if).toContain('github.event.pull_request.head.repo.full_name == github.repository')
  }
})

test('production waits for dev, and dev for the check', () => {
  const { workflow } = read('main.yml')
  expect(workflow.jobs).toMatchObject({
    dev: { needs: 'check', with: { step: 'up', stack: 'dev', environment: 'development' } },
    prod: { needs: 'dev', with: { step: 'up', stack: 'prod', environment: 'production' } },
  })
})

test('every change is audited before the gates, and every night somebody must have been asked', () => {
  const gates = readFileSync(join(FOLDER, '../../.ci/run'), 'utf8').trimEnd().split('\n')
  expect(gates.indexOf('node .ci/audit.mjs')).toBeGreaterThan(0)
  // The end of what it prints is the summary of all tests.
  expect(gates.at(-1)).toBe('npm run check')
  for (const file of ['main.yml', 'pull-request.yml']) {
    expect(read(file).steps.map(({ run }) => run)).toContain('.ci/run')
  }
  expect(read('nightly.yml').steps.map(({ run }) => run)).toContain('node .ci/audit.mjs --required')
})
