// `npm run bench`: compares the product with a bare Durable Object in one run. Only the ratios are meaningful, not the
// times.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measure } from './load.ts'
import { measureProduct, spread } from './rounds.ts'
import { serveBare, serveProduct, serveUnlimited } from './servers.ts'

const CONNECTIONS = 32
const ROUNDS = 5
const SECONDS = 3
const BATCHES = [1, 100, 500]

const minutes = Math.ceil((BATCHES.length * (ROUNDS + 1) * 3 * SECONDS) / 60)
console.log(`Measuring three servers in turn with every batch size, in about ${minutes} minutes`)
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

/** Measures all three servers in every round. The first round only warms them up. */
async function compare(batch: number): Promise<readonly Round[]> {
  const rounds: Round[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const load = { connections: CONNECTIONS, batch, keys: 'edited', seconds: SECONDS } as const
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
