import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import * as pulumi from '@pulumi/pulumi'
import {
  configOf,
  NO_ACCOUNT,
  ORGANIZATION,
  type ProgramOptions,
  type ProgramResult,
} from '../../../infra/local/engine/program.ts'
import { importFresh } from './fresh-modules.ts'

const { runtime } = pulumi

/** How long a failed run may take to end its requests, ms. */
const SETTLING_MS = 500

/** How long code that waited for the last reply may take to ask again, ms. */
const STIRRING_MS = 20

export interface RunResult extends ProgramResult {
  /** Whether the SDK holds nothing of this run. If it does, the process must not run another one. */
  readonly isSettled: boolean
}

/** Runs the program in this process, as Pulumi's automation API does, one run at a time. */
export async function runHere({ root, stack, address, dryRun }: ProgramOptions): Promise<RunResult> {
  const main = join(root, stack.main)
  const folder = process.cwd()
  process.chdir(dirname(main))
  process.env.CLOUDFLARE_ACCOUNT_ID ||= NO_ACCOUNT
  runtime.resetOptions(stack.project, stack.name, 16, address, address, dryRun, ORGANIZATION)
  runtime.setAllConfig({ ...configOf(stack) }, [])
  const failed = Promise.withResolvers<never>()
  // Catches a failure outside the module's own promise, as in an `apply`.
  process.on('unhandledRejection', failed.reject)
  try {
    await Promise.race([runtime.runInPulumiStack(() => importFresh(main)), failed.promise])
    await Promise.race([runtime.disconnect(), failed.promise])
    return { code: 0, stderr: '', isSettled: true }
  } catch (cause) {
    const isSettled = await settles()
    // Ignores later rejections of requests that were refused.
    if (!isSettled) process.on('unhandledRejection', () => {})
    return { code: 1, stderr: describe(cause, main), isSettled }
  } finally {
    process.chdir(folder)
    process.off('unhandledRejection', failed.reject)
  }
}

/** Waits for the requests of a failed run. */
function settles(): Promise<boolean> {
  const ended = runtime.disconnect().then(() => setTimeout(STIRRING_MS, true))
  return Promise.race([ended.catch(() => false), setTimeout(SETTLING_MS, false)])
}

/** Formats an error as Pulumi's launcher does. */
function describe(cause: unknown, program: string): string {
  if (pulumi.RunError.isInstance(cause)) return cause.message
  const text = cause instanceof Error ? cause.stack : String(cause)
  return `Running program '${program}' failed with an unhandled exception:\n${text}`
}
