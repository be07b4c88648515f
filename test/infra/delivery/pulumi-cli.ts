// The few commands of the CLI that a delivery uses, on the embedded engine: what the vendor's CLI would do
// where there is none. State and history are in the folder CLI_STATE; what is deployed answers at
// CLI_CLOUD, and CLI_SWITCH is told of every change.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadAccount } from '../../../infra/local/account.ts'
import { deployment, type Step } from '../../../infra/local/deployment.ts'
import { checkPolicies } from '../../../infra/local/policies.ts'
import { formatDetails, formatTree } from '../../../infra/local/print.ts'
import { readJson, writePrivateJson } from '../../../infra/local/private-file.ts'
import { reveal } from '../../../infra/local/properties.ts'
import { readStack } from '../../../infra/local/stack-file.ts'
import { loadState } from '../../../infra/local/state.ts'
import { preview, type UpResult, up } from '../../../infra/local/up.ts'
import { runHere } from '../../support/cloud/program-here.ts'

interface Update {
  readonly kind: 'update' | 'destroy'
  readonly result: 'succeeded' | 'failed'
  readonly environment: Readonly<Record<string, string>>
}

const ROOT = process.cwd()
const { CLI_STATE = '', CLI_CLOUD = '', CLI_SWITCH = '' } = process.env

const { positionals, values } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: {
    stack: { type: 'string' },
    'policy-pack': { type: 'string' },
    'page-size': { type: 'string' },
    color: { type: 'string' },
  },
})
const command = positionals.join(' ')
const name = String(values.stack ?? positionals.at(-1))
const folder = join(CLI_STATE, name)
const historyFile = join(CLI_STATE, `${name}.history.json`)

const PLUGINS = ['cloudflare', 'random'].map((plugin) => {
  const { version } = createRequire(import.meta.url)(`@pulumi/${plugin}/package.json`)
  return { name: plugin, kind: 'resource', version }
})

const COMMANDS: readonly (readonly [RegExp, () => void | Promise<void>])[] = [
  [/^version$/, () => console.log('v3.265.0')],
  [/^plugin ls$/, () => console.log(JSON.stringify(PLUGINS))],
  [/^whoami$/, () => console.log(JSON.stringify({ user: 'ci', url: `file://${CLI_STATE}` }))],
  [/^stack ls$/, () => console.log(JSON.stringify(readdirSync(CLI_STATE).map((stack) => ({ name: stack }))))],
  [/^stack select /, select],
  [/^stack output$/, showOutputs],
  [/^stack history$/, () => console.log(JSON.stringify(history()))],
  [/^stack rm /, () => rmSync(folder, { recursive: true })],
  [/^preview$/, showPreview],
  [/^up$/, update],
  [/^destroy$/, destroy],
]

function select(): void {
  if (!existsSync(folder) && !values.create) throw new Error(`no stack named '${name}' found`)
  mkdirSync(folder, { recursive: true })
}

function showOutputs(): void {
  const outputs = reveal(loadState(folder).outputs) as Record<string, unknown>
  // Names are not resolved on this machine.
  console.log(JSON.stringify({ ...outputs, url: CLI_CLOUD }))
}

async function showPreview(): Promise<void> {
  const result = await preview(options())
  console.log(formatTree(result.steps))
  console.log(formatDetails(result.steps))
  await judge(result)
  if (values['expect-no-changes'] && result.steps.some(isChange))
    throw new Error('no changes were expected but changes were proposed')
}

async function update(): Promise<void> {
  try {
    await judge(await preview(options()))
    console.log(formatTree((await up(options())).steps))
    record('update', 'succeeded')
  } catch (cause) {
    record('update', 'failed')
    throw cause
  }
  await fetch(`${CLI_SWITCH}/${name}`)
}

function destroy(): void {
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
  record('destroy', 'succeeded')
}

function options() {
  return { root: ROOT, stack: readStack(ROOT, name, {}), folder, launch: runHere }
}

async function judge({ resources }: UpResult): Promise<void> {
  const pack = values['policy-pack']
  if (pack === undefined) return
  const violations = await checkPolicies(join(String(pack), '../..'), resources)
  const broken = violations.filter(({ mandatory }) => mandatory)
  if (broken.length > 0) throw new Error(broken.map(({ message }) => message).join('\n'))
}

function isChange({ operation }: Step): boolean {
  return operation !== 'same' && operation !== 'read'
}

function history(): readonly Update[] {
  return readJson<Update[]>(historyFile) ?? []
}

function record(kind: Update['kind'], result: Update['result']): void {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
  const environment = {
    'git.head': git('rev-parse', 'HEAD'),
    'git.dirty': String(git('status', '--porcelain') !== ''),
  }
  writePrivateJson(historyFile, [{ kind, result, environment }, ...history()])
}

async function main(): Promise<void> {
  const [, run] = COMMANDS.find(([pattern]) => pattern.test(command)) ?? []
  if (!run) throw new Error(`this stand-in for the CLI has no "${command}"`)
  await run()
}

main().catch((error: unknown) => {
  console.error(`error: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 255
})
