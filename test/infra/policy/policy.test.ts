import { beforeAll, expect, test } from 'vitest'
import { judge } from '../../../infra/local/engine/policies.ts'
import { serveHosted } from '../../support/cloud/policy-runner.ts'
import { HOSTNAME, newProject, type Project } from '../../support/cloud/project.ts'

type Config = Readonly<Record<string, string>>

/** Lists the mandatory violations in a preview of a stack. command.test.ts runs the pack in a process of its own. */
async function violationsOf(project: Project, stack: string, config: Config): Promise<readonly string[]> {
  const { resources } = await project.preview(stack, config)
  const { violations } = await judge(await serveHosted(project.root), resources)
  return violations.filter(({ mandatory }) => mandatory).map(({ policy, message }) => `${policy}: ${message}`)
}

/** Declares another class with its migration, which adds a step to send. */
function declareArchive(project: Project): void {
  project.edit('worker/wrangler.toml', (text) =>
    text.concat('\n[[migrations]]\ntag = "v3"\nnew_sqlite_classes = ["Archive"]\n'),
  )
  project.edit('worker/src/index.ts', (text) => `${text}\nexport class Archive {}\n`)
}

function edit(file: string, from: string, to: string): (project: Project) => void {
  return (project) =>
    project.edit(file, (text) => {
      expect(text).toContain(from)
      return text.replace(from, to)
    })
}

test.concurrent('accepts the stacks as they are, in the first run and in later ones', async () => {
  const project = newProject()
  expect(await violationsOf(project, 'prod', HOSTNAME)).toEqual([])
  await project.up('prod', HOSTNAME)
  expect(await violationsOf(project, 'prod', HOSTNAME)).toEqual([])
  declareArchive(project)
  expect(await violationsOf(project, 'prod', HOSTNAME)).toEqual([])
  await project.up('prod', HOSTNAME)
  const rotated = { ...HOSTNAME, masterKeys: '[2, 1]' }
  expect(await violationsOf(project, 'prod', rotated)).toEqual([])
  await project.up('prod', rotated)
  const swept = { ...rotated, sweptMasterKey: '2' }
  expect(await violationsOf(project, 'prod', swept)).toEqual([])
  await project.up('prod', swept)
  expect(await violationsOf(project, 'prod', { ...swept, masterKeys: '[2]' })).toEqual([])
})

const TOML = 'worker/wrangler.toml'

test.concurrent.each<[string, string, Config, (project: Project) => void, RegExp]>([
  [
    'a secret in clear',
    'dev',
    {},
    edit(
      'infra/component/bindings.ts',
      "type: 'secret_text', text: secret(text)",
      "type: 'plain_text', text",
    ),
    /^secrets-are-secret: The binding (ADMIN_TOKEN|MASTER_KEY|SESSION_KEY) holds a secret in clear/,
  ],
  [
    'an unprotected store in prod',
    'prod',
    { ...HOSTNAME, protect: 'false' },
    () => {},
    /^stores-are-protected: chronicle-sync-(namespace|script|master-key) is not protected in production/,
  ],
  [
    'workers.dev open in prod',
    'prod',
    { ...HOSTNAME, workersDev: 'true' },
    () => {},
    /^workers-dev-is-closed: chronicle-sync-workers-dev lets production answer/,
  ],
  [
    'CORS for every origin',
    'dev',
    {},
    edit('infra/component/provision.ts', '[...settings.corsOrigins]', "['*']"),
    /^cors-names-origins: CORS_ORIGINS is \["\*"\]/,
  ],
  [
    'an asset that every visitor would download',
    'dev',
    {},
    ({ copy }) => copy('worker/assets/index.html', 'worker/assets/index.map'),
    /^assets-are-known: The asset \/index\.map has an unknown type/,
  ],
  [
    'assets that may be shown in frames',
    'dev',
    {},
    edit('worker/assets.headers', 'Content-Security-Policy', 'X-Policy'),
    /^assets-are-known: The assets are served without "Content-Security-Policy: "/,
  ],
  ['prod without logs', 'prod', { ...HOSTNAME, logSampling: '0' }, () => {}, /^production-logs: /],
  [
    'prod with most of its logs',
    'prod',
    { ...HOSTNAME, logSampling: '0.99' },
    () => {},
    /^production-logs: /,
  ],
  [
    'prod with its logs switched off',
    'prod',
    HOSTNAME,
    edit(TOML, '[observability.logs]\nenabled = true', '[observability.logs]\nenabled = false'),
    /^production-logs: /,
  ],
  [
    'URLs and headers in the logs',
    'dev',
    {},
    edit(TOML, 'invocation_logs = false', 'invocation_logs = true'),
    /^no-invocation-logs: Invocation logs hold the URL and the headers of every request\. Set invocation_logs/,
  ],
  [
    'logs without a decision about invocation logs',
    'dev',
    {},
    edit('infra/component/script.ts', 'invocationLogs: logs.invocation_logs,', ''),
    /^no-invocation-logs: /,
  ],
])('refuses %s', async (_what, stack, config, change, violation) => {
  const project = newProject()
  change(project)
  const found = await violationsOf(project, stack, config)
  expect(found.length).toBeGreaterThan(0)
  for (const line of found) expect(line).toMatch(violation)
})

/** Replaces the class by one of another name, with a second migration step. */
function replaceClass(step: string): (project: Project) => void {
  return (project) => {
    project.edit(TOML, (text) =>
      text
        .replace('class_name = "Chronicle"', 'class_name = "Ledger"')
        .concat(`\n[[migrations]]\ntag = "v3"\n${step}\n`),
    )
    project.edit('worker/src/index.ts', (text) => text.replace('Chronicle', 'Chronicle as Ledger'))
  }
}

const DELETED = 'deleted_classes = ["Chronicle"]\nnew_sqlite_classes = ["Ledger"]'
const RENAMED = 'renamed_classes = [{ from = "Chronicle", to = "Ledger" }]'

test.concurrent('refuses a migration that deletes a class with its data in production, but not its renaming', async () => {
  const production = newProject()
  await production.up('prod', HOSTNAME)
  await production.up('dev')
  const deleting = newProject(production)
  replaceClass(DELETED)(deleting)
  expect(await violationsOf(deleting, 'prod', HOSTNAME)).toEqual([
    'classes-keep-data: A migration deletes the class Chronicle, and with it all data of its objects. To rename it, write renamed_classes = [{ from = "Chronicle", to = "..." }] in place of deleted_classes and of the new class.',
  ])
  expect(await violationsOf(deleting, 'dev', {})).toEqual([])
  const renaming = newProject(production)
  replaceClass(RENAMED)(renaming)
  expect(await violationsOf(renaming, 'prod', HOSTNAME)).toEqual([])
})

const deployed = newProject()
beforeAll(async () => {
  await deployed.up('dev')
})

test.concurrent.each<[string, Config, (project: Project) => void, RegExp]>([
  [
    'another jurisdiction',
    { jurisdiction: 'eu' },
    () => {},
    /^jurisdiction-stays: .* from none to eu, which hides/,
  ],
  [
    'a master key taken away',
    { masterKeys: '[2]' },
    // Acts as the program of an earlier commit, which a rollback runs and which does not refuse the change itself.
    edit('infra/component/provision.ts', 'checkMasterKeys({', 'Object({'),
    /^master-keys-stay: Master key 1 is taken away/,
  ],
])('refuses for a deployed stack: %s', async (_what, config, change, violation) => {
  const project = newProject(deployed)
  change(project)
  const found = await violationsOf(project, 'dev', config)
  expect(found).toEqual([expect.stringMatching(violation)])
})
