// `npm run bench:protections`: measures what each protection costs. Compares the product with itself without one protection at
// a time, in one run. Only the ratios are meaningful, not the times.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLoad } from './load/load.ts'
import { ratios, spread, spreadText } from './load/statistics.ts'
import { rateOf } from './report/records.ts'
import { unlimitedBuild } from './servers/build.ts'
import { provision, serveUnlimited } from './servers/product.ts'
import type { Server } from './servers/server.ts'
import { WITHOUT } from './servers/without.ts'
import { compare, type Rival } from './writes/compare.ts'

const SHAPE = { spaces: 1, connections: 32 }
const [ROUNDS, SECONDS] = [5, 2]

console.log('Measuring the product beside itself without each of its protections, in about six minutes')
const folder = mkdtempSync(join(tmpdir(), 'chronicle-costs-'))
const servers: Server[] = [await serveUnlimited(join(folder, 'product'))]
const load = startLoad()

try {
  for (const [name, alterations] of Object.entries(WITHOUT)) {
    const local = join(folder, `without ${servers.length}`)
    const server = await (await provision(local, unlimitedBuild(alterations))).serve()
    servers.push({ ...server, name })
  }
  for (const keys of ['edited', 'new'] as const) for (const batch of [1, 100, 500]) await report(batch, keys)
} finally {
  await load.stop()
  for (const server of servers) await server.stop()
  rmSync(folder, { recursive: true })
}

/** Prints the rates of the product as parts of its rates without each protection. */
async function report(batch: number, keys: 'edited' | 'new'): Promise<void> {
  const contest = { shape: SHAPE, batch, rounds: ROUNDS, seconds: SECONDS }
  const [whole, ...others] = await compare(
    load,
    servers.map((server) => rivalOf(server, keys)),
    contest,
  )
  const rates = whole?.rounds.map(rateOf) ?? []
  console.log(`batch ${batch}, ${keys} entries: ${spread(rates).middle.toFixed(0)} requests/s`)
  for (const { server, rounds } of others)
    console.log(`  ${spreadText(spread(ratios(rates, rounds.map(rateOf))))} of the rate without ${server}`)
}

/** A server with clients that edit entries, or add new ones with ascending keys. */
function rivalOf(server: Server, keys: 'edited' | 'new'): Rival {
  const adding = {
    clients: { http: join(import.meta.dirname, 'clients/neighbour-device.ts') },
    storesEvents: true,
  }
  return { server: keys === 'new' ? { ...server, ...adding } : server, transport: 'http' }
}
