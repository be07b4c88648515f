import { beforeAll, expect, test } from 'vitest'
import { loadAccount, saveAccount } from '../../../infra/local/cloud/account.ts'
import { secretOf } from '../../../infra/local/engine/properties.ts'
import type { Resource, State } from '../../../infra/local/engine/state.ts'
import type { UpResult } from '../../../infra/local/engine/up.ts'
import { formatMarkdown } from '../../../infra/operate/preview/format.ts'
import { localPlan } from '../../../infra/operate/preview/local-plan.ts'
import { type Plan, SERVICE_TYPE } from '../../../infra/operate/preview/plan.ts'
import { summarize } from '../../../infra/operate/preview/summary.ts'
import { newProject } from '../../support/cloud/project.ts'

const NO_CLASS =
  'data: No Durable Object class changes. The engine shows the last migration as changed, because it is not sent again.'
const SILENT = { policies: [], violations: [] }

/** Lists the sentences about a preview of the dev stack, without the one about the roll-out of any upload. */
function linesOf(result: UpResult): readonly string[] {
  return describe(localPlan('dev', result, SILENT))
}

function describe(plan: Plan): readonly string[] {
  const lines = summarize(plan).lines.filter(({ text }) => !text.startsWith('A new version of the Worker'))
  return lines.map(({ topic, text, isFinal }) => `${topic}${isFinal ? ' (final)' : ''}: ${text}`)
}

/** A plan with one resource that changes. */
function planOf(step: Partial<Plan['steps'][number]>): Plan {
  const whole = {
    type: 'x:y:Z',
    name: 'z',
    operation: 'update',
    changes: [],
    inputs: {},
    isRetained: false,
  } as const
  return {
    stack: 'dev',
    steps: [{ ...whole, ...step }],
    before: {},
    after: {},
    verdicts: [],
    warnings: [],
    errors: [],
    details: '',
  }
}

const deployed = newProject()
beforeAll(async () => {
  await deployed.up('dev', { hostname: 'sync.example.com' })
})

test('says who is cut off when addresses, origins and the environment change', async () => {
  const project = newProject(deployed)
  const config = {
    hostname: 'api.example.com',
    corsOrigins: '["https://app.example.com"]',
    workersDev: 'false',
  }
  expect(linesOf(await project.preview('dev', config))).toEqual([
    NO_CLASS,
    'users: api.example.com leads to the service.',
    'users: sync.example.com no longer leads to the service: clients that use it are cut off.',
    'users: The address of chronicle-sync-dev on workers.dev no longer leads to the service: clients that use it are cut off.',
    'users: The url of the stack: https://sync.example.com -> https://api.example.com.',
    'users: Pages of https://app.example.com may call the API (CORS).',
    'users: Pages of http://localhost:3000, http://localhost:5173 may no longer call the API (CORS).',
  ])
})

test('says which sessions, tokens and data a rotation ends', async () => {
  const project = newProject(deployed)
  const rotated = {
    hostname: 'sync.example.com',
    sessionKeys: '[2]',
    adminTokens: '[2]',
    masterKeys: '[2, 1]',
  }
  expect(linesOf(await project.preview('dev', rotated))).toEqual([
    'users: Operators: admin token 2 becomes valid, beside the earlier ones that adminTokens still lists.',
    'data: New data is sealed with master key 2. Older data stays readable with the earlier keys until a sweep has resealed it.',
    'users: New sessions are signed with session key 2. Open sessions stay valid while sessionKeys lists their key.',
    NO_CLASS,
    'users: All sessions that session key 1 signed end. Their clients open new ones with the same API token.',
    'users: Operators: admin token 1 stops working. Scripts and people that use it need a newer one.',
  ])
})

test('says that another jurisdiction hides all data', async () => {
  const project = newProject(deployed)
  const moved = {
    hostname: 'sync.example.com',
    jurisdiction: 'eu',
    logSampling: '0.5',
  }
  const lines = linesOf(await project.preview('dev', moved))
  expect(lines).toContain(
    'data (final): The KV namespace chronicle-sync-dev-metadata is replaced by an empty one (+ jurisdiction: "eu" (forces replacement)): all API tokens and the configuration are lost, so every client needs a new token.',
  )
  expect(lines).toContain(
    'data: Spaces are looked up under another jurisdiction: none -> eu. All data stored so far is not found until this is taken back.',
  )
  expect(lines).toContain(
    'cost: The share of requests whose logs are kept: 1 -> 0.5. Each kept log event is billed; those of the others are lost, errors included.',
  )
})

test('says what other shares and destinations of logs and traces mean', async () => {
  const project = newProject(deployed)
  const settings = { hostname: 'sync.example.com', traceSampling: '0', logDestinations: '["loki"]' }
  const lines = linesOf(await project.preview('dev', settings))
  expect(lines).toContain(
    'cost: The share of requests that are traced: 1 -> 0. Each span is billed like a log event, and the traces hold URLs, and so keys of entries.',
  )
  expect(lines).toContain('users: Another destination for logs: (none) -> ["loki"].')
  expect(lines.filter((line) => line.startsWith('other: '))).toEqual([])
})

