/** The single address that the platform shows for every Worker of another zone (fundamentals: http-headers). */
const OTHER_WORKERS = '2a06:98c0:3600::103'

/** An IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2), in either spelling of its last 32 bits. */
const MAPPED_DOTTED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i
const MAPPED_HEX = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i

/** The number of 16-bit groups that identify an IPv6 network. A customer gets all 2^64 addresses of one (RFC 6177). */
const NETWORK_GROUPS = 4

/**
 * The caller to whom requests from an address are charged: the address itself for IPv4, the /64 network for IPv6, the
 * zone for a Worker of another zone (the platform puts its name in `workerZone`). All requests without an address share
 * one caller.
 */
export function callerOf(address: string | null, workerZone: string | null): string {
  if (address === null) return 'unknown'
  if (address === OTHER_WORKERS) return `worker ${workerZone ?? ''}`
  const [, dotted] = MAPPED_DOTTED.exec(address) ?? []
  if (dotted !== undefined) return dotted
  const [, high, low] = MAPPED_HEX.exec(address) ?? []
  if (high !== undefined && low !== undefined) return [...octetsOf(high), ...octetsOf(low)].join('.')
  return address.includes(':') ? `${networkOf(address)}::/64` : address
}

function octetsOf(group: string): readonly number[] {
  const bits = Number.parseInt(group, 16)
  return [bits >> 8, bits & 0xff]
}

function networkOf(address: string): string {
  const [head = '', tail = ''] = address.toLowerCase().split('::')
  const [left, right] = [groupsOf(head), groupsOf(tail)]
  const missing = address.includes('::') ? 8 - left.length - right.length : 0
  const groups = [...left, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...right]
  return groups.slice(0, NETWORK_GROUPS).join(':')
}

function groupsOf(part: string): readonly string[] {
  return part === '' ? [] : part.split(':').map((group) => group.replace(/^0+(?=.)/, ''))
}
