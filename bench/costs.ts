// `npm run bench:costs`: measures what each protection costs. Compares the product with itself without one protection at
// a time, in one run. Only the ratios are meaningful, not the times.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureProduct, spread } from './rounds.ts'
import { type Product, serveUnlimited } from './servers.ts'
import { WITHOUT } from './without.ts'

const CONNECTIONS = 32
const ROUNDS = 3
const SECONDS = 3

console.log('Measuring the product beside itself without each of its protections, in about eight minutes')
const folder = mkdtempSync(join(tmpdir(), 'chronicle-costs-'))
const product = await serveUnlimited(join(folder, 'product'))
const others = new Map<string, Product>()
for (const [name, alterations] of Object.entries(WITHOUT)) {
  others.set(name, await serveUnlimited(join(folder, `without ${others.size}`), alterations))
}

try {
  for (const keys of ['edited', 'new'] as const)
    for (const batch of [1, 100, 500])
      await compare({ connections: CONNECTIONS, batch, keys, seconds: SECONDS })
} finally {
  await Promise.all([product, ...others.values()].map((server) => server.stop()))
  rmSync(folder, { recursive: true })
}

/** Measures the product right before each of the others in every round. The first round only warms them up. */
async function compare(shape: Parameters<typeof measureProduct>[2]): Promise<void> {
  const ratios = new Map<string, number[]>()
  const rates: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const space = `${shape.keys}-${shape.batch}-${round}`
    for (const [name, other] of others) {
      const whole = await measureProduct(product, `${space} beside ${name}`, shape)
      const ratio = whole / (await measureProduct(other, space, shape))
      if (round === 0) continue
      rates.push(whole)
      ratios.set(name, [...(ratios.get(name) ?? []), ratio])
    }
  }
  console.log(`batch ${shape.batch}, ${shape.keys} entries: ${Math.round(spread(rates)[1])} requests/s`)
  for (const [name, found] of ratios) {
    const [low, middle, high] = spread(found).map((ratio) => ratio.toFixed(2))
    console.log(`  ${middle} (${low} to ${high}) of the rate without ${name}`)
  }
}
