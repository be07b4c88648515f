import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { COMPILE_CACHE } from '../cli/root.ts'
import type { Stack } from '../cli/stack-file.ts'
import { configOf } from '../local/engine/program.ts'
import { type Finding, oneLine, right, unknown, wrong } from './finding.ts'

const SUBJECT = 'program'
/** Another check looks at the account, so the program gets a made-up id. */
const ANY_ACCOUNT = '0'.repeat(32)

export interface RehearsalOptions {
  readonly root: string
  readonly stack: Stack
  /** Keys of the stack file that only the CLI can decrypt. */
  readonly encryptedKeys: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/**
 * Runs the program with the stack's settings and without an engine: every setting must be valid, the declaration
 * readable, each of its bindings given a value, and the Worker's sources must compile. Creates nothing but dist/.
 */
export async function rehearse(options: RehearsalOptions): Promise<readonly Finding[]> {
  const { stack, encryptedKeys } = options
  const encrypted = encryptedKeys.find((key) => key.startsWith(`${stack.project}:`))
  if (encrypted)
    return [unknown(SUBJECT, `not tried: ${encrypted} is encrypted in Pulumi.${stack.name}.yaml`)]
  const stderr = await runProgram(options)
  if (stderr === undefined)
    return [
      unknown(
        SUBJECT,
        'not tried to the end, because this machine is slow. Run: DOCTOR_SECONDS=20 npm run doctor',
      ),
    ]
  if (stderr === '')
    return [right(SUBJECT, `runs with Pulumi.${stack.name}.yaml; every declared binding has a value`)]
  return mistakesIn(stderr).map((line) => wrong(SUBJECT, line, ''))
}

/** Returns the program's text on standard error; undefined if the time ran out. */
function runProgram({ root, stack, env, signal }: RehearsalOptions): Promise<string | undefined> {
  const options = {
    cwd: join(root, 'infra'),
    signal,
    killSignal: 'SIGKILL',
    env: {
      ...env,
      CLOUDFLARE_ACCOUNT_ID: ANY_ACCOUNT,
      NODE_COMPILE_CACHE: join(root, COMPILE_CACHE),
      PULUMI_CONFIG: JSON.stringify({ ...configOf(stack), [`${stack.project}:accountId`]: '' }),
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

/** One line per mistake. An uncaught exception gives the one line with its message. */
function mistakesIn(stderr: string): readonly string[] {
  const thrown = /^\w*Error: (.*)$/m.exec(stderr)?.[1]
  return thrown ? [oneLine(thrown)] : stderr.trim().split('\n')
}
