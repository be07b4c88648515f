// `npm run smoke -- URL`: checks a deployed service end to end. Leaves nothing behind except audit records.
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { onInterrupt, runTool } from '../cli/command-line.ts'
import { ROOT } from '../cli/root.ts'
import { takeStack } from '../cli/stack-option.ts'
import { UserError } from '../cli/user-error.ts'
import { physicalNames } from '../component/names.ts'
import { readDeclaration } from '../program/declaration.ts'
import { callApi } from './service/api-client.ts'
import { type MetricsSource, readAnswers } from './service/metrics.ts'
import type { Service } from './service/persist.ts'
import { servesRoot } from './service/root-page.ts'
import { checkStack, readService } from './service/service-option.ts'
import { CHECKS, cleanUp, type Subject } from './smoke-checks.ts'
import { watch } from './watch.ts'

const USAGE = 'npm run smoke -- URL [--stack NAME] [--deployed VERSION [--watch MINUTES]]'

/** How long a new version may take to reach all locations, or a new host name to resolve. */
const ROLLOUT_MS = 60_000

interface Options extends Service {
  readonly version: string | undefined
  /** The stack that the service must be; undefined for any. */
  readonly stack: string | undefined
  /** How long the deployed version is watched after its first check. */
  readonly minutes: number
}

function readOptions(args: readonly string[]): Options {
  const { stack, isNamed, rest } = takeStack(args)
  const { values, positionals } = parse(rest)
  const service = readService(positionals.join(' '), USAGE)
  const minutes = Number(values.watch)
  if (!(minutes >= 0)) throw new UserError(`--watch is "${values.watch}", expected a number of minutes`)
  return { ...service, version: values.deployed, stack: isNamed ? stack : undefined, minutes }
}

function parse(args: readonly string[]) {
  try {
    const options = { deployed: { type: 'string' }, watch: { type: 'string', default: '0' } } as const
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (cause) {
    throw new UserError(`${cause instanceof Error ? cause.message.split('. ')[0] : cause}. Usage: ${USAGE}`)
  }
}

/** Waits until the expected version answers. If it never does, the first check reports why. */
async function awaitRollout({ api, version, clock, signal }: Options): Promise<void> {
  const until = clock.now() + ROLLOUT_MS
  while (clock.now() < until) {
    const reply = await callApi(api, 'GET /api/health').catch(() => undefined)
    if (reply?.body.version === version) return
    await clock.sleep(1000, signal)
  }
}

async function check(options: Options): Promise<boolean> {
  const space = `smoke-${randomUUID()}`
  const hasPage = options.stack === undefined || servesRoot(ROOT, options.stack)
  const made = { token: '', tokenId: '', version1: '' }
  const subject: Subject = { ...options, hasPage, space, ...made, sessions: ['', ''] }
  let cleaned: Promise<boolean> | undefined
  const clean = () => {
    cleaned ??= removeTraces(subject).finally(done)
    return cleaned
  }
  const done = onInterrupt(async () => {
    await clean()
  })
  const isGood = await passesAll(subject)
  return (await clean()) && isGood
}

async function passesAll(subject: Subject): Promise<boolean> {
  for (const { name, run } of CHECKS) {
    if (!(await passes(name, () => run(subject)))) return false
  }
  return true
}

/** Cleans up without the signal, so that this works after an interruption too. */
function removeTraces({ signal: _, ...subject }: Subject): Promise<boolean> {
  return passes('takes everything back', () => cleanUp(subject))
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
  if (options.stack !== undefined) await checkStack(options, options.stack)
  const reason = (await check(options)) ? await watchDeployed(options) : ''
  if (reason === undefined) return
  if (reason) console.log(`WRONG  ${reason}`)
  process.exitCode = 1
}

/** Watches the deployed version. Returns the reason to go back; undefined without one. */
async function watchDeployed(options: Options): Promise<string | undefined> {
  const { version, minutes, clock, signal } = options
  if (version === undefined || minutes === 0) return undefined
  console.log(`Watching ${version} for ${minutes} minutes`)
  const source = metricsSource(options)
  return watch({
    version,
    minutes,
    check: () => check(options),
    readAnswers: source && ((since) => readAnswers(source, since)),
    clock,
    ...(signal && { signal }),
  })
}

/** The account's own counts of the stack's requests; undefined if the environment names no account. */
function metricsSource({ stack }: Options): MetricsSource | undefined {
  const {
    CLOUDFLARE_ACCOUNT_ID: accountId,
    CLOUDFLARE_API_TOKEN: token,
    CLOUDFLARE_BASE_URL: baseUrl,
  } = process.env
  if (!accountId || !token || stack === undefined) return undefined
  return { accountId, token, baseUrl, dataset: physicalNames(readDeclaration(ROOT).name, stack).dataset }
}

runTool(USAGE, main)
