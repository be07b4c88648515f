import { runtime } from '@pulumi/pulumi'
import { RunError } from '@pulumi/pulumi/errors.js'
import { z } from 'zod'

const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
const number = z
  .string()
  .regex(/^\d+(\.\d+)?$/)
  .transform(Number)
const perMinute = number.pipe(z.int().min(1)).optional()
const origins = z
  .string()
  .transform(toList)
  .pipe(z.array(z.string().refine(isOrigin)))

/** What differs between stacks. The engine hands every value over as text. */
const Settings = z.strictObject({
  /** Not `cloudflare:accountId`, which the provider refuses as a key that it does not know. */
  accountId: z.string().regex(/^[0-9a-f]{32}$/),
  environment: z.enum(['development', 'production']),
  /** A custom domain; its zone must be in the account. */
  hostname: z
    .string()
    .regex(/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/)
    .optional(),
  zoneId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  /** Answers under the account's workers.dev name as well. */
  workersDev: flag,
  /** Exact origins of browsers that may call the API. */
  corsOrigins: origins,
  /** The share of requests whose logs are kept, 0 to 1. */
  logSampling: number.pipe(z.number().max(1)),
  /** Keeps what cannot be made again (namespace, script with its objects, secrets) from being destroyed. */
  protect: flag,
  /** In place of the declared limits, per caller and place. */
  syncRequestsPerMinute: perMinute,
  authRequestsPerMinute: perMinute,
})

export type Settings = Readonly<z.infer<typeof Settings>>

interface Hint {
  readonly expected: string
  readonly example: string
}

const YES_OR_NO: Hint = { expected: 'true or false', example: 'true' }
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
  zoneId: { expected: 'the 32 hex digits of the Zone ID', example: '0123456789abcdef0123456789abcdef' },
  workersDev: YES_OR_NO,
  corsOrigins: { expected: 'a list of exact origins', example: '["https://app.example.com"]' },
  logSampling: { expected: 'a number from 0 to 1', example: '0.1' },
  protect: YES_OR_NO,
  syncRequestsPerMinute: COUNT,
  authRequestsPerMinute: COUNT,
}

/** The stack's settings. Every mistake is one line that says what to write where, all in one RunError. */
export function readSettings(project: string, stack: string): Settings {
  const place = { project, stack, values: valuesOf(project) }
  const parsed = Settings.safeParse(place.values)
  const mistakes = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => describe(issue, place)),
    ...waysInMistakes(place),
  ]
  if (!parsed.success || mistakes.length > 0) throw new RunError([...new Set(mistakes)].join('\n'))
  return parsed.data
}

/** Where the values stand, for the messages. */
interface Place {
  readonly project: string
  readonly stack: string
  readonly values: Readonly<Record<string, string>>
}

/**
 * The project's own values; empty ones, as Pulumi.yaml has them for "none", are left out. The account
 * may come from the environment, so that it need not be committed.
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

function describe(issue: z.core.$ZodIssue, place: Place): string[] {
  const { project, values } = place
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(HINTS).join(', ')
    return issue.keys.map((key) => `${project}:${key} is not a setting, expected one of ${known}`)
  }
  const key = String(issue.path[0])
  return [mistake(key, key in values ? `is ${JSON.stringify(values[key])}` : 'is missing', place)]
}

function waysInMistakes(place: Place): string[] {
  const { hostname, workersDev, zoneId } = place.values
  if (hostname) return []
  if (workersDev === 'false') return [mistake('hostname', 'is missing while workersDev is false', place)]
  return zoneId ? [mistake('hostname', 'is missing while zoneId is set', place)] : []
}

function mistake(key: string, found: string, { project, stack }: Place): string {
  const name = `${project}:${key}`
  // Every key that an issue can name is one of the schema's.
  const { expected, example } = HINTS[key as keyof typeof HINTS]
  return `${name} ${found}, expected ${expected}. Write in Pulumi.${stack}.yaml, for example: ${name}: ${example}`
}

function toList(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text
}
