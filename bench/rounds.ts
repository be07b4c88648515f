import { type Load, measure } from './load.ts'
import type { Product } from './servers.ts'

type Shape = Omit<Load, 'url' | 'path' | 'sessions'>

/** Measures the answered requests per second of devices in a new space. */
export async function measureProduct(
  { url, adminToken }: Product,
  space: string,
  shape: Shape,
): Promise<number> {
  const grant = { subject: space, scopes: ['sync:read', 'sync:write'] }
  const { token } = await post(`${url}/api/tokens`, adminToken, grant)
  const opened = Array.from({ length: shape.connections }, () => post(`${url}/api/auth`, '', { token }))
  const sessions = (await Promise.all(opened)).map(({ session }) => session ?? '')
  return measure({ ...shape, url, path: '/api/sync', sessions })
}

async function post(url: string, bearer: string, body: object): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await response.json()) as Record<string, string>
}

/** The least, the median and the greatest of an odd number of values. */
export function spread(values: readonly number[]): readonly [low: number, middle: number, high: number] {
  const sorted = [...values].sort((a, b) => a - b)
  return [sorted[0] ?? 0, sorted[Math.floor(sorted.length / 2)] ?? 0, sorted.at(-1) ?? 0]
}
