import { z } from 'zod'
import { type ApiAnswer, askApi, type CloudflareApi } from './cloudflare-api.ts'
import { type Finding, missing, right, unknown, wrong } from './finding.ts'

/** Each permission that the program needs in the account, with a read that needs it too. */
const PERMISSIONS = [
  { name: 'Workers Scripts', path: 'workers/scripts' },
  { name: 'Workers KV Storage', path: 'storage/kv/namespaces' },
]

/** The API's code for an account without a workers.dev name. */
const NO_SUBDOMAIN_CODE = 10007

/** The number of Workers of a free account (developers.cloudflare.com/workers/platform/limits). */
const FREE_WORKERS = 100

const Subdomain = z.object({ subdomain: z.string().min(1) })
const Scripts = z.array(z.object({ id: z.string() }))

/** Permissions that a route needs in its zone. */
const ROUTE_PERMISSION = { name: 'Workers Routes', path: 'workers/routes' }
const RECORD_PERMISSION = { name: 'DNS', path: 'dns_records' }

/** A route of the stack. `needsRecord`: the program creates the DNS record of its host. */
export interface Route {
  readonly host: string
  readonly needsRecord: boolean
}

/** Checks what the token may do in the zone of a route. */
export async function examineRoute(
  api: CloudflareApi,
  zoneId: string,
  route: Route,
): Promise<readonly Finding[]> {
  const needed = route.needsRecord ? [ROUTE_PERMISSION, RECORD_PERMISSION] : [ROUTE_PERMISSION]
  const answers = await Promise.all(needed.map(({ path }) => askApi(api, `zones/${zoneId}/${path}`)))
  return needed.map(({ name }, index) => examinePermission(name, answers[index]))
}

export interface AccountAnswers {
  /** In the order of PERMISSIONS. */
  readonly reads: readonly ApiAnswer[]
  readonly subdomain: ApiAnswer
}

export async function askAccount(api: CloudflareApi, accountId: string): Promise<AccountAnswers> {
  const [subdomain, ...reads] = await Promise.all(
    ['workers/subdomain', ...PERMISSIONS.map(({ path }) => path)].map((path) =>
      askApi(api, `accounts/${accountId}/${path}`),
    ),
  )
  return { reads, subdomain: subdomain ?? { kind: 'silent', reason: 'not asked' } }
}

/** Whether the token may read nothing in the account. */
export function isForeign({ reads }: AccountAnswers): boolean {
  return reads.every(({ kind }) => kind === 'refused' || kind === 'absent')
}

/** Judges permissions in the account by reads alone. A write would change the account. */
export function examinePermissions({ reads }: AccountAnswers): readonly Finding[] {
  return PERMISSIONS.map(({ name }, index) => examinePermission(name, reads[index]))
}

function examinePermission(name: string, answer: ApiAnswer | undefined): Finding {
  const subject = `permission ${name}`
  if (answer?.kind === 'given') return right(subject, 'reading works; writing was not tried')
  if (answer?.kind === 'refused')
    return wrong(subject, `missing (${answer.reason})`, `Give the token ${name}: Edit`)
  return unknown(subject, answer?.reason ?? 'not asked')
}

/** Warns if a free account has no room for a new Worker. The API says nothing about the plan. */
export function examineRoom({ reads: [scripts] }: AccountAnswers, scriptName: string): readonly Finding[] {
  const found = scripts?.kind === 'given' ? (Scripts.safeParse(scripts.result).data ?? []) : []
  if (found.length < FREE_WORKERS || found.some(({ id }) => id === scriptName)) return []
  const count = found.length === FREE_WORKERS ? 'as many as' : 'more than'
  return [
    unknown(
      'Workers',
      `the account has ${found.length}, ${count} the free plan allows: delete one, or use the paid plan`,
    ),
  ]
}

/** The settings of the stack about workers.dev. */
export interface WorkersDev {
  /** Whether the stack answers there. */
  readonly isOn: boolean
  /** The account's name there, as the stack file has it. */
  readonly setting: string | undefined
}

/**
 * Checks the account's workers.dev name. An account without one refuses the first upload of a script, whatever the
 * stack says about workers.dev (API error 10063).
 */
export function examineSubdomain(
  answer: ApiAnswer,
  scriptName: string,
  { isOn, setting }: WorkersDev,
): Finding {
  const subject = 'workers.dev'
  if (answer.kind === 'silent' || answer.kind === 'refused')
    return unknown(subject, `not readable (${answer.reason})`)
  const name = answer.kind === 'given' ? Subdomain.safeParse(answer.result).data?.subdomain : undefined
  if (name && setting && setting !== name) {
    const remedy = `Write in the stack file: workersDevSubdomain: ${name}`
    return wrong(subject, `the account's name is ${name}, not ${setting}`, remedy)
  }
  if (name && isOn) {
    return right(subject, `the stack answers at https://${scriptName}.${name}.workers.dev`)
  }
  if (name) return right(subject, `the account has the name ${name}; the stack leaves it off`)
  if (answer.kind === 'failed' && answer.code !== NO_SUBDOMAIN_CODE) return unknown(subject, answer.reason)
  return missing(subject, 'the account has no name there yet, which every Worker needs', {
    thing: 'workers.dev name',
    remedy: 'Choose one at https://dash.cloudflare.com/?to=/:account/workers/onboarding',
  })
}
