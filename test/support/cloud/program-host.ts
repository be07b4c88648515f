// Runs the Pulumi program in a process that has loaded the SDK already: a launcher of its own spends nine tenths of a
// run on that. Started by program-runner.ts, which sends one run after the other.
import { registerHooks } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as pulumi from '@pulumi/pulumi'
import type { ProgramOptions, ProgramResult } from '../../../infra/local/program.ts'

const { runtime } = pulumi

/** A run, with the environment of the process that asks for it. */
export interface HostedRun {
  readonly options: ProgramOptions
  readonly organization: string
  readonly env: Readonly<Record<string, string | undefined>>
}

let runs = 0

/** Gives each run modules of its own: a test edits the sources between two runs. */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context)
    const run = /\?run=\d+$/.exec(context.parentURL ?? '')?.[0]
    const isPackage = !resolved.url.startsWith('file:') || resolved.url.includes('/node_modules/')
    return run === undefined || isPackage ? resolved : { ...resolved, url: resolved.url + run }
  },
})

async function run({ options, organization, env }: HostedRun): Promise<ProgramResult> {
  const { root, stack, address, dryRun } = options
  const main = join(root, stack.main)
  const url = `${pathToFileURL(main)}?run=${++runs}`
  process.chdir(dirname(main))
  Object.assign(process.env, env)
  runtime.resetOptions(stack.project, stack.name, 16, address, address, dryRun, organization)
  runtime.setAllConfig({ ...stack.config }, [])
  try {
    await runtime.runInPulumiStack(() => import(url))
    await runtime.disconnect()
    return { code: 0, stderr: '' }
  } catch (cause) {
    await runtime.disconnect()
    return { code: 1, stderr: describe(cause, main) }
  }
}

/** The words of Pulumi's launcher. */
function describe(cause: unknown, program: string): string {
  if (pulumi.RunError.isInstance(cause)) return cause.message
  const text = cause instanceof Error ? cause.stack : String(cause)
  return `Running program '${program}' failed with an unhandled exception:\n${text}`
}

process.on('message', async (wanted: HostedRun) => process.send?.(await run(wanted)))
// A failure outside the module's own promise, as in an `apply`: the caller discards this process.
process.on('unhandledRejection', (cause) => {
  process.send?.({ code: 1, stderr: describe(cause, '') })
})
