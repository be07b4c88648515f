import { z } from 'zod'
import { type ApiAnswer, askApi, type CloudflareApi } from './cloudflare-api.ts'
import { type Finding, right, unknown, wrong } from './finding.ts'

const Zone = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  account: z.object({ id: z.string(), name: z.string().optional() }),
})
type Zone = z.infer<typeof Zone>

const DnsRecords = z.array(z.object({ type: z.string() }))

export interface ZoneQuestion {
  readonly hostname: string
  /** As the stack's settings have it. */
  readonly zoneId: string | undefined
  readonly accountId: string
}

export interface ZoneAnswers {
  readonly zones: readonly ApiAnswer[]
  /** The records of the hostname; undefined if there was no zone to ask. */
  readonly records: ApiAnswer | undefined
}

/** Looks for the zone of the hostname, the longest name first, and for records that it has already. */
export async function askZone(api: CloudflareApi, { hostname, zoneId }: ZoneQuestion): Promise<ZoneAnswers> {
  const paths = zoneId ? [`zones/${zoneId}`] : namesAbove(hostname).map((name) => `zones?name=${name}`)
  const zones = await Promise.all(paths.map((path) => askApi(api, path)))
  const [zone] = zones.flatMap(zonesIn)
  const records = zone && (await askApi(api, `zones/${zone.id}/dns_records?name=${hostname}`))
  return { zones, records }
}

export function examineZone(question: ZoneQuestion, { zones, records }: ZoneAnswers): readonly Finding[] {
  const [zone] = zones.flatMap(zonesIn)
  if (!zone) return [missingZone(question, zones)]
  const finding = examineFound(question, zone)
  return finding.verdict === 'right' ? [finding, ...examineRecords(question.hostname, records)] : [finding]
}

function missingZone({ hostname, zoneId, accountId }: ZoneQuestion, answers: readonly ApiAnswer[]): Finding {
  const silent = answers.find(({ kind }) => kind === 'silent' || kind === 'failed')
  if (silent && 'reason' in silent) return unknown('zone', `not found out (${silent.reason})`)
  const found = zoneId ? `there is none with the id ${zoneId}` : `there is none for ${hostname}`
  const remedy = `Add the domain to the account ${accountId}, or give the token Zone: Read on it`
  return wrong('zone', `${found} that the token may see`, remedy)
}

function examineFound({ hostname, accountId }: ZoneQuestion, { name, status, account }: Zone): Finding {
  if (!`.${hostname}`.endsWith(`.${name}`))
    return wrong('zone', `${hostname} is not in ${name}`, 'Correct the setting zoneId')
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

/** A custom domain makes its own record, an AAAA, and the API refuses a name that has others (100117). */
function examineRecords(hostname: string, answer: ApiAnswer | undefined): readonly Finding[] {
  if (answer?.kind !== 'given') return [unknown('DNS', 'not readable with this token, nor needed to deploy')]
  const records = DnsRecords.safeParse(answer.result).data ?? []
  const other = records.find(({ type }) => type === 'CNAME' || type === 'A')
  if (!other) return [right('DNS', `nothing stands in the way of ${hostname}`)]
  return [
    unknown('DNS', `${hostname} has a record of type ${other.type}: delete it before the first deployment`),
  ]
}

function zonesIn(answer: ApiAnswer): readonly Zone[] {
  if (answer.kind !== 'given') return []
  const list = Array.isArray(answer.result) ? answer.result : [answer.result]
  return list.flatMap((each) => Zone.safeParse(each).data ?? [])
}

/** `a.b.example.com` has these: itself, `b.example.com` and `example.com`. */
function namesAbove(hostname: string): readonly string[] {
  const labels = hostname.split('.')
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'))
}
