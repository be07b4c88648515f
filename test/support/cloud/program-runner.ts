import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { ProgramOptions, ProgramResult } from '../../../infra/local/engine/program.ts'
import { startHost } from './host.ts'
import type { RunResult } from './program-here.ts'
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
  release(host, result.isSettled)
  return result
}

/** Waits for the host's reply, or for its end. */
async function resultOf(host: ChildProcess): Promise<RunResult> {
  const settled = new AbortController()
  const { signal } = settled
  try {
    return await Promise.race([
      once(host, 'message', { signal }).then(([result]) => result as RunResult),
      once(host, 'exit', { signal }).then(([code]) => ended(code)),
    ])
  } finally {
    settled.abort()
  }
}

function ended(code: number | null): RunResult {
  return { code, stderr: `the host ended with code ${code}`, isSettled: false }
}

function takeHost(): ChildProcess | Promise<ChildProcess> {
  const host = pool.idle.pop()
  if (host) return host
  if (pool.started >= MAX_HOSTS) return new Promise((resolve) => pool.waiting.push(resolve))
  pool.started += 1
  return newHost()
}

function newHost(): ChildProcess {
  return startHost('program-host.ts')
}

/** Returns a host to the pool. Ends it if its SDK holds something of the last run, which could reach the next one. */
function release(host: ChildProcess, isGood: boolean): void {
  if (!isGood) host.kill()
  const next = pool.waiting.shift()
  if (next) next(isGood ? host : newHost())
  else if (isGood) pool.idle.push(host)
  else pool.started -= 1
}
