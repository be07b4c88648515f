import { makeEdits } from './edits.ts'
import type { World } from './history.ts'
import type { Host } from './host.ts'
import type { NodeHost } from './node-host.ts'

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

/** What happens to the server, where nobody but the history says when. */
export const TO_THE_SERVER: readonly Operation<NodeHost>[] = [
  /** Some seconds pass, or some hours. */
  {
    weight: 12,
    async run(world) {
      const { random } = world
      const isLong = random.chance(0.1) && !random.chance(world.slowness)
      await pass(world, world.now + random.between(1, isLong ? 20 * HOUR : 3_000))
    },
  },

  /** The operator changes the policies. */
  {
    weight: 0.3,
    run({ host }) {
      host.configure()
    },
  },

  /** A client that has a copy and waits for nothing on a socket goes on by following. */
  {
    weight: 25,
    run(world) {
      const { random, seats, host } = world
      const seat = random.pick(seats)
      if (!seat.client.habits.pulls || seat.client.cursor === null || host.sockets.has(seat)) return
      host.follow(seat, world)
    },
  },

  /** For once all is quiet, and who follows has heard of everything. */
  {
    weight: 3,
    run: (world) => world.obey(),
  },

  /** A connection breaks. */
  {
    weight: 0.5,
    run(world) {
      const { followers } = world.host.sockets
      if (followers.length > 0) world.cut(world.random.pick(followers))
    },
  },

  /** The object sleeps, and wakes with its sockets. */
  {
    weight: 4,
    async run(world) {
      if (world.random.chance(0.5)) await world.drain()
      if (world.host.server.hibernate()) world.count('naps')
    },
  },

  /** The process ends, whatever it is at, and another one starts. */
  {
    weight: 2,
    run({ random, slowness, host }) {
      // Where sockets are slow, they live longer.
      if (!random.chance(slowness)) host.server.restart()
    },
  },

  /** A new generation of the master key. */
  {
    weight: 0.4,
    run({ host }) {
      host.server.rotate()
    },
  },

  /** The object's alarm rings, maybe a day later, and once in a while far too early. */
  {
    weight: 12,
    async run(world) {
      const { host, random } = world
      const { alarm, isAtUpkeep } = host.server
      if (isAtUpkeep || (alarm === null && !random.chance(0.1))) return
      await pass(world, Math.max(world.now, alarm ?? 0))
      world.count('passes')
      await world.start(() => host.wake(world.now))
    },
  },
]

/** Time goes on. No request takes minutes, and upkeep takes as its time when it began: both come to their end before. */
async function pass(world: World<NodeHost>, until: number): Promise<void> {
  if (until - world.now > 60_000 || world.host.server.isAtUpkeep) await world.drain()
  world.now = until
}

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
