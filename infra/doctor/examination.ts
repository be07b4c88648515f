import { readStack, readStackSecrets, type Stack, type StackSecrets } from '../cli/stack-file.ts'
import { UserError } from '../cli/user-error.ts'
import { hostOf, physicalNames } from '../component/names.ts'
import { readDeclaration } from '../program/declaration.ts'
import { type AccountOptions, examineAccount } from './account.ts'
import { type Finding, unknown, wrong } from './finding.ts'
import { examinePassphrase } from './passphrase.ts'
import { rehearse } from './rehearsal.ts'
import { examineVersions } from './versions.ts'

/** Counted from the start of the process. Later answers count as missing, so that the doctor ends within five seconds. */
const DEADLINE_SECONDS = 4

export interface ExamineOptions {
  /** The folder with Pulumi.yaml. */
  readonly root: string
  readonly stack: string
  readonly env: NodeJS.ProcessEnv
}

/**
 * Checks what a deployment of the stack needs and `pulumi up` would report late, badly or not at all. Only reads. The
 * checks run in parallel for four seconds of the process, or for as many as the variable DOCTOR_SECONDS says.
 */
export async function examine({ root, stack: name, env }: ExamineOptions): Promise<readonly Finding[]> {
  const signal = deadline(Number(env.DOCTOR_SECONDS) || DEADLINE_SECONDS)
  const files = readFiles(root, name)
  if (files instanceof UserError)
    return [...(await examineVersions({ root, env, signal })), wrong('stack file', files.message, '')]
  const { stack, secrets } = files
  const findings = await Promise.all([
    examineVersions({ root, env, signal }),
    examinePassphrase(secrets, env),
    rehearse({ root, stack, encryptedKeys: secrets.encryptedKeys, env, signal }),
    examineCloudflare({ ...accountOptions(root, stack, env), signal }, stack, secrets),
  ])
  return findings.flat()
}

function deadline(seconds: number): AbortSignal {
  return AbortSignal.timeout(Math.max(0, Math.round((seconds - process.uptime()) * 1000)))
}

interface StackFiles {
  readonly stack: Stack
  readonly secrets: StackSecrets
}

function readFiles(root: string, name: string): StackFiles | UserError {
  try {
    const secrets = readStackSecrets(root, name)
    const blanks = Object.fromEntries(secrets.encryptedKeys.map((key) => [key, '']))
    return { secrets, stack: readStack(root, name, blanks) }
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

/** Reads settings in the order of the program and the provider: the stack file first, then the environment. */
function accountOptions(
  root: string,
  { config, project, name }: Stack,
  env: NodeJS.ProcessEnv,
): Omit<AccountOptions, 'signal'> {
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

/** Undefined if the declaration is invalid, which the rehearsal reports. */
function scriptName(root: string, stack: string): string | undefined {
  try {
    return physicalNames(readDeclaration(root).name, stack).scriptName
  } catch {
    return undefined
  }
}
