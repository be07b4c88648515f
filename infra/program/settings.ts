import { runtime } from '@pulumi/pulumi'
import { RunError } from '@pulumi/pulumi/errors.js'
import { z } from 'zod'

const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
const number = z
  .string()
  .regex(/^\d+(\.\d+)?$/)
  .transform(Number)
const count = number.pipe(z.int().min(1)).optional()
const id = z.string().regex(/^[0-9a-f]{32}$/)
const list = z.string().transform(toList)
/** The live generations of a secret, newest first. */
const generations = list.pipe(
  z
    .array(z.int().min(1))
    .min(1)
    .refine((found) => found.every((n, at) => at === 0 || n < (found[at - 1] ?? 0))),
)
const origins = list.pipe(z.array(z.string().refine(isOrigin)))

/** The settings that differ between stacks. The engine passes every value as text. */
const Settings = z.strictObject({
  /** Not `cloudflare:accountId`, because the provider refuses keys that it does not know. */
  accountId: id,
  environment: z.enum(['development', 'production']),
  /** A custom domain. Its zone must be in the account. */
  hostname: z
    .string()
    .regex(/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/)
    .optional(),
  zoneId: id.optional(),
  /** A pattern of the zone, for a host whose other paths are served by another server. */
  route: z
    .string()
    .regex(/^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(\/[^\s?#*]*\*?)?$/)
    .optional(),
  /** Creates the DNS record that the route's host needs. */
  routeRecord: flag,
  /** Also serves the Worker under the account's workers.dev name. */
  workersDev: flag,
  /** The account's name on workers.dev, like `acme` in acme.workers.dev. */
  workersDevSubdomain: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
    .optional(),
  /** Exact origins of the pages, apps and extensions that may call the API. */
  corsOrigins: origins,
  /** The share of requests whose logs are kept, 0 to 1. */
  logSampling: number.pipe(z.number().max(1)),
  /** Lets the platform run the Worker near the data instead of near the caller. */
  smartPlacement: flag,
  /** Where the data may be stored. Never changed once there is data: under another jurisdiction every space is empty. */
  jurisdiction: z.enum(['none', 'eu', 'fedramp', 'us']),
  /** How rows of new spaces name their keys: in clear, or by a keyed digest. */
  keyNames: z.enum(['clear', 'keyed']),
  /** The live generations of the secrets, newest first. */
  masterKeys: generations,
  sessionKeys: generations,
  adminTokens: generations,
  /** The master key that `npm run sweep` found sealing all spaces. Older keys can be removed. */
  sweptMasterKey: count,
  /** Protects resources that cannot be recreated: the namespace, the script with its objects, the secrets. */
  protect: flag,
  /** Replace the declared limits, per caller and location. */
  syncRequestsPerMinute: count,
  authRequestsPerMinute: count,
  authFailuresPerMinute: count,
})

export type Settings = Readonly<z.infer<typeof Settings>>

interface Hint {
  readonly expected: string
  readonly example: string
}

const YES_OR_NO: Hint = { expected: 'true or false', example: 'true' }
const ID: Hint = { expected: 'the 32 hex digits of the Zone ID', example: '0123456789abcdef0123456789abcdef' }
const GENERATIONS: Hint = { expected: 'a list of generations, newest first', example: '[2, 1]' }
const COUNT: Hint = { expected: 'a whole number from 1', example: '600' }

const HINTS: Readonly<Record<keyof Settings, Hint>> = {
  accountId: {
    expected: '32 hex digits, here or in the environment variable CLOUDFLARE_ACCOUNT_ID',
    example: '0123456789abcdef0123456789abcdef',
  },
  environment: { expected: '"development", or "production" for users', example: 'development' },
  hostname: {
    expected: 'a host name in lower case, without scheme, port or path',
    example: 'sync.example.com',
  },
  zoneId: ID,
  route: { expected: 'a pattern of host and path, without scheme', example: 'api.example.com/api/*' },
  routeRecord: YES_OR_NO,
  workersDev: YES_OR_NO,
  workersDevSubdomain: { expected: 'the first part of *.workers.dev in your account', example: 'acme' },
  corsOrigins: {
    expected: 'a list of exact origins: scheme, host and port with no slash after them, never "*" or "null"',
    example: '["https://app.example.com", "capacitor://localhost"]',
  },
  logSampling: { expected: 'a number from 0 to 1', example: '1' },
  smartPlacement: YES_OR_NO,
  jurisdiction: { expected: '"none", "eu", "fedramp" or "us"', example: 'eu' },
  keyNames: { expected: '"clear" or "keyed"', example: 'keyed' },
  masterKeys: GENERATIONS,
  sessionKeys: GENERATIONS,
  adminTokens: GENERATIONS,
  sweptMasterKey: {
    expected: 'the generation that npm run sweep reported, at most the newest',
    example: '2',
  },
  protect: YES_OR_NO,
  syncRequestsPerMinute: COUNT,
  authRequestsPerMinute: COUNT,
  authFailuresPerMinute: COUNT,
}

/** Reads the settings of the stack. Throws one RunError with a line for every mistake, which says what to write where. */
export function readSettings(project: string, stack: string): Settings {
  const config = { project, stack, values: valuesOf(project) }
  const parsed = Settings.safeParse(config.values)
  const mistakes = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => describe(issue, config)),
    ...hostMistakes(config),
    ...(parsed.data === undefined ? [] : sweepMistakes(parsed.data, config)),
  ]
  if (!parsed.success || mistakes.length > 0) throw new RunError([...new Set(mistakes)].join('\n'))
  return parsed.data
}

/** The values of the project's own keys, and the names that the messages need. */
interface StackConfig {
  readonly project: string
  readonly stack: string
  readonly values: Readonly<Record<string, string>>
}

/**
 * Reads the values of the project's own keys. Empty values are left out, because Pulumi.yaml has them as the default of
 * settings without one. The account may come from the environment, so that nobody has to commit it.
 */
function valuesOf(project: string): Readonly<Record<string, string>> {
  const prefix = `${project}:`
  const own = Object.entries(runtime.allConfig()).filter(
    ([key, value]) => key.startsWith(prefix) && value !== '',
  )
  const accountId = process.env.CLOUDFLARE_ACCOUNT_ID
  const values = own.map(([key, value]) => [key.slice(prefix.length), value])
  return { ...(accountId && { accountId }), ...Object.fromEntries(values) }
}

function describe(issue: z.core.$ZodIssue, config: StackConfig): string[] {
  const { project, values } = config
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(HINTS).join(', ')
    return issue.keys.map((key) => `${project}:${key} is not a setting, expected one of ${known}`)
  }
  const key = String(issue.path[0])
  return [mistake(key, key in values ? `is ${JSON.stringify(values[key])}` : 'is missing', config)]
}

