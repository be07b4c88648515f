import { join } from 'node:path'
import { expect, test } from 'vitest'
import { servesRoot } from '../../../infra/operate/service/root-page.ts'
import { CHECKS, cleanUp, type Subject } from '../../../infra/operate/smoke-checks.ts'
import { runCommand } from '../../standin/command.ts'
import { newStandIn } from '../../standin/stand-in.ts'
import { GENEROUS } from '../../support/cloud/cloud.ts'
import { newProject } from '../../support/cloud/project.ts'
import { withCloud } from '../../support/cloud/with-cloud.ts'
import { fakeClock } from './limited-service.ts'
import { type Lie, lyingService } from './lying-service.ts'

const CHECKOUT = join(import.meta.dirname, '../../..')

// The local runtime has no jurisdictions, but serves a stack that has one.
const cloud = withCloud({ config: { ...GENEROUS, jurisdiction: 'eu' } })

/** Runs `npm run smoke` with the admin token. */
function smoke(adminToken: string, ...args: string[]) {
  const env = { CHRONICLE_ADMIN_TOKEN: adminToken }
  return runCommand(process.execPath, ['infra/operate/smoke.ts', ...args], { cwd: CHECKOUT, env })
}

async function listTokens(): Promise<unknown> {
  const headers = { authorization: `Bearer ${cloud.outputs.adminToken}` }
  const response = await fetch(`${cloud.url}/api/tokens`, { headers })
  return ((await response.json()) as { tokens: unknown }).tokens
}

async function version(): Promise<string> {
  return ((await (await fetch(`${cloud.url}/api/health`)).json()) as { version: string }).version
}

test('passes a running service, also in a jurisdiction, and leaves nothing behind', async () => {
  const before = await listTokens()
  const { code, printed } = await smoke(cloud.outputs.adminToken, `${cloud.url}/`)
  expect(code, printed).toBe(0)
  expect(printed.split('\n').filter((line) => line.startsWith('ok'))).toHaveLength(11)
  expect(await listTokens()).toEqual(before)
})

test('watches a deployed version, and ends with the errors that the account has counted', async () => {
  const deployed = await version()
  const api = await newStandIn()
  api.countAnswers(async () => [
    { version: deployed, isSince: false, requests: 5000, errors: 2 },
    { version: deployed, isSince: true, requests: 400, errors: 21 },
  ])
  const account = {
    CLOUDFLARE_BASE_URL: api.url,
    CLOUDFLARE_API_TOKEN: api.token,
    CLOUDFLARE_ACCOUNT_ID: api.accountId,
  }
  const args = [cloud.url, '--stack', 'dev', '--deployed', deployed, '--watch', '0.01']
  const { code, printed } = await runCommand(process.execPath, ['infra/operate/smoke.ts', ...args], {
    cwd: CHECKOUT,
    env: { ...account, CHRONICLE_ADMIN_TOKEN: cloud.outputs.adminToken },
  })
  expect(code, printed).toBe(1)
  expect(printed.trimEnd().split('\n').at(-1)).toBe(
    'WRONG  21 of 400 requests had a status of 500 or more (5.3 %, before 0.0 %)',
  )
})

