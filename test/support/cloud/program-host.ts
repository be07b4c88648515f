// Runs the Pulumi program in a process that has loaded the SDK already: a launcher of its own spends nine tenths of a
// run on that. Started by program-runner.ts, which sends one run after the other.
import type { ProgramOptions } from '../../../infra/local/engine/program.ts'
import { runHere } from './program-here.ts'

/** A run, with the environment of the process that asks for it. */
export interface HostedRun {
  readonly options: ProgramOptions
  readonly env: Readonly<Record<string, string | undefined>>
}

process.on('message', async ({ options, env }: HostedRun) => {
  Object.assign(process.env, env)
  process.send?.(await runHere(options))
})
