import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { runCommand } from '../../standin/command.ts'
import { withCloud } from '../../support/cloud/with-cloud.ts'

const CHECKOUT = join(import.meta.dirname, '../../..')
const GUIDE = readFileSync(join(CHECKOUT, 'docs/operations.md'), 'utf8')

const cloud = withCloud()

/** Returns the text between two headings of the guide. */
function section(from: string, to: string): string {
  const [begin, end] = [GUIDE.indexOf(`\n${from}\n`), GUIDE.indexOf(`\n${to}\n`)]
  expect([begin, end]).not.toContain(-1)
  return GUIDE.slice(begin, end)
}

function shellBlocks(text: string): readonly string[] {
  return [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map(([, block = '']) => block)
}

/** Marks lines that need an account, the CLI, or the outputs of `npm start` in the folder of the checkout. */
const ELSEWHERE = /npx pulumi|CLOUDFLARE_|api\.cloudflare\.com|npm run sweep|outputs\.json/

/** Makes curl fail on a refusal, and gives the lines the values that the guide leaves to the reader. */
function prepare(): string {
  const { url, outputs } = cloud
  return [
    'set -euo pipefail',
    'curl() { command curl --silent --show-error --fail-with-body "$@"; }',
    `API=${url} ADMIN=${outputs.adminToken} NEXT=`,
    `PATH="${join(CHECKOUT, 'node_modules/.bin')}:$PATH"`,
  ].join('\n')
}

async function type(...lines: readonly string[]): Promise<string> {
  const { code, printed } = await runCommand('bash', ['-c', [prepare(), ...lines].join('\n')], {
    cwd: CHECKOUT,
    env: {},
  })
  expect(code, printed).toBe(0)
  return printed
}

/** Makes a space of the guide one that the registry lists. */
async function writeInto(space: string, token: string): Promise<void> {
  const { url, outputs } = cloud
  const request = async (path: string, bearer: string, body?: object) => {
    const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
    const init = body && { method: 'POST', body: JSON.stringify(body) }
    return (await fetch(url + path, { headers, ...init })).json()
  }
  const { session } = (await request('/api/auth', token, { token })) as { session: string }
  await request('/api/sync', session, { changes: [{ key: 'notes/1', value: 1, timestamp: 1 }] })
  await vi.waitFor(
    async () =>
      expect(await request('/api/spaces', outputs.adminToken)).toMatchObject({ spaces: [{ space }] }),
    { timeout: 20_000, interval: 200 },
  )
}

/** The functions of the guide, which its other lines use. */
function functions(): string {
  const [found] = shellBlocks(GUIDE).filter((block) => block.includes('admin() {'))
  return found ?? ''
}

test('takes every line of "Day two" and "Rate limits" as it is written', async () => {
  const minted = await type(
    functions(),
    ...shellBlocks(section('### Tokens', '### Policies and retention')).slice(0, 1),
  )
  const { id, token, space } = JSON.parse(minted) as { id: string; token: string; space: string }
  await writeInto(space, token)
  const text = section('### Tokens', '### Erasing a space') + section('## Rate limits', '## Troubleshooting')
  const blocks = shellBlocks(text).filter((block) => !ELSEWHERE.test(block))
  expect(blocks.length).toBeGreaterThanOrEqual(9)
  await type(functions(), `OLD_ID=${id}`, ...blocks.map((block) => block.replace('?cursor=$NEXT', '')))
  const config = JSON.parse(await type(functions(), 'admin $API/api/config'))
  expect(config).toMatchObject({
    policies: { notes: 'merge', invoices: 'manual' },
    defaultPolicy: 'server-wins',
    historyDays: 90,
    quota: { entries: 5_000_000, bytes: 4_294_967_296 },
    identityProviders: [{ issuer: 'https://login.example.com/', audiences: ['chronicle'] }],
    requestsPerMinute: { client: 60, space: 3000 },
  })
})

test('names the stack in every line of the CLI that reads or changes one', () => {
  const lines = section('## Preview and policies', '## Durable Object migrations').split('\n')
  const commands = lines.flatMap((line) => line.match(/npx pulumi (?!login|version)[^`#|)]*/g) ?? [])
  expect(commands.length).toBeGreaterThan(10)
  const unnamed = commands.filter(
    (command) => !/--stack \S+|stack (init|rm|select) \S+|^npx pulumi (up )?$/.test(command),
  )
  expect(unnamed).toEqual([])
})

test('mentions only options that the scripts have', async () => {
  const used = [...GUIDE.matchAll(/npm run (smoke|sweep|backup|restore|preview) -- ([^`\n]*)/g)]
  expect(used.length).toBeGreaterThan(5)
  const usages = new Map<string, string>()
  for (const script of new Set(used.map(([, name = '']) => name))) {
    const help = [`infra/operate/${script}.ts`, '--help']
    usages.set(script, (await runCommand(process.execPath, help, { cwd: CHECKOUT, env: {} })).printed)
  }
  for (const [line, script = '', args = ''] of used) {
    for (const option of args.match(/--(?!help)[a-z]+/g) ?? [])
      expect(usages.get(script), line).toContain(option)
  }
})
