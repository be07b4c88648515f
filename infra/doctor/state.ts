import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { z } from 'zod'
import { findBackend, keepsKeys, passphraseFile } from '../cli/back-end.ts'
import { findPulumi } from '../cli/pulumi-cli.ts'
import type { Stack, StackSecrets } from '../cli/stack-file.ts'
import { type Finding, missing, oneLine, right, unknown, wrong } from './finding.ts'
import { readPassphrase } from './passphrase.ts'

const Stacks = z.array(z.object({ name: z.string() }))

export interface StateOptions {
  readonly root: string
  readonly stack: Stack
  readonly secrets: StackSecrets
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/** Checks that the state has a place, and that the stack exists there. */
export async function examineState(options: StateOptions): Promise<readonly Finding[]> {
  const { stack, secrets, env } = options
  const backend = findBackend(env, stack.backend)
  if (!backend) return [missingBackend(), missingStack(stack.name)]
  if (backend.startsWith('file:') && env.RUNNER_ENVIRONMENT === 'github-hosted') return [forgottenState()]
  const state = right('state', `in ${withoutQuery(backend)}`)
  // A stack file gets its key when the stack is created. A look into the back-end takes a second.
  if (secrets.hasKey) return [state]
  const found = await findStack(options)
  if (found.verdict !== 'missing' || keepsKeys(backend) || readPassphrase(env) !== undefined)
    return [state, found]
  return [state, missingPassphrase(env), found]
}

function missingBackend(): Finding {
  return missing('state', 'the Pulumi CLI is logged in nowhere, so there is no place for it', {
    thing: 'state',
    remedy: 'Run: npx pulumi login --local (or see docs/operations.md, From zero)',
  })
}

/** The next run would find no state, and create everything a second time. */
function forgottenState(): Finding {
  const found = 'it would be on a runner of GitHub, which is deleted after the run'
  return wrong('state', found, 'Set PULUMI_BACKEND_URL to object storage, or use Pulumi Cloud')
}

function missingPassphrase(env: NodeJS.ProcessEnv): Finding {
  return missing('passphrase', 'none is set, and the state encrypts the secrets of the stack with one', {
    thing: 'passphrase',
    remedy: `Write a long random one into ${passphraseFile(env)}, then run: export PULUMI_CONFIG_PASSPHRASE_FILE=${passphraseFile(env)}`,
  })
}

function missingStack(name: string): Finding {
  return missing('stack', `there is no ${name} in the state yet`, {
    thing: 'stack',
    remedy: `Run: npx pulumi stack init ${name}`,
  })
}

/** Asks the back-end. Without a CLI there cannot be a stack that this machine has made. */
async function findStack({ root, stack: { name }, env, signal }: StateOptions): Promise<Finding> {
  const cli = findPulumi(root, env)
  if (!cli) return missingStack(name)
  const options = { cwd: root, signal, env: { ...cli.env, PULUMI_SKIP_UPDATE_CHECK: 'true' } }
  try {
    const { stdout } = await promisify(execFile)(
      cli.path,
      ['stack', 'ls', '--json', '--non-interactive'],
      options,
    )
    const stacks = Stacks.parse(JSON.parse(stdout))
    const exists = stacks.some((each) => each.name === name || each.name.endsWith(`/${name}`))
    return exists ? right('stack', `${name} is in the state`) : missingStack(name)
  } catch (cause) {
    if (signal.aborted) return unknown('stack', 'the back-end of the state did not answer in time')
    return unknown('stack', `the back-end of the state was not readable (${reasonOf(cause)})`)
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return oneLine('stderr' in cause && cause.stderr ? String(cause.stderr) : cause.message)
}

/** The query of an address may hold credentials. */
function withoutQuery(url: string): string {
  return url.replace(/\?.*$/, '')
}
