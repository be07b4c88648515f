import { registerHooks } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as pulumi from '@pulumi/pulumi'
import {
  configOf,
  NO_ACCOUNT,
  ORGANIZATION,
  type ProgramOptions,
  type ProgramResult,
} from '../../../infra/local/engine/program.ts'

const { runtime } = pulumi

let runs = 0

/** Loads modules again in each run, because a test edits the sources between two runs. */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context)
    const run = /\?run=\d+$/.exec(context.parentURL ?? '')?.[0]
    const isOurs = resolved.url.startsWith('file:') && !resolved.url.includes('/node_modules/')
    return run !== undefined && isOurs ? { ...resolved, url: resolved.url + run } : resolved
  },
})

/**
 * Runs the program in this process, as Pulumi's automation API does, one run at a time. After a failed run, the SDK may
 * hold promises of that run, and the process must not run another one.
 */
export async function runHere({ root, stack, address, dryRun }: ProgramOptions): Promise<ProgramResult> {
  const main = join(root, stack.main)
  const url = `${pathToFileURL(main)}?run=${++runs}`
  const folder = process.cwd()
  process.chdir(dirname(main))
  process.env.CLOUDFLARE_ACCOUNT_ID ||= NO_ACCOUNT
  runtime.resetOptions(stack.project, stack.name, 16, address, address, dryRun, ORGANIZATION)
  runtime.setAllConfig({ ...configOf(stack) }, [])
  const failed = Promise.withResolvers<never>()
  // Catches a failure outside the module's own promise, as in an `apply`.
  process.once('unhandledRejection', failed.reject)
  try {
    await Promise.race([runtime.runInPulumiStack(() => import(url)), failed.promise])
    await Promise.race([runtime.disconnect(), failed.promise])
    return { code: 0, stderr: '' }
  } catch (cause) {
    // Ignores later rejections of requests that were refused.
    process.on('unhandledRejection', () => {})
    return { code: 1, stderr: describe(cause, main) }
  } finally {
    process.chdir(folder)
    process.off('unhandledRejection', failed.reject)
  }
}

/** Formats an error as Pulumi's launcher does. */
function describe(cause: unknown, program: string): string {
  if (pulumi.RunError.isInstance(cause)) return cause.message
  const text = cause instanceof Error ? cause.stack : String(cause)
  return `Running program '${program}' failed with an unhandled exception:\n${text}`
}
