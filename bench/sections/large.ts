import { join } from 'node:path'
import { startLoad } from '../load/load.ts'
import { plainLines, type Started, sizeTable, startTable } from '../report/tables.ts'
import { serveBare } from '../servers/objects.ts'
import { type Provisioned, provision } from '../servers/product.ts'
import { fillBare, fillProduct } from '../sizes/filled.ts'
import { fillSpaces, measureSizes, SIZES, type Sized } from '../sizes/sizes.ts'
import { type Restartable, startCold } from '../sizes/wake.ts'

const SIZE_EFFORT = { rounds: 5, seconds: 0.5 }
const STARTS = 5

export interface Large {
  readonly sizes: readonly Sized[]
  readonly starts: readonly Started[]
}

/** Measures spaces of several sizes, and the first requests after a start, and prints tables. */
export async function measureLarge(folder: string): Promise<Large> {
  const product = await provision(join(folder, 'large'))
  const bareFolder = join(folder, 'large-bare')
  const sizes = await measureFilled(product, bareFolder)
  console.log(`\nsizes of spaces\n${plainLines(sizeTable(sizes))}`)
  const starts = await measureStarts([
    {
      name: 'bare',
      serve: () => serveBare(bareFolder),
      paths: { script: '/', object: (space) => `/${space}?after=n/9` },
    },
    {
      name: 'product-no-rate-limit',
      serve: product.serve,
      paths: { script: '/api/health', object: () => '/api/status' },
    },
  ])
  console.log(`\nfirst requests after a start\n${plainLines(startTable(starts))}`)
  return { sizes, starts }
}

async function measureFilled(product: Provisioned, bareFolder: string): Promise<readonly Sized[]> {
  const rivals = [
    { server: await product.serve(), fill: fillProduct, clients: 'device' },
    { server: await serveBare(bareFolder), fill: fillBare, clients: 'plain' },
  ] as const
  const load = startLoad()
  try {
    for (const rival of rivals) {
      const seconds = await fillSpaces(rival, SIZES)
      console.log(`${rival.server.name} was filled in ${seconds.map((each) => each.toFixed(1)).join(', ')} s`)
    }
    return await measureSizes(load, rivals, { sizes: SIZES, effort: SIZE_EFFORT })
  } finally {
    await load.stop()
    for (const { server } of rivals) await server.stop()
  }
}

/** Starts each server in every round. The first round is thrown away. */
async function measureStarts(servers: readonly Restartable[]): Promise<readonly Started[]> {
  const found = servers.map((server) => ({ server, rounds: [] as Started['rounds'][number][] }))
  for (let round = 0; round <= STARTS; round++)
    for (const { server, rounds } of found) {
      const started = await startCold(server, [0, ...SIZES])
      if (round > 0) rounds.push(started)
    }
  return found.map(({ server, rounds }) => ({ server: server.name, rounds }))
}
