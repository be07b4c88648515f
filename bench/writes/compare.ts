import type { Clients, Load } from '../load/load.ts'
import { processorMicros } from '../load/process.ts'
import type { Server, Shape } from '../servers/server.ts'

/** The most changes of a batch. */
const LARGEST = 500

/** The number of entries of all clients together. */
const ENTRIES = 5000

/** One server's share of one round. */
export interface Round {
  readonly requests: number
  readonly seconds: number
  /** Processor time of the server's process, µs. */
  readonly cpuMicros: number
  /** How long each acknowledgement took, ms. */
  readonly latencies: readonly number[]
}

/** What was measured of a server under one load. */
export interface Measured extends Shape {
  readonly server: string
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

/** Measures each server in every round, and lets another one begin each time. */
export async function compare(
  load: Load,
  servers: readonly Server[],
  { shape, batch, rounds, seconds }: Contest,
): Promise<readonly Measured[]> {
  const rivals = servers.filter(({ clients }) => clients[shape.transport] !== undefined)
  const found = new Map(rivals.map(({ name }): [string, Round[]] => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const first = round % rivals.length
    for (const server of [...rivals.slice(first), ...rivals.slice(0, first)])
      found.get(server.name)?.push(await takeTurn(load, server, { shape, batch, seconds }))
  }
  return [...found].map(([server, turns]) => ({ ...shape, server, batch, rounds: turns }))
}

let turns = 0

/** Loads new spaces, in which every entry exists, and deletes them afterwards. */
async function takeTurn(
  load: Load,
  server: Server,
  { shape, batch, seconds }: Omit<Contest, 'rounds'>,
): Promise<Round> {
  turns += 1
  const spaces = Array.from({ length: shape.spaces }, (_, index) => `space-${turns}-${index}`)
  const entries = Math.max(batch, Math.floor(ENTRIES / shape.connections))
  const clients = await admit(load, server, { shape, spaces, entries })
  const size = Math.min(LARGEST, entries)
  if (!server.storesEvents) await clients.fill(Math.ceil(entries / size), size)
  const round = await measure(server, clients, { batch, seconds })
  await clients.close()
  for (const space of spaces) await server.erase?.(space)
  return round
}

interface Admission {
  readonly shape: Shape
  readonly spaces: readonly string[]
  readonly entries: number
}

async function admit(load: Load, server: Server, { shape, spaces, entries }: Admission): Promise<Clients> {
  const { url, clients } = server
  const module = clients[shape.transport]
  if (module === undefined) throw new Error(`${server.name} has no clients for ${shape.transport}`)
  const admitted = Array.from({ length: shape.connections }, async (_, part) => {
    const space = spaces[part % spaces.length] ?? ''
    return { url, space, credential: await server.admit(space), part, entries }
  })
  return load.open(module, await Promise.all(admitted))
}

async function measure(
  { pid }: Server,
  clients: Clients,
  { batch, seconds }: { readonly batch: number; readonly seconds: number },
): Promise<Round> {
  const before = processorMicros(pid)
  const work = await clients.run(batch, seconds)
  const cpuMicros = processorMicros(pid) - before
  return { ...work, requests: work.latencies.length, cpuMicros }
}
