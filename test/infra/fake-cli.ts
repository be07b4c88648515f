import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Finding, formatFinding } from '../../infra/doctor/finding.ts'
import { COMPILED } from '../standin/command.ts'
import { newProject } from '../support/cloud/project.ts'
import { ACCOUNT, TOKEN } from './fake-api.ts'

export const CHECKOUT = join(import.meta.dirname, '../..')

/** CLI version that package.json pins. */
export const LAUNCHER: string = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')).dependencies
  .pulumi

/** Environment variables as a user sets them. */
export type Environment = Readonly<Record<string, string>>

/** Merges variables. The type of process.env also has the variables of the Worker, which no test here needs. */
export function environment(...parts: readonly Environment[]): NodeJS.ProcessEnv {
  return Object.assign({}, ...parts)
}

/** Shell code for each command of the CLI. */
export type Cli = Readonly<Record<string, string>>

/** Logs the change of one resource, as the CLI does in a preview. */
const CHANGED = `while [ $# -gt 0 ]; do [ "$1" = --event-log ] && echo '${JSON.stringify({
  resourcePreEvent: {
    metadata: { op: 'update', urn: 'urn:pulumi:dev::p::x:y:Z::z', type: 'x:y:Z', old: null, new: null },
  },
})}' > "$2"; shift; done`

/** Remembers a log-in and a stack, and has neither at first. */
export const NEW_CLI: Cli = {
  'preview --diff': CHANGED,
  version: 'echo v3.1.2',
  'login --local': 'echo \'{"current":"file://~"}\' > "$PULUMI_HOME/credentials.json"',
  'stack ls': '[ -f "$HOME/made" ] && echo \'[{"name":"dev"}]\' || echo "[]"',
  'stack init': 'touch "$HOME/made"',
}

export const GOOD_CLI: Cli = {
  'preview --diff': CHANGED,
  version: 'echo v3.1.2',
  'stack ls': `echo '[{"name":"dev"},{"name":"organization/chronicle-sync/prod"}]'`,
  'up --stack': 'echo "up got $*"; exit 7',
}

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chronicle-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Makes an environment with this CLI on the PATH and nothing else set. */
export function withCli(cli: Cli | undefined): Environment {
  const folder = tempFolder()
  const cases = Object.entries(cli ?? {}).map(([words, script]) => `"${words}"*) ${script} ;;`)
  const file = join(folder, 'pulumi')
  if (cli) writeFileSync(file, `#!/bin/sh\ncase "$*" in\n${cases.join('\n')}\n*) exit 9 ;;\nesac\n`)
  if (cli) chmodSync(file, 0o755)
  // The launcher of the npm package downloads the CLI, and must not count as a CLI itself.
  const path = [folder, join(CHECKOUT, 'node_modules/.bin'), '/usr/bin', '/bin'].join(':')
  return {
    PATH: path,
    HOME: folder,
    PULUMI_HOME: folder,
    PULUMI_BACKEND_URL: `file://${folder}`,
    // Allows for a busy machine.
    DOCTOR_SECONDS: '60',
  }
}

export function withAccount(baseUrl: string): Environment {
  return { CLOUDFLARE_API_TOKEN: TOKEN, CLOUDFLARE_ACCOUNT_ID: ACCOUNT, CLOUDFLARE_BASE_URL: baseUrl }
}

export async function linesOf(
  findings: readonly Finding[] | Promise<readonly Finding[]>,
): Promise<readonly string[]> {
  return (await findings).filter(({ verdict }) => verdict !== 'right').map(formatFinding)
}

/** Runs a command of infra, like `doctor/doctor`, in a project. Returns the lines of both output streams. */
export async function run(root: string, [command, ...args]: readonly string[], env: Environment) {
  const started = performance.now()
  const child = spawn(process.execPath, [`infra/${command}.ts`, ...args], {
    cwd: root,
    env: environment(COMPILED, env),
    stdio: 'pipe',
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      printed += text
    })
  }
  const [code] = await once(child, 'close')
  return { code, lines: printed.trimEnd().split('\n'), ms: performance.now() - started }
}

let shared: string | undefined

/**
 * Returns a project whose program passes its rehearsal at once, for tests of other checks. The tests of a file share it,
 * so they change nothing in it.
 */
export function unrehearsed(): string {
  if (shared !== undefined) return shared
  const project = newProject()
  project.edit('infra/doctor/rehearse.ts', () => '')
  shared = project.root
  return shared
}
