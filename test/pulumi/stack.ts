import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inject, test } from 'vitest'
import { type Run, runCommand } from '../standin/command.ts'
import { newStandIn, type SeenRequest, type StandIn, writesOf } from '../standin/stand-in.ts'
import { newProject, type Project } from '../support/cloud/project.ts'
import { CLI_PATH } from './cli.ts'

const cli = inject('cli')

/** Declares a test of the real engine and provider. */
export const pulumiTest = test.skipIf('missing' in cli)

/** Zone of the account. */
export const ZONE = { id: 'f'.repeat(32), name: 'example.com' }

const ASSET_CALL = /\/assets-upload-session$|\/assets\/upload\?/

/** Stack of the real engine, with its state in the project's folder and its account in a stand-in. */
export interface Stack {
  readonly project: Project
  readonly standIn: StandIn
  up(...flags: string[]): Promise<Run>
  preview(...flags: string[]): Promise<Run>
  destroy(...flags: string[]): Promise<Run>
  /** Runs a command of infra/operate or infra/doctor, as npm does. */
  tool(file: string, ...args: string[]): Promise<Run>
  /** Runs `pulumi config set`. */
  set(key: string, value: string): Promise<Run>
  /** Lists the changes that the last command sent to the API. Uploaded assets change nothing before the script does. */
  writes(): readonly string[]
  /** Lists the calls of the last command that uploaded static assets. */
  assetCalls(): readonly string[]
  /** Lists the script uploads of the last command. */
  uploads(): readonly SeenRequest[]
}

/** Makes a stack that was never deployed. Changes the project before the stack is created. */
export async function newStack(name = 'dev', change = (_root: string) => {}): Promise<Stack> {
  const standIn = await newStandIn()
  standIn.changeByHand(({ zones }) => zones.push(ZONE))
  const project = newProject()
  change(project.root)
  let from = 0

  const state = join(project.root, '.local/state')
  mkdirSync(state, { recursive: true })
  const env = {
    PATH: CLI_PATH,
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: 'of the tests',
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    DOCTOR_SECONDS: '60',
    CLOUDFLARE_BASE_URL: standIn.url,
    CLOUDFLARE_API_TOKEN: standIn.token,
    CLOUDFLARE_ACCOUNT_ID: standIn.accountId,
  }

  function execute(file: string, args: readonly string[]): Promise<Run> {
    from = standIn.requests.length
    return runCommand(file, args, { cwd: project.root, env })
  }

  function run(...args: string[]): Promise<Run> {
    return execute('path' in cli ? cli.path : '', [...args, '--non-interactive'])
  }

  await run('stack', 'init', name)
  return {
    project,
    standIn,
    up: (...flags) => run('up', '--yes', '--skip-preview', ...flags),
    preview: (...flags) => run('preview', ...flags),
    destroy: (...flags) => run('destroy', '--yes', ...flags),
    tool: (file, ...args) => execute(process.execPath, [`infra/${file}.ts`, ...args]),
    set: (key, value) => run('config', 'set', key, value),
    writes: () => writesOf(standIn, from).filter((write) => !ASSET_CALL.test(write)),
    assetCalls: () => writesOf(standIn, from).filter((write) => ASSET_CALL.test(write)),
    uploads: () => standIn.requests.slice(from).filter(({ metadata }) => metadata),
  }
}
