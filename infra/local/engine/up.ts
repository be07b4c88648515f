import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Stack } from '../../cli/stack-file.ts'
import { UserError } from '../../cli/user-error.ts'
import { type Account, loadAccount } from '../cloud/account.ts'
import { deployment, type Step } from './deployment.ts'
import { serveEngine } from './engine.ts'
import { describeFailure } from './failure.ts'
import { type ProgramOptions, type ProgramResult, runProgram } from './program.ts'
import type { Properties } from './properties.ts'
import { loadState, type Resource } from './state.ts'

export interface UpOptions {
  /** The folder with Pulumi.yaml. */
  readonly root: string
  readonly stack: Stack
  /** The folder with the stack's state, account and data. */
  readonly folder: string
  readonly onStep?: (step: Step) => void
  /** Runs the program in some other way than Pulumi's launcher. */
  readonly launch?: (options: ProgramOptions) => Promise<ProgramResult>
}

export interface UpResult {
  readonly steps: readonly Step[]
  readonly resources: readonly Resource[]
  /** The outputs of the stack before and after the run. */
  readonly before: Properties
  readonly outputs: Properties
  readonly account: Account
  /** Warnings of the program. */
  readonly warnings: readonly string[]
}

/** Runs the program once and makes the embedded account match it. A failure throws a UserError. */
export function up(options: UpOptions): Promise<UpResult> {
  return run(options, false)
}

/** Predicts `up` from the embedded account and the saved state. Changes nothing. */
export function preview(options: UpOptions): Promise<UpResult> {
  return run(options, true)
}

async function run(options: UpOptions, dryRun: boolean): Promise<UpResult> {
  const { root, stack, folder, onStep, launch = runProgram } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const account = loadAccount(folder)
  const state = loadState(folder)
  const deploying = deployment({
    project: stack.project,
    stack: stack.name,
    state,
    dryRun,
    cloud: { account, folder, programFolder: dirname(join(root, stack.main)) },
    onStep: onStep ?? (() => {}),
  })
  const engine = await serveEngine(deploying)
  try {
    const result = await launch({ root, stack, address: engine.address, dryRun })
    const failure = failureOf(engine.errors, result)
    if (failure) throw new UserError(describeFailure(failure, root))
    deploying.finish()
  } finally {
    engine.close()
  }
  const { steps, resources, outputs } = deploying
  return { steps, resources, before: state.outputs, outputs, account, warnings: engine.warnings }
}

/** The first error. Later ones are its consequences. */
function failureOf(errors: readonly string[], { code, stderr }: ProgramResult): string | undefined {
  if (errors[0]) return errors[0]
  return code === 0 ? undefined : stderr || `the program ended with code ${code}`
}
