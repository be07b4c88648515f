import { makeEdits } from '../clients/edits.ts'
import type { Host } from './host.ts'
import type { World } from './world.ts'

const HOUR = 3_600_000

/** Something that happens, and how often it does beside the others. Where there is nothing to do it does nothing. */
export interface Operation<H extends Host> {
  readonly weight: number
  run(world: World<H>): Promise<void> | void
}

/** What happens to clients and to the network between. */
export const EVERYWHERE: readonly Operation<Host>[] = [
  /** A user changes a few things. */
  {
    weight: 22,
    run({ random, seats, now }) {
      makeEdits(random.pick(seats), now, random)
    },
  },

  /** A client that waits for nothing sends what it has, or the last request again. */
  {
    weight: 24,
    run(world) {
      const seat = world.random.pick(world.seats)
      if (seat.open === null) world.send(seat)
    },
  },

  /** Letters arrive, maybe not for the last time, or are lost. */
  {
    weight: 16,
    async run(world) {
      const { random, uplink } = world
      for (let letters = random.between(1, 3); letters > 0 && uplink.length > 0; letters--)
        if (!world.isStuck(uplink)) await deliver(world)
    },
  },

  /** The server goes on with what it is at. */
  {
    weight: 30,
    async run(world) {
      for (let turns = world.random.between(1, 10); turns > 0; turns--) await world.proceed()
    },
  },

  /** An answer or a frame arrives, or is lost. */
  {
    weight: 22,
    run(world) {
      if (world.downlink.length === 0 || world.isStuck(world.downlink)) return
      const arrival = world.nextArrival()
      if (world.random.chance('frame' in arrival || arrival.live ? 0.01 : 0.1)) return world.lose(arrival)
      world.receive(arrival)
    },
  },

  /** A client waits no longer: it will send the same again. */
  {
    weight: 8,
    run(world) {
      world.giveUp(world.random.pick(world.seats))
    },
  },

  /** Somebody sets a clock. */
  {
    weight: 1,
    run({ random, seats }) {
      random.pick(seats).ahead = random.between(-30 * HOUR, 30 * HOUR)
    },
  },

  /** A user decides an open conflict, on what its device shows. */
  {
    weight: 6,
    async run(world) {
      const { random, seats, open } = world
      if (open.size === 0) return
      const seat = random.pick(seats.filter(({ client }) => client.habits.pulls).concat(random.pick(seats)))
      const [id, key] = random.pick([...open])
      const base = seat.client.copy.get(key)?.version ?? null
      await world.resolve(seat, { id, choice: random.pick(['winner', 'loser']), base })
    },
  },
]

async function deliver(world: World<Host>): Promise<void> {
  const { random, uplink, host } = world
  const letter = world.nextLetter()
  if (random.chance(letter.live ? 0.01 : 0.08)) return world.lose(letter)
  if (!letter.live && random.chance(0.1)) {
    world.count('duplicates')
    uplink.push(letter)
  }
  host.threaten()
  await world.deliver(letter)
}

/** Lets one of several things happen. */
export async function operate<H extends Host>(
  world: World<H>,
  operations: readonly Operation<H>[],
): Promise<void> {
  const total = operations.reduce((sum, { weight }) => sum + weight, 0)
  let left = world.random.next() * total
  for (const { weight, run } of operations) {
    left -= weight
    if (left < 0) return run(world)
  }
}
