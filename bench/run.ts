// `npm run bench`: puts the same load on the product and on other servers, in turn, in one run. The times belong to this
// machine. Only the ratios are meaningful.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startLoad } from './load/load.ts'
import { foreignPart, usage } from './load/machine.ts'
import { recordOf } from './report/records.ts'
import { shapeTitle, writeTable } from './report/write-table.ts'
import { serveBare, serveCareful } from './servers/objects.ts'
import { serveProduct, serveUnlimited } from './servers/product.ts'
import type { Server, Shape } from './servers/server.ts'
import { compare, type Measured } from './writes/compare.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } })

const { rounds, seconds } = values.quick ? { rounds: 3, seconds: 0.25 } : { rounds: 5, seconds: 1 }
const transports = values.quick ? (['http'] as const) : (['http', 'socket'] as const)
const BATCHES = [1, 100, 500]
const SHAPES = [
  { spaces: 1, connections: 1 },
  { spaces: 1, connections: 32 },
  { spaces: 32, connections: 32 },
]

/** What comes first and does not count, because code that has just been loaded is slow. */
const WARM_UP = { spaces: 1, connections: 32 }

const folder = mkdtempSync(join(tmpdir(), 'chronicle-bench-'))
const servers: Server[] = []
const load = startLoad()
const measured: Measured[] = []

try {
  for (const serve of [serveBare, serveCareful, serveUnlimited, serveProduct])
    servers.push(await serve(join(folder, serve.name)))
  const before = usage(servers.map(({ pid }) => pid))
  for (const transport of transports) {
    await compare(load, servers, { shape: { transport, ...WARM_UP }, batch: 100, rounds: 1, seconds })
    for (const shape of SHAPES) await report({ transport, ...shape })
  }
  const foreign = foreignPart(before, usage(servers.map(({ pid }) => pid)))
  console.log(`\n${Math.round(foreign * 100)} % of the processor time went to other work on this machine`)
} finally {
  await load.stop()
  for (const server of servers) await server.stop()
  rmSync(folder, { recursive: true })
}

async function report(shape: Shape): Promise<void> {
  const found: Measured[] = []
  for (const batch of BATCHES)
    found.push(...(await compare(load, servers, { shape, batch, rounds, seconds })))
  console.log(['', shapeTitle(shape), ...writeTable(found)].join('\n'))
  measured.push(...found)
}

if (values.json) writeFileSync(values.json, `${JSON.stringify(measured.map(recordOf), null, 2)}\n`)
