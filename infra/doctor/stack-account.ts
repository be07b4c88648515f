import type { Stack } from '../cli/stack-file.ts'
import { hostOf, physicalNames } from '../component/names.ts'
import { readDeclaration } from '../program/declaration.ts'
import type { AccountOptions } from './account.ts'

/** Reads settings in the order of the program and the provider: the stack file first, then the environment. */
export function accountOptions(
  root: string,
  { config, project, name }: Stack,
  env: NodeJS.ProcessEnv,
): Omit<AccountOptions, 'signal'> {
  const setting = (key: string) => config[`${project}:${key}`] || undefined
  const pattern = setting('route')
  return {
    stack: name,
    token: config['cloudflare:apiToken'] || env.CLOUDFLARE_API_TOKEN,
    hasGlobalKey: Boolean(env.CLOUDFLARE_API_KEY),
    accountId: setting('accountId') ?? (env.CLOUDFLARE_ACCOUNT_ID || undefined),
    accountFile: setting('accountId') ? `Pulumi.${name}.yaml` : undefined,
    keepsStateInR2: env.PULUMI_BACKEND_URL?.includes('.r2.cloudflarestorage.com') === true,
    hostname: hostIn(setting('hostname')),
    zoneId: setting('zoneId'),
    route: pattern ? { host: hostOf(pattern), needsRecord: setting('routeRecord') === 'true' } : undefined,
    scriptName: scriptName(root, name),
    workersDev: { isOn: setting('workersDev') === 'true', setting: setting('workersDevSubdomain') },
    baseUrl: config['cloudflare:baseUrl'] || env.CLOUDFLARE_BASE_URL || undefined,
  }
}

/** Undefined for a text that is no host name, which the program reports better than a search for its zone. */
function hostIn(text: string | undefined): string | undefined {
  return text !== undefined && /^[a-z0-9.-]+$/.test(text) ? text : undefined
}

/** Empty if the declaration is invalid, which the rehearsal reports. */
function scriptName(root: string, stack: string): string {
  try {
    return physicalNames(readDeclaration(root).name, stack).scriptName
  } catch {
    return ''
  }
}
