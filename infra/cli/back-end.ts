import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

const PULUMI_CLOUD = 'https://api.pulumi.com'

const Credentials = z.object({ current: z.string().min(1) })

/** The folder in which the CLI keeps itself, its log-ins and, after `pulumi login --local`, the state. */
export function pulumiHome(env: NodeJS.ProcessEnv): string {
  return env.PULUMI_HOME || join(homedir(), '.pulumi')
}

/**
 * The URL of the back-end that the CLI would use for the state, in the order of the CLI: the environment, Pulumi.yaml,
 * the last log-in. Undefined if it would ask.
 */
export function findBackend(env: NodeJS.ProcessEnv, declared: string | undefined): string | undefined {
  if (env.PULUMI_BACKEND_URL) return env.PULUMI_BACKEND_URL
  if (declared) return declared
  return readLogin(env) ?? (env.PULUMI_ACCESS_TOKEN ? PULUMI_CLOUD : undefined)
}

/** Pulumi Cloud keeps the keys of its stacks. Every other back-end needs a passphrase, or a key of a cloud. */
export function keepsKeys(backend: string): boolean {
  return /^https?:/.test(backend)
}

/** The file in which the first deployment writes a passphrase, unless the environment names another. */
export function passphraseFile(env: NodeJS.ProcessEnv): string {
  return env.PULUMI_CONFIG_PASSPHRASE_FILE || join(pulumiHome(env), 'chronicle-sync.passphrase')
}

function readLogin(env: NodeJS.ProcessEnv): string | undefined {
  const file = join(env.PULUMI_CREDENTIALS_PATH || pulumiHome(env), 'credentials.json')
  try {
    return Credentials.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data?.current
  } catch {
    return undefined
  }
}
