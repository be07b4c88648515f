import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Stack } from '../cli/stack-file.ts'
import { type Finding, oneLine, right, unknown, wrong } from './finding.ts'

const SUBJECT = 'program'
/** Whether the account is known is another check's business. */
const ANY_ACCOUNT = '0'.repeat(32)

export interface RehearsalCase {
  readonly root: string
  readonly stack: Stack
  /** Keys of the stack's file that could not be read. */
  readonly encryptedKeys: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/**
 * Whether the program gets through with these settings: each of them right, the declaration readable, every
 * binding of it with a value, the Worker's sources whole. Nothing is made anywhere, but dist/ is written.
 */
export async function rehearse(subject: RehearsalCase): Promise<readonly Finding[]> {
  const { stack, encryptedKeys } = subject
  const [sealed] = encryptedKeys.filter((key) => key.startsWith(`${stack.project}:`))
  if (sealed) return [unknown(SUBJECT, `not tried: ${sealed} is encrypted in Pulumi.${stack.name}.yaml`)]
  const stderr = await runProgram(subject)
  if (stderr === undefined) return [unknown(SUBJECT, 'not tried to the end: it took too long')]
  if (stderr === '')
    return [right(SUBJECT, `runs with Pulumi.${stack.name}.yaml; every declared binding has a value`)]
  return mistakesIn(stderr).map((line) => wrong(SUBJECT, line, ''))
}

/** What it wrote to standard error, undefined if its time was up. */
function runProgram({ root, stack, env, signal }: RehearsalCase): Promise<string | undefined> {
  const options = {
    cwd: join(root, 'infra'),
    signal,
    killSignal: 'SIGKILL',
    env: {
      ...env,
      CLOUDFLARE_ACCOUNT_ID: ANY_ACCOUNT,
      NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/chronicle-sync'),
      PULUMI_CONFIG: JSON.stringify({ ...stack.config, [`${stack.project}:accountId`]: '' }),
    },
  } as const
  const args = [join(root, 'infra/doctor/rehearse.ts'), stack.project, stack.name]
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, _stdout, stderr) => {
      if (signal.aborted) return resolve(undefined)
      resolve(error ? stderr || error.message : '')
    })
  })
}

/** A line each; of an exception that nobody caught, the one line that names it. */
function mistakesIn(stderr: string): readonly string[] {
  const thrown = /^\w*Error: (.*)$/m.exec(stderr)?.[1]
  return thrown ? [oneLine(thrown)] : stderr.trim().split('\n')
}
