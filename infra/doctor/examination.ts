import type { Stack, StackSecrets } from '../cli/stack-file.ts'
import { UserError } from '../cli/user-error.ts'
import { type AccountOptions, examineAccount } from './account.ts'
import { type Finding, unknown, wrong } from './finding.ts'
import { examinePassphrase } from './passphrase.ts'
import { rehearse } from './rehearsal.ts'
import { accountOptions } from './stack-account.ts'
import { examineNamespaces, readStackFiles, type StackFiles } from './stack-file.ts'
import { examineState } from './state.ts'
import { examineVersions } from './versions.ts'

/** Later answers count as missing, so that the doctor ends within five seconds. */
const DEADLINE_SECONDS = 4

/** Allows four seconds, or as many as the variable DOCTOR_SECONDS says. `elapsed` seconds have passed already. */
export function doctorDeadline(env: NodeJS.ProcessEnv, elapsed = 0): AbortSignal {
  const seconds = Number(env.DOCTOR_SECONDS) || DEADLINE_SECONDS
  return AbortSignal.timeout(Math.max(0, Math.round((seconds - elapsed) * 1000)))
}

export interface ExamineOptions {
  /** The folder with Pulumi.yaml. */
  readonly root: string
  readonly stack: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  /** Ends the rehearsal of the program, in place of `signal`. */
  readonly patience?: AbortSignal
  /** The CLI previews the program before it changes anything, so that a rehearsal of a deployed stack only costs time. */
  readonly isPreviewed?: boolean
}

/**
 * Checks what a deployment of the stack needs and `pulumi up` would report late, badly or not at all. Only reads. The
 * checks run in parallel.
 */
export async function examine(options: ExamineOptions): Promise<readonly Finding[]> {
  const { root, stack: name, env, signal, patience = signal, isPreviewed = false } = options
  const files = readFiles(root, name)
  if (files instanceof UserError)
    return [...(await examineVersions({ root, env, signal })), wrong('stack file', files.message, '')]
  const { stack, secrets } = files
  const findings = await Promise.all([
    examineMachine(options),
    isPreviewed && secrets.hasKey
      ? []
      : rehearse({ root, stack, encryptedKeys: secrets.encryptedKeys, env, signal: patience }),
    examineCloudflare({ ...accountOptions(root, stack, env), signal }, stack, secrets),
  ])
  return findings.flat()
}

/** Checks what the machine has for the stack: tools, files and state. Asks no account. */
export async function examineMachine(options: ExamineOptions): Promise<readonly Finding[]> {
  const { root, env, signal } = options
  const { stack, secrets } = readStackFiles(root, options.stack)
  const findings = await Promise.all([
    examineVersions({ root, env, signal }),
    examineNamespaces(stack),
    examinePassphrase(secrets, env),
    examineState({ root, stack, secrets, env, signal }),
  ])
  return findings.flat()
}

function readFiles(root: string, name: string): StackFiles | UserError {
  try {
    return readStackFiles(root, name)
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
}

/** Skips the account if only the CLI can decrypt its token or its id. */
async function examineCloudflare(options: AccountOptions, stack: Stack, { encryptedKeys }: StackSecrets) {
  const keys = ['cloudflare:apiToken', `${stack.project}:accountId`]
  const encrypted = encryptedKeys.find((key) => keys.includes(key))
  if (encrypted)
    return [unknown('account', `not checked: ${encrypted} is encrypted in Pulumi.${stack.name}.yaml`)]
  return examineAccount(options)
}
