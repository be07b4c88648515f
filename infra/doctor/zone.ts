import { z } from 'zod'
import { type ApiAnswer, askApi, type CloudflareApi } from './cloudflare-api.ts'
import { type Finding, right, unknown, wrong } from './finding.ts'
import { examineRoute, type Route } from './permissions.ts'

const Zone = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  account: z.object({ id: z.string(), name: z.string().optional() }),
})
type Zone = z.infer<typeof Zone>

const DnsRecords = z.array(z.object({ type: z.string() }))
const Domains = z.array(z.object({ hostname: z.string(), service: z.string() }))

export interface ZoneOptions {
  /** The custom domain or, without one, the host of the route. */
  readonly host: string
  readonly isCustomDomain: boolean
  readonly route: Route | undefined
  /** As the settings of the stack have it. */
  readonly zoneId: string | undefined
  readonly accountId: string
  readonly scriptName: string
}

export interface ZoneAnswers {
  readonly zones: readonly ApiAnswer[]
  /** The existing records of a custom domain; undefined without a custom domain or a zone. */
  readonly records: ApiAnswer | undefined
  /** The Workers of the account that have the custom domain; undefined without one or without a zone. */
  readonly domains: ApiAnswer | undefined
  /** Findings about the token's permissions for a route. */
  readonly permissions: readonly Finding[]
}

/** Looks for the zone of the host, the longest name first, and then for what the stack needs in that zone. */
export async function askZone(api: CloudflareApi, options: ZoneOptions): Promise<ZoneAnswers> {
  const { host, zoneId, isCustomDomain, route, accountId } = options
  const paths = zoneId ? [`zones/${zoneId}`] : namesAbove(host).map((name) => `zones?name=${name}`)
  const zones = await Promise.all(paths.map((path) => askApi(api, path)))
  const [zone] = zones.flatMap(zonesIn)
  if (!zone) return { zones, records: undefined, domains: undefined, permissions: [] }
  const [records, domains, permissions] = await Promise.all([
    isCustomDomain ? askApi(api, `zones/${zone.id}/dns_records?name=${host}`) : undefined,
    isCustomDomain ? askApi(api, `accounts/${accountId}/workers/domains?hostname=${host}`) : undefined,
    route ? examineRoute(api, zone.id, route) : [],
  ])
  return { zones, records, domains, permissions }
}

export function examineZone(options: ZoneOptions, answers: ZoneAnswers): readonly Finding[] {
  const { zones, records, domains, permissions } = answers
  const [zone] = zones.flatMap(zonesIn)
  if (!zone) return [missingZone(options, zones)]
  const finding = examineFound(options, zone)
  if (finding.verdict !== 'right') return [finding]
  return [finding, ...examineHostname(options, records, domains), ...permissions]
}

/** Looks for another owner of a custom domain. The API refuses a hostname that is taken (100116, 100117). */
function examineHostname(
  { host, scriptName }: ZoneOptions,
  records: ApiAnswer | undefined,
  domains: ApiAnswer | undefined,
): readonly Finding[] {
  const found = domains?.kind === 'given' ? (Domains.safeParse(domains.result).data ?? []) : []
  const taken = found.find(({ hostname }) => hostname === host)
  // The record of a domain that the stack has already belongs to the domain.
  if (taken?.service === scriptName) return [right('DNS', `${host} belongs to ${scriptName}`)]
  if (taken) {
    const remedy = 'Remove it there (Settings, Domains & Routes), or set another hostname'
    return [wrong('hostname', `${host} belongs to the Worker ${taken.service}`, remedy)]
  }
  return records ? [examineRecords(host, records, domains?.kind === 'given')] : []
}

function missingZone({ host, zoneId, accountId }: ZoneOptions, answers: readonly ApiAnswer[]): Finding {
  const silent = answers.find(({ kind }) => kind === 'silent' || kind === 'failed')
  if (silent && 'reason' in silent) return unknown('zone', `not readable (${silent.reason})`)
  const found = zoneId ? `no zone has the id ${zoneId}` : `no zone holds ${host}`
  const remedy = `Add the domain to the account ${accountId}, or give the token Zone: Read on it`
  return wrong('zone', `${found}, or the token may not see it`, remedy)
}

function examineFound({ host, accountId }: ZoneOptions, { name, status, account }: Zone): Finding {
  if (!`.${host}`.endsWith(`.${name}`))
    return wrong('zone', `${host} is not in ${name}`, 'Correct the setting zoneId')
  if (account.id !== accountId) {
    return wrong(
      'zone',
      `${name} is in another account, ${account.id}`,
      `Move it to ${accountId}, or deploy there`,
    )
  }
  if (status !== 'active')
    return wrong(
      'zone',
      `${name} is ${status}, not active`,
      'Set its name servers at the registrar, then wait',
    )
  return right('zone', `${name} is active, in this account`)
}

/**
 * A custom domain creates its own AAAA record, and the API refuses a name that has other records (100117). `isFree`: no
 * Worker has the host, so that every record is somebody's own.
 */
function examineRecords(host: string, answer: ApiAnswer, isFree: boolean): Finding {
  if (answer.kind !== 'given')
    return unknown('DNS', 'not readable with this token, which a custom domain does not need')
  const types = (DnsRecords.safeParse(answer.result).data ?? []).map(({ type }) => type)
  const other = types.find((type) => type === 'CNAME' || type === 'A' || (isFree && type === 'AAAA'))
  if (!other) return right('DNS', `no record conflicts with ${host}`)
  if (!isFree)
    return unknown('DNS', `${host} has a record of type ${other}: delete it before the first deployment`)
  const remedy = 'Delete it in the dashboard (DNS, Records), or set another hostname'
  return wrong('hostname', `${host} has a DNS record of type ${other} of its own`, remedy)
}

function zonesIn(answer: ApiAnswer): readonly Zone[] {
  if (answer.kind !== 'given') return []
  const list = Array.isArray(answer.result) ? answer.result : [answer.result]
  return list.flatMap((each) => Zone.safeParse(each).data ?? [])
}

/** The names of possible zones: for `a.b.example.com` the name itself, `b.example.com` and `example.com`. */
function namesAbove(host: string): readonly string[] {
  const labels = host.split('.')
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'))
}
