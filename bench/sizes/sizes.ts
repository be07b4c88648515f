import { join } from 'node:path'
import type { Load } from '../load/load.ts'
import type { Server } from '../servers/server.ts'
import { measure, type Round } from '../writes/compare.ts'
import type { Fill } from './filled.ts'

/** The numbers of entries of the spaces that are compared. */
export const SIZES = [500, 1000, 100_000, 1_000_000]

/** The work whose cost may depend on the size of a space. */
export const WORK = {
  'edit 1 entry': { kind: 'filled', batch: 1 },
  'edit 100 entries': { kind: 'filled', batch: 100 },
  'read a page of 500': { kind: 'reader', batch: 500 },
  // The last one, because it makes a small space larger.
  'add 100 neighbours': { kind: 'neighbour', batch: 100 },
} as const

export type WorkName = keyof typeof WORK

/** A server whose spaces can be large. */
export interface Rival {
  readonly server: Server
  readonly fill: Fill
  /** The first part of the names of its clients. */
  readonly clients: 'device' | 'plain'
}

/** The measurements of one kind of work in spaces of one size. */
export interface Sized {
  readonly server: string
  readonly entries: number
  readonly work: WorkName
  readonly rounds: readonly Round[]
}

interface Effort {
  readonly rounds: number
  readonly seconds: number
}

/** Fills a space of each size. Returns the seconds that this took, by server and size. */
export async function fillSpaces(
  { server, fill }: Rival,
  sizes: readonly number[],
): Promise<readonly number[]> {
  const seconds: number[] = []
  for (const entries of sizes) {
    const began = performance.now()
    await fill(server, spaceOf(entries), entries)
    seconds.push((performance.now() - began) / 1000)
  }
  return seconds
}

/** Does each kind of work in spaces of all sizes, in turn. */
export async function measureSizes(
  load: Load,
  rivals: readonly Rival[],
  { sizes, effort }: { readonly sizes: readonly number[]; readonly effort: Effort },
): Promise<readonly Sized[]> {
  const found: Sized[] = []
  for (const [work, { kind, batch }] of Object.entries(WORK) as [WorkName, (typeof WORK)[WorkName]][]) {
    const cells = rivals.flatMap((rival) =>
      sizes.map((entries) => ({ rival, entries, rounds: [] as Round[] })),
    )
    for (let round = 0; round <= effort.rounds; round++)
      for (const { rival, entries, rounds } of cells) {
        const measured = await takeTurn(load, rival, { entries, kind, batch, seconds: effort.seconds })
        // The first round is thrown away: an object that was just filled or woken has to read its pages first.
        if (round > 0) rounds.push(measured)
      }
    for (const { rival, entries, rounds } of cells)
      found.push({ server: rival.server.name, entries, work, rounds })
  }
  return found
}

interface Turn {
  readonly entries: number
  readonly kind: string
  readonly batch: number
  readonly seconds: number
}

async function takeTurn(
  load: Load,
  { server, clients }: Rival,
  { entries, kind, batch, seconds }: Turn,
): Promise<Round> {
  const space = spaceOf(entries)
  const name = kind === 'reader' ? `${clients}-reader` : `${kind}-${clients}`
  const module = join(import.meta.dirname, `../clients/${name}.ts`)
  turns += 1
  const client = { url: server.url, space, credential: await server.admit(space), part: turns, entries }
  const group = await load.open(module, [client])
  const round = await measure(server, group, { batch, seconds })
  await group.close()
  return round
}

/** Numbers the clients, so that no two add the same entries. */
let turns = 0

export function spaceOf(entries: number): string {
  return `entries-${entries}`
}