function hostMistakes(config: StackConfig): string[] {
  const { hostname, route, routeRecord, workersDev, zoneId } = config.values
  if (route && !zoneId) return [mistake('zoneId', 'is missing while route is set', config)]
  if (!route && routeRecord === 'true')
    return [mistake('route', 'is missing while routeRecord is true', config)]
  if (route?.startsWith('*') && routeRecord === 'true') {
    return [mistake('routeRecord', 'is true, but the route covers more than one host', config)]
  }
  if (hostname || route) return []
  if (workersDev === 'false') {
    return [mistake('hostname', 'is missing while workersDev is false and there is no route', config)]
  }
  return zoneId ? [mistake('hostname', 'is missing while zoneId is set', config)] : []
}

/** No sweep can have found a generation that does not exist yet. */
function sweepMistakes(
  { masterKeys: [newest = 0], sweptMasterKey = 0 }: Settings,
  config: StackConfig,
): string[] {
  if (sweptMasterKey <= newest) return []
  return [
    mistake('sweptMasterKey', `is ${sweptMasterKey} while the newest of masterKeys is ${newest}`, config),
  ]
}

function mistake(key: string, found: string, { project, stack, values }: StackConfig): string {
  const name = `${project}:${key}`
  // An issue can only name keys of the schema.
  const { expected, example: usual } = HINTS[key as keyof typeof HINTS]
  const example = (key === 'corsOrigins' && mendOrigins(values[key])) || usual
  return `${name} ${found}, expected ${expected}. Write in Pulumi.${stack}.yaml, for example: ${name}: ${example}`
}

/** Reduces urls to their origins; undefined if that makes no list of origins. */
function mendOrigins(text = ''): string | undefined {
  const urls = [toList(text)].flat().map(String)
  const mended = urls.map((url) => (/^https?:/.test(url) && URL.canParse(url) ? new URL(url).origin : url))
  return mended.every(isOrigin) ? JSON.stringify(mended) : undefined
}

function toList(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * An origin with the scheme of an app or an extension, as its pages send it. The URL standard gives such schemes no
 * origin, so `new URL` cannot check it. Excludes `null`, which any sandboxed page sends, and schemes without a host.
 */
const APP_ORIGIN =
  /^(?!(?:about|blob|data|file|ftp|javascript|wss?):)[a-z][a-z0-9+.-]*:\/\/[\w~-][\w.~-]*(?::\d{1,5})?$/

function isOrigin(text: string): boolean {
  if (!/^https?:/.test(text)) return APP_ORIGIN.test(text)
  return URL.canParse(text) && new URL(text).origin === text
}
