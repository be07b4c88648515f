import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { COMPILE_CACHE } from '../../cli/root.ts'
import type { Stack } from '../../cli/stack-file.ts'

/** The organization that the CLI reports for a self-managed state back-end. */
export const ORGANIZATION = 'organization'

/** An account id for a run that reaches no account. */
export const NO_ACCOUNT = '0'.repeat(32)

/** The name of the embedded account on workers.dev. */
const LOCAL_SUBDOMAIN = 'local'

export interface ProgramOptions {
  readonly root: string
  readonly stack: Stack
  /** The address of the engine, as host:port. */
  readonly address: string
  /** Tells the program that this is a preview, so that values which only a run computes stay unknown. */
  readonly dryRun: boolean
}

export interface ProgramResult {
  readonly code: number | null
  /** The text on standard error, empty unless the launcher itself failed. */
  readonly stderr: string
}

/** The configuration of the program. Gives the account a name on workers.dev, for which the program would ask the API. */
export function configOf({ project, config }: Stack): Stack['config'] {
  const key = `${project}:workersDevSubdomain`
  return { ...config, [key]: config[key] || LOCAL_SUBDOMAIN }
}

/** Runs the program as `pulumi up` does: with Pulumi's own launcher, in a separate process. */
export function runProgram({ root, stack, address, dryRun }: ProgramOptions): Promise<ProgramResult> {
  const launcher = createRequire(import.meta.url).resolve('@pulumi/pulumi/cmd/run')
  const main = join(root, stack.main)
  const args = [
    `--organization=${ORGANIZATION}`,
    `--project=${stack.project}`,
    `--stack=${stack.name}`,
    `--root-directory=${root}`,
    `--pwd=${dirname(main)}`,
    `--monitor=${address}`,
    `--engine=${address}`,
    '--parallel=16',
    ...(dryRun ? ['--dry-run'] : []),
    basename(main),
  ]
  const child = spawn(process.execPath, [launcher, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(root, COMPILE_CACHE),
      CLOUDFLARE_ACCOUNT_ID: process.env.CLOUDFLARE_ACCOUNT_ID || NO_ACCOUNT,
      PULUMI_CONFIG: JSON.stringify(configOf(stack)),
      PULUMI_CONFIG_SECRET_KEYS: '[]',
      PULUMI_NODEJS_TYPESCRIPT: 'false',
    },
  })
  const end = () => child.kill()
  process.on('exit', end)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise<ProgramResult>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stderr }))
  }).finally(() => process.off('exit', end))
}
