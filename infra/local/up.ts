import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Account, loadAccount } from './account.ts'
import { deployment, type Step } from './deployment.ts'
import { serveEngine } from './engine.ts'
import { describeFailure } from './failure.ts'
import { type ProgramResult, runProgram } from './program.ts'
import type { Properties } from './properties.ts'
import type { Stack } from './stack-file.ts'
import { StartError } from './start-error.ts'
import { loadState } from './state.ts'

export interface UpOptions {
  /** The folder with Pulumi.yaml. */
  readonly root: string
  readonly stack: Stack
  /** Where the stack's state, account and data are kept. */
  readonly folder: string
  readonly onStep?: (step: Step) => void
}

export interface UpResult {
  readonly steps: readonly Step[]
  readonly outputs: Properties
  readonly account: Account
}

/** Runs the program once and brings the embedded account to what it wants. A failure is a StartError. */
export async function up({ root, stack, folder, onStep }: UpOptions): Promise<UpResult> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const account = loadAccount(folder)
  const run = deployment({
    project: stack.project,
    stack: stack.name,
    state: loadState(folder),
    cloud: { account, folder, programFolder: dirname(join(root, stack.main)) },
    onStep: onStep ?? (() => {}),
  })
  const engine = await serveEngine(run)
  try {
    const result = await runProgram({ root, stack, address: engine.address })
    const failure = failureOf(engine.errors, result)
    if (failure) throw new StartError(describeFailure(failure, root))
    run.finish()
  } finally {
    engine.close()
  }
  return { steps: run.steps, outputs: loadState(folder).outputs, account }
}

/** The first thing that went wrong; what follows it is its echo. */
function failureOf(errors: readonly string[], { code, stderr }: ProgramResult): string | undefined {
  if (errors[0]) return errors[0]
  return code === 0 ? undefined : stderr || `the program ended with code ${code}`
}
