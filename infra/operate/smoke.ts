// `npm run smoke -- URL`: an end-to-end check of a deployed service that leaves nothing behind but its audit records.
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { owe, runTool } from '../cli/command-line.ts'
import { UserError } from '../cli/user-error.ts'
import { callApi } from './service/api-client.ts'
import type { Service } from './service/persist.ts'
import { readService } from './service/service-option.ts'
import { CHECKS, cleanUp, type Subject } from './smoke-checks.ts'

const USAGE = 'npm run smoke -- URL [--deployed VERSION]'

/** How long a new version may take to be everywhere, or a new name to be known. */
const ROLLOUT_MS = 60_000

interface Options extends Service {
  readonly version: string | undefined
}

function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args)
  const service = readService(positionals.join(' '), USAGE)
  return { ...service, version: values.deployed }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: { deployed: { type: 'string' } } })
  } catch (cause) {
    throw new UserError(`${cause instanceof Error ? cause.message.split('. ')[0] : cause}. Usage: ${USAGE}`)
  }
}

/** Waits until the version that is looked for answers. The first check says what is wrong if it never does. */
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
    cleaned ??= takeBack(subject).finally(settle)
    return cleaned
  }
  const settle = owe(clean)
  try {
    for (const { name, run } of CHECKS) {
      if (!(await passes(name, () => run(subject)))) return false
    }
    return true
  } finally {
    await clean()
  }
}

/** Also where the check was interrupted: its signal does not count any more. */
async function takeBack({ signal: _, ...subject }: Subject): Promise<void> {
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
  if (!(await check(options))) process.exitCode = 1
}

runTool(main)
