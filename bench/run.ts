// `npm run bench`: the product beside a bare Durable Object, in turn, in one run. The ratios count, not the times.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measure } from './load.ts'
import { type Product, serveBare, serveProduct, serveUnlimited } from './servers.ts'

const CONNECTIONS = 32
const ROUNDS = 5
const SECONDS = 3
const BATCHES = [1, 100, 500]

const folder = mkdtempSync(join(tmpdir(), 'chronicle-bench-'))
const bare = await serveBare(join(folder, 'bare'))
const unlimited = await serveUnlimited(join(folder, 'unlimited'))
const product = await serveProduct(join(folder, 'product'))

interface Round {
  readonly bare: number
  readonly unlimited: number
  readonly product: number
}

try {
  for (const batch of BATCHES) report(batch, await compare(batch))
} finally {
  await Promise.all([bare, unlimited, product].map((server) => server.stop()))
  rmSync(folder, { recursive: true })
}

/** Every round measures all three; the first one only warms them up. */
async function compare(batch: number): Promise<readonly Round[]> {
  const rounds: Round[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const load = { connections: CONNECTIONS, batch, seconds: SECONDS }
    const space = `space-${batch}-${round}`
    const found = {
      bare: await measure({ ...load, url: bare.url, path: '/', sessions: null }),
      unlimited: await measureProduct(unlimited, space, load),
      product: await measureProduct(product, space, load),
    }
    if (round > 0) rounds.push(found)
  }
  return rounds
}

type Shape = { readonly connections: number; readonly batch: number; readonly seconds: number }

async function measureProduct({ url, adminToken }: Product, space: string, shape: Shape): Promise<number> {
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

function report(batch: number, rounds: readonly Round[]): void {
  const line = (name: 'product' | 'unlimited') => {
    const [low, middle, high] = spread(rounds.map((round) => round[name] / round.bare))
    return `${middle.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
  }
  const rate = (name: keyof Round) => Math.round(spread(rounds.map((round) => round[name]))[1])
  console.log(`batch ${batch}: requests/s of the bare object ${rate('bare')}`)
  console.log(`  the product ${line('product')} of it, ${rate('product')}/s`)
  console.log(`  with rate limits that cost nothing ${line('unlimited')} of it, ${rate('unlimited')}/s`)
}

function spread(values: readonly number[]): readonly [low: number, middle: number, high: number] {
  const sorted = [...values].sort((a, b) => a - b)
  return [sorted[0] ?? 0, sorted[Math.floor(sorted.length / 2)] ?? 0, sorted.at(-1) ?? 0]
}
