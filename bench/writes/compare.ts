import type { Clients, Load } from '../load/load.ts'
import { processorMicros, residentMiB } from '../load/process.ts'
import type { Server, Transport } from '../servers/server.ts'

/** The most changes of a batch. */
const LARGEST = 500

/** The least number of entries of all clients together. Each client has at least twice as many as its batches. */
const ENTRIES = 5000

/** The clients that load a server at once. Spaces share them equally. */
export interface Shape {
  readonly spaces: number
  readonly connections: number
}

/** A server, and how its clients send their batches. */
export interface Rival {
  readonly server: Server
  readonly transport: Transport
}

/** One server's share of one round. */
export interface Round {
  readonly requests: number
  readonly seconds: number
  /** Processor time of the server's process, µs. */
  readonly cpuMicros: number
  /** How much the memory of the server's process grew, KiB. */
  readonly memoryKiB: number
  /** How long each acknowledgement took, ms. */
  readonly latencies: readonly number[]
}

/** The measurements of a server under one load. */
export interface Measured extends Shape {
  readonly server: string
  readonly transport: Transport
  readonly batch: number
  readonly rounds: readonly Round[]
}

/** A load that is put on servers in turn, a number of times. */
export interface Contest {
  readonly shape: Shape
  readonly batch: number
  readonly rounds: number
  readonly seconds: number
}

/** Measures each rival in every round, and lets another one begin each time. */
export async function compare(
  load: Load,
  rivals: readonly Rival[],
  { shape, batch, rounds, seconds }: Contest,
): Promise<readonly Measured[]> {
  const found = new Map(rivals.map((rival): [Rival, Round[]] => [rival, []]))
  for (let round = 0; round < rounds; round++) {
    const first = round % rivals.length
    for (const rival of [...rivals.slice(first), ...rivals.slice(0, first)])
      found.get(rival)?.push(await takeTurn(load, rival, { shape, batch, seconds }))
  }
  return [...found].map(([{ server, transport }, measured]) => {
    return { server: server.name, transport, ...shape, batch, rounds: measured }
  })
}

let turns = 0

/** Loads new spaces, in which every entry exists, and deletes them afterwards. */
async function takeTurn(
  load: Load,
  { server, transport }: Rival,
  { shape, batch, seconds }: Omit<Contest, 'rounds'>,
): Promise<Round> {
  turns += 1
  const spaces = Array.from({ length: shape.spaces }, (_, index) => `space-${turns}-${index}`)
  const entries = Math.max(2 * batch, Math.floor(ENTRIES / shape.connections))
  const admitted = Array.from({ length: shape.connections }, async (_, part) => {
    const space = spaces[part % spaces.length] ?? ''
    return { url: server.url, space, credential: await server.admit(space), part, entries }
  })
  const clients = await load.open(moduleOf(server, transport), await Promise.all(admitted))
  const size = Math.min(LARGEST, entries)
  if (!server.storesEvents) await clients.fill(Math.ceil(entries / size), size)
  const round = await measure(server, clients, { batch, seconds })
  await clients.close()
  for (const space of spaces) await server.erase?.(space)
  return round
}

function moduleOf({ name, clients }: Server, transport: Transport): string {
  const module = clients[transport]
  if (module === undefined) throw new Error(`${name} has no clients for ${transport}`)
  return module
}

/** Measures the work of clients, and what it takes of the server meanwhile. */
export async function measure(
  { pid }: Pick<Server, 'pid'>,
  clients: Clients,
  { batch, seconds }: { readonly batch: number; readonly seconds: number },
): Promise<Round> {
  const [cpu, memory] = [processorMicros(pid), residentMiB(pid)]
  const work = await clients.run(batch, seconds)
  const cpuMicros = processorMicros(pid) - cpu
  const memoryKiB = (residentMiB(pid) - memory) * 1024
  return { ...work, requests: work.latencies.length, cpuMicros, memoryKiB }
}
