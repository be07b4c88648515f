import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunningCloud } from '../../infra/local/start-cloud.ts'
import { runCommand } from '../standin/command.ts'
import { testCloud } from '../support/cloud/cloud.ts'
import { newProject } from '../support/cloud/project.ts'

const CHECKOUT = join(import.meta.dirname, '../..')
const cloud = testCloud()
let running: RunningCloud

beforeAll(async () => {
  running = await cloud.start()
})
afterAll(() => cloud.remove())

/** `npm run smoke`, with the admin token that is given. */
function smoke(adminToken: string, ...args: string[]) {
  const env = { CHRONICLE_ADMIN_TOKEN: adminToken }
  return runCommand(process.execPath, ['infra/operate/smoke.ts', ...args], { cwd: CHECKOUT, env })
}

async function listTokens(): Promise<unknown> {
  const headers = { authorization: `Bearer ${running.outputs.adminToken}` }
  const response = await fetch(`${running.url}/api/tokens`, { headers })
  return ((await response.json()) as { tokens: unknown }).tokens
}

test('a smoke check finds a running service right, and leaves nothing behind', async () => {
  const before = await listTokens()
  const { code, printed } = await smoke(running.outputs.adminToken, `${running.url}/`)
  expect(code, printed).toBe(0)
  expect(printed.split('\n').filter((line) => line.startsWith('ok'))).toHaveLength(10)
  expect(await listTokens()).toEqual(before)
})

test('a smoke check says what is wrong, and takes back what it has made until then', async () => {
  const before = await listTokens()
  const refused = await smoke('adm_dev_wrong', running.url)
  expect(refused.code).toBe(1)
  expect(refused.printed).toMatch(/WRONG {2}mints a token: the status \(This takes the stack's admin token/)
  const dead = await smoke('x', 'http://127.0.0.1:9')
  expect(dead.code).toBe(1)
  expect(dead.printed).toMatch(
    /WRONG {2}answers.*: GET \/api\/health: no answer from http:\/\/127\.0\.0\.1:9 \(/,
  )
  expect(await listTokens()).toEqual(before)
})

test.each([
  [
    ['https://a.<account>.workers.dev'],
    /^Error: expected the url of a service without a path, got "https:\/\/a\.<account>/,
  ],
  [[], /^Error: expected the url of a service without a path, got ""\. Usage: npm run smoke -- URL/],
  [['http://127.0.0.1:1', '--fast'], /^Error: Unknown option '--fast'\. Usage: npm run smoke/],
  [['http://127.0.0.1:1'], /^Error: the admin token is missing\. Put it into .* CHRONICLE_ADMIN_TOKEN: /],
])('a smoke check that cannot begin is one line: %s', async (args, message) => {
  const { code, printed } = await smoke('', ...args)
  expect(code).toBe(1)
  expect(printed.trimEnd()).toMatch(message)
  expect(printed.trimEnd()).not.toContain('\n')
})

test('a preview without an account says that it estimates, what would change, and which policy it breaks', async () => {
  const { root } = newProject()
  const env = { CLOUDFLARE_API_TOKEN: '' }
  const preview = (...args: string[]) =>
    runCommand(process.execPath, ['infra/operate/preview.ts', ...args], { cwd: root, env })
  const good = await preview()
  expect(good.code, good.printed).toBe(0)
  expect(good.printed).toMatch(
    /^Previewing the stack "dev" on this machine: an estimate, no account is asked\n/,
  )
  expect(good.printed).toMatch(/\nResources: 11 to create\n$/)
  const bad = await preview(
    '--stack',
    'prod',
    '--config',
    'hostname=a.example.com',
    '--config',
    'logSampling=0',
  )
  expect(bad.code).toBe(1)
  expect(bad.printed).toContain('Broken: production-logs: Production would lose log lines ')
})