test('says what is wrong, and removes what it has made', async () => {
  const before = await listTokens()
  const refused = await smoke('adm_dev_wrong', cloud.url)
  expect(refused.code).toBe(1)
  expect(refused.printed).toMatch(
    /WRONG {2}mints a token: the status \(This endpoint requires the stack's admin token/,
  )
  const dead = await smoke('x', 'http://127.0.0.1:9')
  expect(dead.code).toBe(1)
  expect(dead.printed).toMatch(
    /WRONG {2}answers.*: GET \/api\/health: no answer from http:\/\/127\.0\.0\.1:9 \(/,
  )
  expect(await listTokens()).toEqual(before)
})

test.each([['smoke'], ['sweep'], ['backup', 'folder'], ['restore', 'folder']])(
  'refuses the url of another stack: %s',
  async (tool, ...more) => {
    const args = [`infra/operate/${tool}.ts`, cloud.url, ...more, '--stack', 'prod']
    const env = { CHRONICLE_ADMIN_TOKEN: cloud.outputs.adminToken }
    const { code, printed } = await runCommand(process.execPath, args, { cwd: CHECKOUT, env })
    const lines = printed.split('\n').filter((line) => !line.startsWith('Checking '))
    expect({ code, lines }).toEqual({
      code: 1,
      lines: [
        `Error: ${cloud.url} is the stack "dev", not "prod". Name it with --stack dev, or use the url of prod`,
        '',
      ],
    })
  },
)

test('waits until the version that was deployed answers', async () => {
  const older = { request: 'GET /api/health', times: [1, 2], body: { version: 'older' } }
  const url = await lyingService(cloud.url, older)
  const { code, printed } = await smoke(cloud.outputs.adminToken, url, '--deployed', await version())
  expect(code, printed).toBe(0)
})

test('watches on after a single failure to clean up, but fails a service that never lets it', async () => {
  const watched = async (times: readonly number[]) => {
    const url = await lyingService(cloud.url, { request: 'DELETE /api/space', times, status: 403 })
    return smoke(cloud.outputs.adminToken, url, '--deployed', await version(), '--watch', '0.01')
  }
  const once = await watched([2])
  expect(once.printed).toContain('WRONG  takes everything back')
  expect(once.code, once.printed).toBe(0)
  expect((await watched([1])).code).toBe(1)
  expect((await watched([2, 3])).code).toBe(1)
})

/** Runs the checks until one fails. Returns its name. */
async function firstFailure(lie: Lie, hasPage = true): Promise<string> {
  const subject: Subject = {
    api: await lyingService(cloud.url, lie),
    adminToken: cloud.outputs.adminToken,
    clock: fakeClock(),
    version: await version(),
    hasPage,
    space: `lied-to-${crypto.randomUUID()}`,
    token: '',
    tokenId: '',
    sessions: ['', ''],
    version1: '',
  }
  const isGood = (run: Promise<void>) =>
    run.then(
      () => true,
      () => false,
    )
  for (const { name, run } of CHECKS) if (!(await isGood(run(subject)))) return name
  return (await isGood(cleanUp(subject))) ? 'none' : 'takes everything back'
}

const HEALTH = 'answers, and runs the version that was deployed'
const ASSETS = 'serves the page, the console and the API document of the same version'
const REFUSALS = 'refuses a forged session, a foreign origin and a wrong path'

test('passes every check if the service tells the truth', async () => {
  expect(await firstFailure({ request: 'GET /api/health', times: [] })).toBe('none')
})

test('passes a service behind a route, whose host has a page of another server', async () => {
  const lie = { request: 'GET /', times: [1], text: '<h1>Our shop</h1>' }
  expect(await firstFailure(lie)).toBe('none')
})

test('asks nothing of the root of a host if the route leaves it to another server, or to none', async () => {
  const lie = { request: 'GET /', times: [1], status: 522, text: 'no server' }
  expect(await firstFailure(lie, false)).toBe('none')
  const routes: readonly (readonly [route: string, isOurs: boolean])[] = [
    ['api.example.com/api/*', false],
    ['api.example.com/*', true],
    ['api.example.com', true],
  ]
  for (const [route, isOurs] of routes) {
    const { root, edit } = newProject()
    edit('Pulumi.prod.yaml', (text) => text.concat(`  chronicle-sync:route: ${route}\n`))
    expect(servesRoot(root, 'prod'), route).toBe(isOurs)
    edit('Pulumi.prod.yaml', (text) => text.concat('  chronicle-sync:hostname: sync.example.com\n'))
    expect(servesRoot(root, 'prod')).toBe(true)
  }
  expect(servesRoot(CHECKOUT, 'dev')).toBe(true)
})

test.concurrent.each<[check: string, lie: Lie]>([
  [HEALTH, { request: 'GET /api/health', times: [1], status: 202 }],
  [HEALTH, { request: 'GET /api/health', times: [1], body: { status: 'starting' } }],
  [HEALTH, { request: 'GET /api/health', times: [1], body: { version: 'older' } }],
  [ASSETS, { request: 'GET /api/openapi.json', times: [1], status: 500 }],
  [ASSETS, { request: 'GET /api/openapi.json', times: [1], body: { paths: {} } }],
  [ASSETS, { request: 'GET /', times: [1], text: '{"code":"not-found"}' }],
  [ASSETS, { request: 'GET /', times: [1], status: 502, text: 'Bad gateway' }],
  [ASSETS, { request: 'GET /', times: [1], text: '<meta name="version" content="older">' }],
  [ASSETS, { request: 'GET /console/', times: [1], text: '{"code":"not-found"}' }],
  [ASSETS, { request: 'GET /console/', times: [1], text: '<meta name="version" content="older">' }],
  ['mints a token', { request: 'POST /api/tokens', times: [1], status: 200 }],
  ['opens sessions for two devices', { request: 'POST /api/auth', times: [2], status: 403 }],
  ['takes a batch', { request: 'POST /api/sync', times: [1], status: 202 }],
  ['takes a batch', { request: 'POST /api/sync', times: [1], body: { success: false } }],
  ['takes a batch', { request: 'POST /api/sync', times: [1], body: { synced: [] } }],
  [
    'answers a retry without a second effect',
    { request: 'POST /api/sync', times: [2], body: { replayed: false } },
  ],
  [
    'answers a retry without a second effect',
    { request: 'POST /api/sync', times: [2], body: { synced: [] } },
  ],
  ['brings it to the other device', { request: 'GET /api/changes', times: [1], body: { changes: [] } }],
  [
    'resolves a conflict and keeps the loser',
    { request: 'POST /api/sync', times: [4], body: { results: [] } },
  ],
  [
    'resolves a conflict and keeps the loser',
    { request: 'GET /api/conflicts', times: [1], body: { conflicts: [] } },
  ],
  [
    'reports the position of a device',
    { request: 'GET /api/status', times: [1], body: { status: 'behind' } },
  ],
  ['reports the position of a device', { request: 'GET /api/status', times: [1], body: { pending: 1 } }],
  [REFUSALS, { request: 'GET /api/status', times: [2], status: 200 }],
  [REFUSALS, { request: 'GET /api/status', times: [2], body: { code: 'forbidden' } }],
  [REFUSALS, { request: 'GET /api/health', times: [2], headers: { 'access-control-allow-origin': '*' } }],
  [REFUSALS, { request: 'GET /api/nowhere', times: [1], status: 200 }],
  ['takes everything back', { request: 'DELETE /api/space', times: [1], status: 403 }],
  ['takes everything back', { request: 'GET /api/status', times: [3], status: 200 }],
  ['takes everything back', { request: 'DELETE /api/tokens', times: [1], status: 403 }],
])('fails the check "%s" if the service lies: %j', async (check, lie) => {
  expect(await firstFailure(lie)).toBe(check)
})

test.each([
  [
    ['https://a.<account>.workers.dev'],
    /^Error: expected the url of a service without a path, got "https:\/\/a\.<account>/,
  ],
  [[], /^Error: expected the url of a service without a path, got ""\. Usage: npm run smoke -- URL/],
  [['http://127.0.0.1:1', '--fast'], /^Error: Unknown option '--fast'\. Usage: npm run smoke/],
  [['http://127.0.0.1:1'], /^Error: the admin token is missing\. Put it into .* CHRONICLE_ADMIN_TOKEN\. /],
])('says in one line why it cannot begin: %s', async (args, message) => {
  const { code, printed } = await smoke('', ...args)
  expect(code).toBe(1)
  expect(printed.trimEnd()).toMatch(message)
  expect(printed.trimEnd()).not.toContain('\n')
})
