// Runs the Pulumi program in a process that has already loaded the SDK. Pulumi's launcher spends nine tenths of a run
// on loading. program-runner.ts starts this process and sends one run after the other.
import type { ProgramOptions } from '../../../infra/local/engine/program.ts'
import { runHere } from './program-here.ts'

/** Run of the program, with the environment of the requesting process. */
export interface HostedRun {
  readonly options: ProgramOptions
  readonly env: Readonly<Record<string, string | undefined>>
}

process.on('message', async ({ options, env }: HostedRun) => {
  Object.assign(process.env, env)
  process.send?.(await runHere(options))
})
