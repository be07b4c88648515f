// `npm run smoke -- URL`: checks a deployed service end to end. Leaves nothing behind except audit records.
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { onInterrupt, runTool } from '../cli/command-line.ts'
import { takeStack } from '../cli/stack-option.ts'
import { UserError } from '../cli/user-error.ts'
import { callApi } from './service/api-client.ts'
import type { Service } from './service/persist.ts'
import { checkStack, readService } from './service/service-option.ts'
import { CHECKS, cleanUp, type Subject } from './smoke-checks.ts'

const USAGE = 'npm run smoke -- URL [--stack NAME] [--deployed VERSION]'

/** How long a new version may take to reach all locations, or a new host name to resolve. */
const ROLLOUT_MS = 60_000

interface Options extends Service {
  readonly version: string | undefined
  /** The stack that the service must be; undefined for any. */
  readonly stack: string | undefined
}

function readOptions(args: readonly string[]): Options {
  const { stack, isNamed, rest } = takeStack(args)
  const { values, positionals } = parse(rest)
  const service = readService(positionals.join(' '), USAGE)
  return { ...service, version: values.deployed, stack: isNamed ? stack : undefined }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: { deployed: { type: 'string' } } })
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
  const subject: Subject = { ...options, space, token: '', tokenId: '', sessions: ['', ''], version1: '' }
  let cleaned: Promise<void> | undefined
  const clean = () => {
    cleaned ??= removeTraces(subject).finally(done)
    return cleaned
  }
  const done = onInterrupt(clean)
  try {
    for (const { name, run } of CHECKS) {
      if (!(await passes(name, () => run(subject)))) return false
    }
    return true
  } finally {
    await clean()
  }
}

/** Cleans up without the signal, so that this works after an interruption too. */
async function removeTraces({ signal: _, ...subject }: Subject): Promise<void> {
  if (!(await passes('takes everything back', () => cleanUp(subject)))) process.exitCode = 1
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
  if (!(await check(options))) process.exitCode = 1
}

runTool(USAGE, main)