test('warns that the next upload overwrites a change by hand', async () => {
  const project = newProject(deployed)
  const folder = `${project.root}/.local/dev`
  const account = loadAccount(folder)
  const scripts = account.scripts.map((script) => ({ ...script, modifiedOn: '2030-01-02T03:04:05Z' }))
  saveAccount(folder, { ...account, scripts })
  const { warnings } = await project.preview('dev', { hostname: 'sync.example.com' })
  expect(warnings).toEqual([
    expect.stringMatching(
      /^the script chronicle-sync-dev was last changed at 2030-01-02T03:04:05Z, and the last /,
    ),
  ])
})

test('warns that the script was deleted by hand, and how its addresses come back', async () => {
  const project = newProject(deployed)
  const folder = `${project.root}/.local/dev`
  saveAccount(folder, { ...loadAccount(folder), scripts: [] })
  const { warnings } = await project.preview('dev', { hostname: 'sync.example.com' })
  expect(warnings).toEqual([
    expect.stringMatching(
      /^the script chronicle-sync-dev, which .* is not in the account: .* Deploy with --refresh, /,
    ),
  ])
})

test('shows a changed static asset as one line', async () => {
  const project = newProject(deployed)
  project.edit('worker/assets/index.html', (text) => text.replace('<body>', '<body>\n<p>Welcome</p>'))
  const lines = linesOf(await project.preview('dev', { hostname: 'sync.example.com' }))
  expect(lines.filter((line) => line.startsWith('code: '))).toEqual([
    expect.stringMatching(/^code: Version \S+ -> \S+, \d+\.\d kB \(\+0 bytes\)\.$/),
    expect.stringMatching(
      /^code: The file \/?index\.html that the service serves: [0-9a-f]{12} -> [0-9a-f]{12}\.$/,
    ),
  ])
})

test('knows the version of a stack whose service had no outputs yet', async () => {
  const project = newProject(deployed)
  project.edit('.local/dev/state.json', (text) => {
    const state: State = JSON.parse(text)
    const without = ({ outputs, ...resource }: Resource) => ({
      ...resource,
      outputs: resource.type === SERVICE_TYPE ? { scriptName: outputs.scriptName } : outputs,
    })
    return JSON.stringify({ ...state, resources: state.resources.map(without) })
  })
  project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('changed')\n`)
  expect(linesOf(await project.preview('dev', { hostname: 'sync.example.com' }))).toContainEqual(
    expect.stringMatching(/^code: Version \S+ -> \S+, \d+\.\d kB\.$/),
  )
})

test('shows a change that no sentence describes as the engine sees it', () => {
  const changes = [{ path: 'size', before: 1, after: 2, replaces: true }]
  expect(describe(planOf({ operation: 'replace', changes }))).toEqual([
    'other: replace x:y:Z z: ~ size: 1 => 2 (forces replacement)',
  ])
  const type = 'cloudflare:index/workersScript:WorkersScript'
  expect(describe(planOf({ type, changes }))).toEqual(['other: z: ~ size: 1 => 2 (forces replacement)'])
  expect(
    describe({ ...planOf({ operation: 'same' }), before: { color: 'red' }, after: { color: 'blue' } }),
  ).toEqual(['other: output color: red -> blue'])
})

test('counts a deleted class and a newer layout among the things that cannot be undone', () => {
  const type = 'cloudflare:index/workersScript:WorkersScript'
  const migrations = { oldTag: 'v1', newTag: 'v2', steps: [{ deletedClasses: ['Old'] }] }
  const changes = [{ path: 'migrations', before: undefined, after: migrations, replaces: false }]
  const plan = planOf({ type, changes, inputs: { migrations } })
  const newer = { ...plan, before: { release: { layout: 3 } }, after: { release: { layout: 4 } } }
  expect(describe(newer)).toEqual([
    'data (final): The Durable Object class Old is DELETED with all its objects and their data. Only a backup made before brings them back.',
    'data (final): The migration tag moves: v1 -> v2. A checkout without v2 can no longer be deployed, so a rollback past it is refused.',
    'data (final): Spaces are stored in another layout: 3 -> 4. Versions before this one cannot read what it has written, and are refused.',
  ])
  expect(summarize(newer).headline).toBe(
    'The stack dev would change: 1 to update. 3 things could not be undone: see below.',
  )
})

test('never shows a secret, and lets no value become Markdown', () => {
  const changes = [{ path: 'text', before: secretOf('old'), after: secretOf('<b>new</b>'), replaces: false }]
  const open = [{ path: 'title', before: 'a', after: '<img src=x> `b` @c', replaces: false }]
  const plan = planOf({ changes: [...changes, ...open] })
  const report = {
    summary: summarize(plan),
    details: 'x'.repeat(100_000),
    ownStack: 'https://pr-7.example.com',
  }
  const comment = formatMarkdown('dev', report)
  expect(comment).toContain('~ text: "\\[secret\\]" => "\\[secret\\]"')
  expect(comment).toContain('~ title: "a" => "\\<img src=x> \\`b\\` @c"')
  expect(comment).toContain('- **own stack**: https://pr-7.example.com')
  expect(comment.length).toBeLessThan(65_536)
})

test('says that it compares no bindings with a release that listed none by name', () => {
  const before = { version: '0.1.0', bindings: [{ name: 'SYNC_LIMIT' }] }
  const after = { version: '0.1.0', bindings: { SYNC_LIMIT: '30 per 60 s' } }
  expect(describe({ ...planOf({ operation: 'same' }), before, after })).toEqual([
    'other: The bindings are not compared, because the last release did not list them by name: a change of limits, origins or other settings is not shown here.',
  ])
})
