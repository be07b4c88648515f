import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { load } from 'js-yaml'
import { COMPILE_CACHE } from '../../../infra/cli/root.ts'
import type { StandIn } from '../../standin/stand-in.ts'
import { newProject, type Project } from '../../support/cloud/project.ts'
import { type Switchboard, switchboard } from '../../support/switchboard.ts'

const CLI = join(import.meta.dirname, 'pulumi-cli.ts')
const pinned: { version: string } = createRequire(import.meta.url)('pulumi/package.json')
const WORKFLOW = join(import.meta.dirname, '../../../.github/workflows/deliver.yml')

interface Step {
  readonly name?: string
  readonly run?: string
}

/** Commands of the delivery workflow, as GitHub's runner passes them to bash. */
export const STEPS = (
  load(readFileSync(WORKFLOW, 'utf8')) as { jobs: { deliver: { steps: Step[] } } }
).jobs.deliver.steps
  .map(({ run }) => run)
  .filter((run) => run !== undefined)

/** Records the arguments of every Node process, because every user of the machine can see them. */
const NOTE_ARGUMENTS = `
const { appendFileSync } = require('node:fs')
appendFileSync(process.env.ARGUMENTS, JSON.stringify([...process.execArgv, ...process.argv]) + '\\n')
`

interface Ended {
  readonly code: number
  readonly output: string
}

type Environment = Readonly<Record<string, string>>

/** Makes a runner with a committed copy of the project, and serves what it deploys. */
export async function newRunner(): Promise<Runner> {
  const project = newProject()
  const state = join(project.root, '.local/state')
  mkdirSync(state, { recursive: true })
  const runner = new Runner(project, state, await switchboard(state))
  // The npm package looks for its downloaded CLI at this path.
  runner.install(`pulumi/versions/${pinned.version}/bin/pulumi`, `exec "${process.execPath}" "${CLI}" "$@"`)
  runner.install('bin/gh', 'printf "%s\\n" "$*" > "$RUNNER_TEMP/gh.txt"; [ "$2" != view ] || echo OPEN')
  writeFileSync(join(project.root, '.local/note.cjs'), NOTE_ARGUMENTS)
  runner.git('init', '--quiet', '--initial-branch=main')
  runner.commit('the project')
  return runner
}

/** Runs the steps of the delivery workflow in a repository of its own, as GitHub's runner does. */
export class Runner {
  readonly #project: Project
  readonly #board: Switchboard
  /** Folder of the state of the stacks. */
  readonly state: string
  /** API that the doctor calls. */
  api: StandIn | undefined

  constructor(project: Project, state: string, board: Switchboard) {
    this.#project = project
    this.state = state
    this.#board = board
  }

  /** Address of the deployed service. */
  get url(): string {
    return this.#board.url
  }

  close(): Promise<void> {
    return this.#board.close()
  }

  edit(file: string, change: (text: string) => string): void {
    this.#project.edit(file, change)
  }

  /** Installs a tool that is not in the repository. */
  install(name: string, script: string): void {
    const file = this.#own(name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `#!/bin/sh\n${script}\n`)
    chmodSync(file, 0o755)
  }

  /** Path of a file that is not in the repository. */
  #own(name: string): string {
    return join(this.#project.root, '.local', name)
  }

  git(...args: string[]): string {
    const identity = ['-c', 'user.name=tester', '-c', 'user.email=tester@example.com']
    return execFileSync('git', [...identity, ...args], { cwd: this.#project.root, encoding: 'utf8' }).trim()
  }

  commit(message: string): void {
    this.git('add', '--all')
    this.git('commit', '--quiet', '--message', message)
  }

  /** Runs the workflow's shell steps after the first in order, and stops at the first failure. */
  async deliver(step: string, stack: string, more: Environment = {}): Promise<Ended> {
    const [, ask = '', main = '', comment = ''] = STEPS
    const commands = [...(step === 'open' ? [ask] : []), main, ...(step === 'preview' ? [comment] : [])]
    const inputs = { STEP: step, STACK: stack, NUMBER: '7', PULL_REQUEST: '7' }
    let output = ''
    for (const command of commands) {
      const ended = await this.run(command, { ...inputs, GH_TOKEN: 'x', ...more })
      output += ended.output
      if (ended.code !== 0) return { code: ended.code, output }
    }
    return { code: 0, output }
  }

  /** Reads a file that a step has written for the workflow. */
  written(name: string): string {
    return readFileSync(this.#own(name), 'utf8')
  }

  /** Runs a command in bash, as the runner does with a step. */
  run(command: string, env: Environment = {}): Promise<Ended> {
    const child = spawn('bash', ['-eo', 'pipefail', '-c', command], {
      cwd: this.#project.root,
      env: { ...process.env, ...this.#environment(), ...env },
    })
    return ended(child)
  }

  /** Mints a token with the admin token of the deployed stack dev. */
  async mintToken(): Promise<string> {
    const { output } = await this.run('node_modules/.bin/pulumi stack output --stack dev')
    const { adminToken } = JSON.parse(output)
    const response = await fetch(`${this.url}/api/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ subject: 'ann', scopes: ['sync:read', 'sync:write'] }),
    })
    return ((await response.json()) as { token: string }).token
  }

  #environment(): Environment {
    // Removes the tools of this checkout, which npm puts first.
    const tools = (process.env.PATH ?? '')
      .split(':')
      .filter((folder) => !folder.endsWith('node_modules/.bin'))
    return {
      PATH: [this.#own('bin'), dirname(process.execPath), ...tools].join(':'),
      PULUMI_HOME: this.#own('pulumi'),
      PULUMI_BACKEND_URL: `file://${this.state}`,
      CLI_STATE: this.state,
      CLI_CLOUD: this.#board.url,
      CLI_SWITCH: this.#board.control,
      ...(this.api && {
        CLOUDFLARE_BASE_URL: this.api.url,
        CLOUDFLARE_API_TOKEN: this.api.token,
        CLOUDFLARE_ACCOUNT_ID: this.api.accountId,
      }),
      PULUMI_CONFIG_PASSPHRASE: 'of the tests',
      DOCTOR_SECONDS: '60',
      ARGUMENTS: this.#own('arguments.txt'),
      NODE_OPTIONS: `--require=${this.#own('note.cjs')}`,
      NODE_COMPILE_CACHE: join(this.#project.root, COMPILE_CACHE),
      RUNNER_TEMP: this.#own(''),
      GITHUB_OUTPUT: this.#own('output.txt'),
      GITHUB_STEP_SUMMARY: this.#own('summary.txt'),
      WATCH_MINUTES: '0',
      // The state of the tests is a file.
      RUNNER_ENVIRONMENT: '',
    }
  }
}

async function ended(child: ChildProcess): Promise<Ended> {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text: Buffer) => {
      output += text
    })
  }
  const [code] = await once(child, 'close')
  return { code, output }
}
