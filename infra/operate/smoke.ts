// `npm run smoke -- URL`: an end-to-end check of a deployed service that leaves nothing behind.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readJson } from '../local/private-file.ts'
import { StartError } from '../local/start-error.ts'
import { callApi } from './api-client.ts'
import { CHECKS, cleanUp, type Subject } from './smoke-checks.ts'

const USAGE = 'npm run smoke -- URL [--deployed VERSION]'
const ROOT = join(import.meta.dirname, '../..')

/** How long a new version may take to be everywhere, or a new name to be known. */
const ROLLOUT_MS = 60_000

interface Options {
  readonly api: string
  readonly version: string | undefined
  readonly adminToken: string
}

function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args)
  const [given = '', ...more] = positionals
  const api = given.replace(/\/$/, '')
  if (more.length > 0 || !/^https?:\/\/[^/<>]+$/.test(api)) {
    throw new StartError(
      `expected the url of a service without a path, got "${positionals.join(' ')}". Usage: ${USAGE}`,
    )
  }
  return { api, version: values.deployed, adminToken: adminTokenFor(api) }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: { deployed: { type: 'string' } } })
  } catch (cause) {
    throw new StartError(`${cause instanceof Error ? cause.message.split('. ')[0] : cause}. Usage: ${USAGE}`)
  }
}

/** From the environment; of a stack that runs on this machine, from what `npm start` wrote. */
function adminTokenFor(api: string): string {
  const local = readJson<{ url: string; adminToken: string }>(join(ROOT, '.local/outputs.json'))
  const token = process.env.CHRONICLE_ADMIN_TOKEN ?? (local?.url === api ? local.adminToken : undefined)
  if (token) return token
  throw new StartError(
    'the admin token is missing. Put it into the environment variable CHRONICLE_ADMIN_TOKEN: `npx pulumi stack output adminToken --show-secrets --stack <stack>` shows it',
  )
}

/** Waits until the version that is looked for answers. The first check says what is wrong if it never does. */
async function awaitRollout({ api, version }: Options): Promise<void> {
  const until = Date.now() + ROLLOUT_MS
  while (Date.now() < until) {
    const reply = await callApi(api, 'GET /api/health').catch(() => undefined)
    if (reply?.body.version === version) return
    await setTimeout(1000)
  }
}

async function check(options: Options): Promise<boolean> {
  const space = `smoke-${randomUUID()}`
  const subject: Subject = { ...options, space, token: '', tokenId: '', sessions: ['', ''], version1: '' }
  try {
    for (const { name, run } of CHECKS) {
      if (!(await passes(name, () => run(subject)))) return false
    }
    return true
  } finally {
    if (!(await passes('takes everything back', () => cleanUp(subject)))) process.exitCode = 1
  }
}

async function passes(name: string, run: () => Promise<void>): Promise<boolean> {
  const began = performance.now()
  try {
    await run()
    console.log(`ok     ${name} (${Math.round(performance.now() - began)} ms)`)
    return true
  } catch (error) {
    console.log(`WRONG  ${name}: ${error instanceof Error ? error.message : error}`)
    return false
  }
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  console.log(`Checking ${options.api}`)
  if (options.version !== undefined) await awaitRollout(options)
  if (!(await check(options))) process.exitCode = 1
}

main().catch((error: unknown) => {
  console.error(error instanceof StartError ? `Error: ${error.message}` : error)
  process.exitCode = 1
})
