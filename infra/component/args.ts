import { z } from 'zod'

const count = z.int().min(1)
const id = z.string().regex(/^[0-9a-f]{32}$/)
/** The live generations of a secret, newest first. */
const generations = z
  .array(z.int().min(1))
  .min(1)
  .refine((found) => found.every((n, at) => at === 0 || n < (found[at - 1] ?? 0)))

/** The settings of a service. `infra/program/settings.ts` reads them from the stack's configuration. */
export const Args = z.strictObject({
  /** The Cloudflare account, 32 hex digits. Defaults to the environment variable CLOUDFLARE_ACCOUNT_ID. */
  accountId: id,
  /** Production is subject to more policies, and has admin tokens of another prefix. */
  environment: z.enum(['development', 'production']).default('production'),
  /** A custom domain like `sync.example.com`. Its zone must be in the account. */
  hostname: z
    .string()
    .regex(/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/)
    .optional(),
  /** The zone of `hostname` or `route`. Required for a route, otherwise found by the hostname. */
  zoneId: id.optional(),
  /** A pattern like `api.example.com/api/*`, for a host whose other paths are served by another server. */
  route: z
    .string()
    .regex(/^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}(\/[^\s?#*]*\*?)?$/)
    .optional(),
  /** Creates the proxied DNS record that the route's host needs, if no other server has one. */
  routeRecord: z.boolean().default(false),
  /** Also serves the Worker under the account's workers.dev name. */
  workersDev: z.boolean().default(false),
  /** The account's name on workers.dev, like `acme` in acme.workers.dev. By default the account is asked. */
  workersDevSubdomain: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
    .optional(),
  /** Exact origins of the pages, apps and extensions that may call the API. */
  corsOrigins: z.array(z.string().refine(isOrigin)).default([]),
  /** The share of requests whose logs are kept, 0 to 1. Production keeps all logs. */
  logSampling: z.number().min(0).max(1).default(1),
  /** Lets the platform run the Worker near the data instead of near the caller. */
  smartPlacement: z.boolean().default(false),
  /** Where the data may be stored. Never changed once there is data: under another jurisdiction every space is empty. */
  jurisdiction: z.enum(['none', 'eu', 'fedramp', 'us']).default('none'),
  /** How rows of new spaces name their keys: in clear, or by a keyed digest. */
  keyNames: z.enum(['clear', 'keyed']).default('clear'),
  /** The live generations of the key that seals data, newest first. Remove none before a sweep. */
  masterKeys: generations.default([1]),
  /** The generation that `npm run sweep` found sealing all spaces. Older ones can then be removed. */
  sweptMasterKey: count.optional(),
  /** The live generations of the key that signs sessions, newest first. */
  sessionKeys: generations.default([1]),
  /** The live generations of the admin token, newest first. */
  adminTokens: generations.default([1]),
  /** Protects resources that cannot be recreated: the namespace, the script with its objects, the secrets. */
  protect: z.boolean().default(true),
  /** Sync requests per minute, caller and location, instead of the declared limit. */
  syncRequestsPerMinute: count.optional(),
  /** API tokens looked up per minute for an address that failed too often, instead of the declared limit. */
  authRequestsPerMinute: count.optional(),
  /** Failed attempts to authenticate per minute, address and location, instead of the declared limit. */
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
const COUNT: Hint = { expected: 'a whole number from 1', example: '600' }

const HINTS: Readonly<Record<keyof Settings, Hint>> = {
  accountId: {
    expected: '32 hex digits, here or in the environment variable CLOUDFLARE_ACCOUNT_ID',
    example: '0123456789abcdef0123456789abcdef',
  },
  environment: { expected: '"development" or "production"', example: 'production' },
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
    ...(parsed.data === undefined ? [] : sweepMistakes(parsed.data)),
  ]
  return parsed.data === undefined || mistakes.length > 0 ? mistakes : parsed.data
}

function describe(issue: z.core.$ZodIssue, given: object): Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    const expected = `one of ${Object.keys(HINTS).join(', ')}`
    return issue.keys.map((key) => ({ key, found: 'is not a setting', expected, example: '' }))
  }
  const key = String(issue.path[0])
  const isMissing = !(key in given) || given[key as keyof typeof given] === undefined
  return [mistake(key, isMissing ? 'is missing' : undefined)]
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
