// Implements the few CLI commands that a delivery uses, on the embedded engine. CLI_STATE is the folder with states and
// histories. CLI_CLOUD is the URL of a deployed stack. Every change is reported to CLI_SWITCH.
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readJson, writePrivateJson } from '../../../infra/cli/private-file.ts'
import { reveal } from '../../../infra/local/engine/properties.ts'
import { loadState } from '../../../infra/local/engine/state.ts'

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
    'config-file': { type: 'string' },
    // Without the variable, the CLI does not know this option.
    ...(process.env.PULUMI_DEBUG_COMMANDS && { 'event-log': { type: 'string' } as const }),
  },
})
const command = positionals.join(' ')
const name = String(values.stack ?? positionals.at(-1))
const folder = join(CLI_STATE, name)
const target = {
  root: ROOT,
  name,
  folder,
  pack: textOf(values['policy-pack']),
  eventLog: textOf('event-log' in values ? values['event-log'] : undefined),
}
const stackFile = join(ROOT, `Pulumi.${name}.yaml`)
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
  [/^stack rm /, remove],
  [/^preview$/, showPreview],
  [/^up$/, update],
  [/^destroy$/, destroy],
]

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Salt and check of the passphrase "of the tests". The CLI writes a line like this into the file of a new stack. */
const SALT = 'encryptionsalt: v1:PtSLUC622ag=:v1:PuA5Xj0aBeySIKbn:zpXkeKBjAILe84OwUMVA2r41rHLSXw=='

function select(): void {
  if (existsSync(folder)) return
  if (!values.create) throw new Error(`no stack named '${name}' found`)
  mkdirSync(folder, { recursive: true })
  appendFileSync(stackFile, `${SALT}\n`)
}

/** Deletes the stack file too, as the CLI does unless told otherwise. */
function remove(): void {
  rmSync(folder, { recursive: true })
  if (!values['preserve-config']) rmSync(stackFile)
}

function showOutputs(): void {
  const outputs = reveal(loadState(folder).outputs) as Record<string, unknown>
  // This machine does not resolve host names, so the url leads elsewhere. It must be one that the check would take.
  if (!/^https:\/\/[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(String(outputs.url)))
    throw new Error(`the output url is ${outputs.url}`)
  console.log(JSON.stringify({ ...outputs, url: CLI_CLOUD }))
}

/** Loads the engine only for a run: the doctor asks for a version or a list ten times as often. */
async function showPreview(): Promise<void> {
  const runs = await import('./pulumi-cli-runs.ts')
  await runs.showPreview(target, values['expect-no-changes'] === true)
}

async function update(): Promise<void> {
  const { previewUpdate, updateStack } = await import('./pulumi-cli-runs.ts')
  await previewUpdate(target)
  try {
    await updateStack(target)
    record('update', 'succeeded')
  } catch (cause) {
    record('update', 'failed')
    throw cause
  }
  await fetch(`${CLI_SWITCH}/${name}`)
}

async function destroy(): Promise<void> {
  const { destroyStack } = await import('./pulumi-cli-runs.ts')
  destroyStack(target)
  record('destroy', 'succeeded')
}

function history(): readonly Update[] {
  return readJson<Update[]>(historyFile, '') ?? []
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
