import { join } from 'node:path'
import { type Load, startLoad } from '../load/load.ts'
import { foreignPart, usage } from '../load/machine.ts'
import { type Summary, summaryOf } from '../report/records.ts'
import { plainLines, shapeTitle, writeTable } from '../report/tables.ts'
import { serveBare, serveCareful } from '../servers/objects.ts'
import { hasPeers, serveLiveStore, servePouchDb, serveTinyBase, serveYPartyServer } from '../servers/peers.ts'
import { serveProduct, serveUnlimited } from '../servers/product.ts'
import type { Server, Transport } from '../servers/server.ts'
import { compare, type Rival, type Shape } from '../writes/compare.ts'

export interface Effort {
  readonly rounds: number
  readonly seconds: number
  readonly transports: readonly Transport[]
  readonly peers: boolean
}

export const QUICK: Effort = { rounds: 3, seconds: 0.2, transports: ['http'], peers: false }
export const FULL: Effort = { rounds: 5, seconds: 0.5, transports: ['http', 'socket'], peers: true }

export const BATCHES = [1, 100, 500]
export const SHAPES: readonly Shape[] = [
  { spaces: 1, connections: 1 },
  { spaces: 1, connections: 32 },
  { spaces: 32, connections: 32 },
]

const OWN = [serveBare, serveCareful, serveUnlimited, serveProduct]
const PEERS = [serveYPartyServer, serveTinyBase, serveLiveStore, servePouchDb]

/** Measures the writes of all servers under every shape of load, and prints tables. */
export async function measureWrites(folder: string, effort: Effort): Promise<readonly Summary[]> {
  const servers: Server[] = []
  const load = startLoad()
  try {
    for (const serve of [...OWN, ...peersOf(effort)]) servers.push(await serve(join(folder, serve.name)))
    const rivals = servers.flatMap((server) =>
      effort.transports
        .filter((transport) => server.clients[transport])
        .map((transport) => ({ server, transport })),
    )
    const before = usage(servers.map(({ pid }) => pid))
    const found = await compareShapes(load, rivals, effort)
    const foreign = foreignPart(before, usage(servers.map(({ pid }) => pid)))
    console.log(`\n${Math.round(foreign * 100)} % of the processor time went to other work on this machine`)
    return found
  } finally {
    await load.stop()
    for (const server of servers) await server.stop()
  }
}

function peersOf({ peers }: Effort): typeof PEERS {
  if (!peers) return []
  if (hasPeers()) return PEERS
  console.log('Left out, because they are not installed: y-partyserver, TinyBase, LiveStore, PouchDB.')
  console.log('`npm run bench:peers` installs them.')
  return []
}

async function compareShapes(
  load: Load,
  rivals: readonly Rival[],
  { rounds, seconds }: Effort,
): Promise<readonly Summary[]> {
  // Does not count: code that has just been loaded is slow.
  await compare(load, rivals, { shape: { spaces: 32, connections: 32 }, batch: 100, rounds: 1, seconds })
  const all: Summary[] = []
  for (const shape of SHAPES) {
    const able = rivals.filter(({ server }) => !server.oneWriter || shape.connections === shape.spaces)
    const found: Summary[] = []
    for (const batch of BATCHES) {
      const measured = await compare(load, able, { shape, batch, rounds, seconds })
      found.push(...measured.map(summaryOf))
    }
    console.log(`\n${shapeTitle(shape)}\n${plainLines(writeTable(found))}`)
    all.push(...found)
  }
  return all
}
