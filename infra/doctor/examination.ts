import { readSealing, readStack, type Sealing, type Stack } from '../cli/stack-file.ts'
import { StartError } from '../cli/user-error.ts'
import { readDeclaration } from '../program/declaration.ts'
import { hostOf, physicalNames } from '../program/names.ts'
import { type AccountCase, examineAccount } from './account.ts'
import { type Finding, unknown, wrong } from './finding.ts'
import { examinePackages } from './packages.ts'
import { examinePulumi } from './pulumi.ts'
import { rehearse } from './rehearsal.ts'

/** Since the start of the process: what answers later counts as silent, and all is told within five. */
const DEADLINE_SECONDS = 4

export interface Patient {
  /** The folder with Pulumi.yaml. */
  readonly root: string
  readonly stack: string
  readonly env: NodeJS.ProcessEnv
}

/**
 * All that a deployment of the stack needs, each thing found right or wrong. Only reads; all at once, for
 * four seconds of the process, or as many as the variable DOCTOR_SECONDS says.
 */
export async function examine({ root, stack: name, env }: Patient): Promise<readonly Finding[]> {
  const signal = deadline(Number(env.DOCTOR_SECONDS) || DEADLINE_SECONDS)
  const file = readFiles(root, name)
  if (file instanceof StartError)
    return [...examinePackages(root, env), wrong('stack file', file.message, '')]
  const { stack, sealing } = file
  const findings = await Promise.all([
    examinePulumi({ root, stack: name, sealing, env, signal }),
    rehearse({ root, stack, encryptedKeys: sealing.encryptedKeys, env, signal }),
    examineCloudflare({ ...accountCase(root, stack, env), signal }, stack, sealing),
  ])
  return [...examinePackages(root, env), ...findings.flat()]
}

function deadline(seconds: number): AbortSignal {
  return AbortSignal.timeout(Math.max(0, Math.round((seconds - process.uptime()) * 1000)))
}

interface StackFiles {
  readonly stack: Stack
  readonly sealing: Sealing
}

function readFiles(root: string, name: string): StackFiles | StartError {
  try {
    const sealing = readSealing(root, name)
    const blanks = Object.fromEntries(sealing.encryptedKeys.map((key) => [key, '']))
    return { sealing, stack: readStack(root, name, blanks) }
  } catch (error) {
    if (error instanceof StartError) return error
    throw error
  }
}

/** A token or an account that only the CLI can read leaves nothing to ask the API with. */
async function examineCloudflare(subject: AccountCase, stack: Stack, { encryptedKeys }: Sealing) {
  const keys = ['cloudflare:apiToken', `${stack.project}:accountId`]
  const sealed = encryptedKeys.find((key) => keys.includes(key))
  if (sealed) return [unknown('account', `not asked: ${sealed} is encrypted in Pulumi.${stack.name}.yaml`)]
  return examineAccount(subject)
}

/** Settings as the program and the provider take them: the stack's file first, then the environment. */
function accountCase(
  root: string,
  { config, project, name }: Stack,
  env: NodeJS.ProcessEnv,
): Omit<AccountCase, 'signal'> {
  const setting = (key: string) => config[`${project}:${key}`] || undefined
  const pattern = setting('route')
  return {
    token: config['cloudflare:apiToken'] || env.CLOUDFLARE_API_TOKEN,
    accountId: setting('accountId') ?? env.CLOUDFLARE_ACCOUNT_ID,
    hostname: setting('hostname'),
    zoneId: setting('zoneId'),
    route: pattern ? { host: hostOf(pattern), needsRecord: setting('routeRecord') === 'true' } : undefined,
    workersDev: {
      scriptName: setting('workersDev') === 'true' ? scriptName(root, name) : undefined,
      setting: setting('workersDevSubdomain'),
    },
    baseUrl: config['cloudflare:baseUrl'] || env.CLOUDFLARE_BASE_URL || undefined,
  }
}

/** Undefined if the declaration has a mistake, of which the rehearsal tells. */
function scriptName(root: string, stack: string): string | undefined {
  try {
    return physicalNames(readDeclaration(root).name, stack).scriptName
  } catch {
    return undefined
  }
}
