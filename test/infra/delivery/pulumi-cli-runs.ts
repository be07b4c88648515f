// The commands of pulumi-cli.ts that load the engine or the SDK.
import { dirname, join } from 'node:path'
import { readStack } from '../../../infra/cli/stack-file.ts'
import { loadAccount } from '../../../infra/local/cloud/account.ts'
import { deployment, type Step } from '../../../infra/local/engine/deployment.ts'
import { checkPolicies } from '../../../infra/local/engine/policies.ts'
import { loadState } from '../../../infra/local/engine/state.ts'
import { preview, type UpResult, up } from '../../../infra/local/engine/up.ts'
import { formatSteps, formatTree } from '../../../infra/local/print.ts'
import { runHere } from '../../support/cloud/program-here.ts'
import { writeEventLog } from './event-log.ts'

/** A stack of a project. Its state is in `folder`. */
export interface Target {
  readonly root: string
  readonly name: string
  readonly folder: string
  /** Policy pack that the stack must pass. */
  readonly pack: string | undefined
  /** File for the events of a preview. */
  readonly eventLog: string | undefined
}

export async function showPreview(target: Target, expectsNoChanges: boolean): Promise<void> {
  const state = loadState(target.folder)
  const result = await preview(optionsOf(target))
  console.log(formatSteps(result.steps))
  if (target.eventLog !== undefined) {
    writeEventLog(target.eventLog, result, await checkPolicies(target.root, result.resources), state)
  }
  await judge(result, target)
  if (expectsNoChanges && result.steps.some(isChange))
    throw new Error('no changes were expected but changes were proposed')
}

/** Previews an update, as the CLI does before it begins and records one. */
export async function previewUpdate(target: Target): Promise<void> {
  await judge(await preview(optionsOf(target)), target)
}

export async function updateStack(target: Target): Promise<void> {
  console.log(formatTree((await up(optionsOf(target))).steps))
}

export function destroyStack({ name, folder }: Target): void {
  const account = loadAccount(folder)
  const cloud = { account, folder, programFolder: dirname(folder) }
  const run = deployment({
    project: 'chronicle-sync',
    stack: name,
    state: loadState(folder),
    cloud,
    dryRun: false,
    onStep: () => {},
  })
  run.finish()
}

function optionsOf({ root, name, folder }: Target) {
  return { root, stack: readStack(root, name, {}), folder, launch: runHere }
}

async function judge({ resources }: UpResult, { pack }: Target): Promise<void> {
  if (pack === undefined) return
  const { violations } = await checkPolicies(join(pack, '../..'), resources)
  const broken = violations.filter(({ mandatory }) => mandatory)
  if (broken.length > 0) throw new Error(broken.map(({ message }) => message).join('\n'))
}

function isChange({ operation }: Step): boolean {
  return operation !== 'same'
}
