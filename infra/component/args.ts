import { z } from 'zod'

const count = z.int().min(1)
const share = z.number().min(0).max(1)
const destinations = z.array(z.string().trim().min(1)).readonly()
const id = z.string().regex(/^[0-9a-f]{32}$/)
/** The live generations of a secret, newest first. */
const generations = z
  .array(z.int().min(1))
  .min(1)
  .refine((found) => found.every((n, at) => at === 0 || n < (found[at - 1] ?? 0)))
  .readonly()

/** The settings of a service. `hostname`, `route` or `workersDev` says where it answers; all others have a default. */
export interface ServiceSettings {
  /** The Cloudflare account, 32 hex digits. Defaults to the environment variable CLOUDFLARE_ACCOUNT_ID. */
  readonly accountId?: string | undefined
  /** Production is subject to more policies, and has admin tokens of another prefix. Defaults to production. */
  readonly environment?: 'development' | 'production' | undefined
  /** A custom domain like `sync.example.com`. Its zone must be in the account. */
  readonly hostname?: string | undefined
  /** The zone of `hostname` or `route`. Required for a route, otherwise found by the hostname. */
  readonly zoneId?: string | undefined
  /** A pattern like `api.example.com/api/*`, for a host whose other paths are served by another server. */
  readonly route?: string | undefined
  /** Creates the proxied DNS record that the route's host needs, if no other server has one. */
  readonly routeRecord?: boolean | undefined
  /** Also serves the Worker under the account's workers.dev name. */
  readonly workersDev?: boolean | undefined
  /** The account's name on workers.dev, like `acme` in acme.workers.dev. By default the account is asked. */
  readonly workersDevSubdomain?: string | undefined
  /** Exact origins of the pages, apps and extensions that may call the API. Defaults to none. */
  readonly corsOrigins?: readonly string[] | undefined
  /** The share of requests whose logs are kept, 0 to 1. Production keeps all logs. Defaults to 1. */
  readonly logSampling?: number | undefined
  /** Names of OTLP destinations of the account, which also get the logs. The dashboard makes them. Defaults to none. */
  readonly logDestinations?: readonly string[] | undefined
  /**
   * The share of requests that are traced, 0 to 1. Their traces hold their URLs, and so the keys of entries that were
   * asked for. Defaults to 0.
   */
  readonly traceSampling?: number | undefined
  /** Names of OTLP destinations of the account, which also get the traces. Defaults to none. */
  readonly traceDestinations?: readonly string[] | undefined
  /**
   * Where the data may be stored. Never changed once there is data: under another jurisdiction every space is empty.
   * Defaults to none.
   */
  readonly jurisdiction?: 'none' | 'eu' | 'fedramp' | 'us' | undefined
  /** How rows of new spaces name their keys: in clear, or by a keyed digest. Defaults to clear. */
  readonly keyNames?: 'clear' | 'keyed' | undefined
  /** The live generations of the key that seals data, newest first. Remove none before a sweep. Defaults to [1]. */
  readonly masterKeys?: readonly number[] | undefined
  /** The generation that `npm run sweep` found sealing all spaces. Older ones can then be removed. */
  readonly sweptMasterKey?: number | undefined
  /** The live generations of the key that signs sessions, newest first. Defaults to [1]. */
  readonly sessionKeys?: readonly number[] | undefined
  /** The live generations of the admin token, newest first. Defaults to [1]. */
  readonly adminTokens?: readonly number[] | undefined
  /**
   * Protects resources that cannot be recreated: the namespace, the script with its objects, the secrets. Defaults
   * to true.
   */
  readonly protect?: boolean | undefined
  /** Sync requests per minute, caller and location, instead of the declared limit. */
  readonly syncRequestsPerMinute?: number | undefined
  /** API tokens looked up per minute for an address that failed too often, instead of the declared limit. */
  readonly authRequestsPerMinute?: number | undefined
  /** Failed attempts to authenticate per minute, address and location, instead of the declared limit. */
  readonly authFailuresPerMinute?: number | undefined
}

