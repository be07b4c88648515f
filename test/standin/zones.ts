import { z } from 'zod'
import {
  type Account,
  ApiError,
  createDomain,
  createRoute,
  type DnsRecord,
  newId,
  type Route,
  updateRoute,
} from '../../infra/local/cloud/account.ts'
import type { Call, Cloud } from './call.ts'

type Zone = Account['zones'][number]
type Domain = Account['domains'][number]

const DomainBody = z.object({ hostname: z.string(), service: z.string() })
const RouteBody = z.object({ pattern: z.string(), script: z.string() })
const RecordBody = z.object({
  name: z.string(),
  type: z.string(),
  content: z.string(),
  proxied: z.boolean().default(false),
  ttl: z.number(),
})

export function listZones({ cloud, query }: Call): unknown {
  const zones = cloud.account.zones.filter(({ name }) => name === (query.get('name') ?? name))
  return zones.map((zone) => describeZone(cloud, zone))
}

export function showZone(call: Call): unknown {
  return describeZone(call.cloud, findZone(call))
}

export function attachDomain({ cloud, body }: Call): unknown {
  const { hostname, service } = DomainBody.parse(body)
  zoneOf(cloud.account, hostname)
  checkRecords(cloud.account, hostname)
  const id = createDomain(cloud.account, hostname, service)
  return describeDomain(cloud.account, { id, hostname, service })
}

export function listDomains({ cloud, query }: Call): unknown {
  const { account } = cloud
  const domains = account.domains.filter(({ hostname }) => hostname === (query.get('hostname') ?? hostname))
  return domains.map((domain) => describeDomain(account, domain))
}

export function showDomain(call: Call): unknown {
  return describeDomain(call.cloud.account, findDomain(call))
}

export function detachDomain(call: Call): unknown {
  const domain = findDomain(call)
  call.cloud.account.domains = call.cloud.account.domains.filter((other) => other !== domain)
  return null
}

export function listRoutes(call: Call): unknown {
  findZone(call)
  return call.cloud.account.routes
}

export function addRoute(call: Call): unknown {
  findZone(call)
  const route = RouteBody.parse(call.body)
  return { id: createRoute(call.cloud.account, route), ...route }
}

export function showRoute(call: Call): unknown {
  return findRoute(call)
}

export function changeRoute(call: Call): unknown {
  updateRoute(call.cloud.account, findRoute(call).id, RouteBody.parse(call.body))
  return findRoute(call)
}

export function removeRoute(call: Call): unknown {
  const { id } = findRoute(call)
  call.cloud.account.routes = call.cloud.account.routes.filter((route) => route.id !== id)
  return { id }
}

export function addRecord(call: Call): unknown {
  const record = { ...RecordBody.parse(call.body), id: newId(), zoneId: findZone(call).id }
  const { records } = call.cloud.account
  if (records.some(({ name, type }) => name === record.name && type === record.type)) {
    throw new ApiError(400, 81058, `an identical record already exists: ${record.type} ${record.name}`)
  }
  records.push(record)
  return describeRecord(record)
}

/** A custom domain shows as a read-only record of its host. */
export function listRecords(call: Call): unknown {
  const zone = findZone(call)
  const { records, domains } = call.cloud.account
  const wanted = (name: string) => name === (call.query.get('name') ?? name)
  const own = records.filter(({ zoneId, name }) => zoneId === zone.id && wanted(name)).map(describeRecord)
  const ofDomains = domains.filter(({ hostname }) => wanted(hostname) && hostname.endsWith(zone.name))
  return [...own, ...ofDomains.map(({ hostname }) => ({ name: hostname, type: 'AAAA', content: '100::' }))]
}

export function showRecord(call: Call): unknown {
  return describeRecord(findRecord(call))
}

export function changeRecord(call: Call): unknown {
  const record = findRecord(call)
  const changed = { ...record, ...RecordBody.parse(call.body) }
  const { account } = call.cloud
  account.records = account.records.map((other) => (other === record ? changed : other))
  return describeRecord(changed)
}

export function removeRecord(call: Call): unknown {
  const record = findRecord(call)
  call.cloud.account.records = call.cloud.account.records.filter((other) => other !== record)
  return { id: record.id }
}

/** Refuses a custom domain whose host has records of its own. */
function checkRecords({ records }: Account, hostname: string): void {
  if (!records.some(({ name, type }) => name === hostname && ['A', 'AAAA', 'CNAME'].includes(type))) return
  throw new ApiError(409, 100117, `${hostname} already has externally managed DNS records`)
}

function findZone({ cloud, params }: Call): Zone {
  const zone = cloud.account.zones.find(({ id }) => id === params.zone)
  if (!zone) throw new ApiError(403, 9109, 'unauthorized to access the requested resource')
  return zone
}

function findDomain({ cloud, params }: Call): Domain {
  const domain = cloud.account.domains.find(({ id }) => id === params.id)
  if (!domain) throw new ApiError(404, 100114, 'there is no such domain')
  return domain
}

function findRoute({ cloud, params }: Call): Route & { readonly id: string } {
  const route = cloud.account.routes.find(({ id }) => id === params.id)
  if (!route) throw new ApiError(404, 10007, 'there is no such route')
  return route
}

function findRecord({ cloud, params }: Call): DnsRecord {
  const record = cloud.account.records.find(({ id }) => id === params.id)
  if (!record) throw new ApiError(404, 81044, 'record does not exist')
  return record
}

function zoneOf({ zones }: Account, hostname: string): Zone {
  const zone = zones.find(({ name }) => hostname === name || hostname.endsWith(`.${name}`))
  if (!zone) throw new ApiError(400, 100115, `${hostname} is in no zone of the account`)
  return zone
}

function describeZone({ accountId }: Cloud, { id, name }: Zone): object {
  const account = { id: accountId, name: 'Stand-in' }
  return { id, name, account, status: 'active', paused: false, type: 'full' }
}

function describeDomain(account: Account, { id, hostname, service }: Domain): object {
  const zone = zoneOf(account, hostname)
  const certificate = `${id.slice(0, 8)}-0000-4000-8000-${id.slice(0, 12)}`
  return {
    id,
    hostname,
    service,
    environment: 'production',
    zone_id: zone.id,
    zone_name: zone.name,
    cert_id: certificate,
  }
}

function describeRecord({ zoneId, ...record }: DnsRecord): object {
  const since = '2026-01-01T00:00:00Z'
  const fixed = { proxiable: true, settings: {}, meta: {}, tags: [], created_on: since, modified_on: since }
  return { ...record, zone_id: zoneId, ...fixed }
}
