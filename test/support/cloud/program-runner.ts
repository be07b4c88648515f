import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import {
  COMPILE_CACHE,
  type ProgramOptions,
  type ProgramResult,
} from '../../../infra/local/engine/program.ts'
import type { HostedRun } from './program-host.ts'

/** Number of host processes, for the cores of a small machine. A host has one run at a time. */
const MAX_HOSTS = 2

interface Pool {
  readonly idle: ChildProcess[]
  readonly waiting: ((host: ChildProcess) => void)[]
  started: number
}

/** Hosts that the test files of this process share. A host ends with the process, because its channel closes. */
const pool = sharedPool()

function sharedPool(): Pool {
  const shared = globalThis as { programHosts?: Pool }
  shared.programHosts ??= { idle: [], waiting: [], started: 0 }
  return shared.programHosts
}

/**
 * Runs the program with the SDK that Pulumi's launcher would load, in a process that has already loaded the SDK. This
 * takes about a fifth of the time. start.test.ts, preview.test.ts and delivery.test.ts run the launcher itself.
 */
export async function runHosted(options: ProgramOptions): Promise<ProgramResult> {
  const host = await takeHost()
  const run: HostedRun = { options, env: { ...process.env } }
  host.send(run)
  const result = await resultOf(host)
  release(host, result.code === 0)
  return result
}

/** Waits for the host's reply, or for its end. */
async function resultOf(host: ChildProcess): Promise<ProgramResult> {
  const settled = new AbortController()
  const { signal } = settled
  try {
    return await Promise.race([
      once(host, 'message', { signal }).then(([result]) => result as ProgramResult),
      once(host, 'exit', { signal }).then(([code]) => ({ code, stderr: `the host ended with code ${code}` })),
    ])
  } finally {
    settled.abort()
  }
}

function takeHost(): ChildProcess | Promise<ChildProcess> {
  const host = pool.idle.pop()
  if (host) return host
  if (pool.started >= MAX_HOSTS) return new Promise((resolve) => pool.waiting.push(resolve))
  pool.started += 1
  return newHost()
}

function newHost(): ChildProcess {
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: join(import.meta.dirname, '../../..', COMPILE_CACHE),
  }
  const host = fork(join(import.meta.dirname, 'program-host.ts'), { execArgv: [], env })
  host.unref()
  host.channel?.unref()
  return host
}

/** Returns a host to the pool. Ends it after a failure, because state in the SDK could reach the next run. */
function release(host: ChildProcess, isGood: boolean): void {
  if (!isGood) host.kill()
  const next = pool.waiting.shift()
  if (next) next(isGood ? host : newHost())
  else if (isGood) pool.idle.push(host)
  else pool.started -= 1
}