/** The checks of the settings and their defaults. */
export const Args = z.strictObject({
  accountId: id,
  environment: z.enum(['development', 'production']).default('production'),
  hostname: z
    .string()
    .regex(/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/)
    .optional(),
  zoneId: id.optional(),
  route: z
    .string()
    .regex(/^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(\/[^\s?#*]*\*?)?$/)
    .optional(),
  routeRecord: z.boolean().default(false),
  workersDev: z.boolean().default(false),
  workersDevSubdomain: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
    .optional(),
  corsOrigins: z.array(z.string().refine(isOrigin)).readonly().default([]),
  logSampling: share.default(1),
  logDestinations: destinations.default([]),
  traceSampling: share.default(0),
  traceDestinations: destinations.default([]),
  jurisdiction: z.enum(['none', 'eu', 'fedramp', 'us']).default('none'),
  keyNames: z.enum(['clear', 'keyed']).default('clear'),
  masterKeys: generations.default([1]),
  sweptMasterKey: count.optional(),
  sessionKeys: generations.default([1]),
  adminTokens: generations.default([1]),
  protect: z.boolean().default(true),
  syncRequestsPerMinute: count.optional(),
  authRequestsPerMinute: count.optional(),
  authFailuresPerMinute: count.optional(),
})

export type Settings = Readonly<z.output<typeof Args>>

interface Hint {
  readonly expected: string
  readonly example: string
}

const YES_OR_NO: Hint = { expected: 'true or false', example: 'true' }
const ID: Hint = { expected: 'the 32 hex digits of the Zone ID', example: '0123456789abcdef0123456789abcdef' }
const GENERATIONS: Hint = { expected: 'a list of generations, newest first', example: '[2, 1]' }
const SHARE: Hint = { expected: 'a number from 0 to 1', example: '1' }
const DESTINATIONS: Hint = {
  expected: 'a list of destinations that the dashboard has under Observability',
  example: '["our-collector"]',
}
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
  logSampling: SHARE,
  logDestinations: DESTINATIONS,
  traceSampling: { ...SHARE, example: '0.01' },
  traceDestinations: DESTINATIONS,
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

/** One wrong setting. */
export interface Mistake extends Hint {
  readonly key: string
  /** Says what is wrong; undefined if the value itself is. */
  readonly found: string | undefined
}

/** Checks settings whole: the settings with their defaults, or every mistake. */
export function checkArgs(values: object): Settings | readonly Mistake[] {
  const given = { accountId: process.env.CLOUDFLARE_ACCOUNT_ID || undefined, ...values }
  const parsed = Args.safeParse(given)
  const mistakes = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => describe(issue, given)),
    ...hostMistakes(given),
    ...(parsed.data === undefined ? [] : [...sweepMistakes(parsed.data), ...traceMistakes(parsed.data)]),
  ]
  return parsed.data === undefined || mistakes.length > 0 ? mistakes : parsed.data
}

/** Whether `checkArgs` found mistakes. */
export function isMistaken(checked: Settings | readonly Mistake[]): checked is readonly Mistake[] {
  return Array.isArray(checked)
}

function describe(issue: z.core.$ZodIssue, given: object): Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    const expected = `one of ${Object.keys(HINTS).join(', ')}`
    return issue.keys.map((key) => ({ key, found: 'is not a setting', expected, example: '' }))
  }
  const key = String(issue.path[0])
  const isMissing = !(key in given) || given[key as keyof typeof given] === undefined
  const described = mistake(key, isMissing ? 'is missing' : undefined)
  const origins = key === 'corsOrigins' && mendOrigins(given)
  return [origins ? { ...described, example: origins } : described]
}

/** Reduces urls to their origins; undefined if that makes no list of origins. */
function mendOrigins({ corsOrigins }: Partial<Record<keyof Settings, unknown>>): string | undefined {
  const urls = [corsOrigins].flat().map(String)
  const mended = urls.map((url) => (/^https?:/.test(url) && URL.canParse(url) ? new URL(url).origin : url))
  return mended.every(isOrigin) ? JSON.stringify(mended) : undefined
}

function hostMistakes(given: Partial<Record<keyof Settings, unknown>>): Mistake[] {
  const { hostname, route, routeRecord, workersDev, zoneId } = given
  if (route && !zoneId) return [mistake('zoneId', 'is missing while route is set')]
  if (!route && routeRecord === true) return [mistake('route', 'is missing while routeRecord is true')]
  if (String(route).startsWith('*') && routeRecord === true) {
    return [mistake('routeRecord', 'is true, but the route covers more than one host')]
  }
  if (hostname || route) return []
  if (workersDev !== true) {
    return [mistake('hostname', 'is missing while workersDev is false and there is no route')]
  }
  return zoneId ? [mistake('hostname', 'is missing while zoneId is set')] : []
}

/** No sweep can have found a generation that does not exist yet. */
function sweepMistakes({ masterKeys: [newest = 0], sweptMasterKey = 0 }: Settings): Mistake[] {
  if (sweptMasterKey <= newest) return []
  return [mistake('sweptMasterKey', `is ${sweptMasterKey} while the newest of masterKeys is ${newest}`)]
}

/** A stack whose rows hide the keys of entries must not show them in the URLs of traces. */
function traceMistakes({ keyNames, traceSampling }: Settings): Mistake[] {
  if (keyNames === 'clear' || traceSampling === 0) return []
  const found = `is ${traceSampling} while keyNames is "${keyNames}"`
  const expected = '0, because traces show the keys of entries in URLs'
  return [{ ...mistake('traceSampling', found), expected, example: '0' }]
}

/** Describes a mistake of the key; all keys of the schema have a hint. */
function mistake(key: string, found: string | undefined): Mistake {
  return { key, found, ...HINTS[key as keyof Settings] }
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
