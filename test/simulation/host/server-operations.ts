import type { Operation } from '../history/operations.ts'
import type { World } from '../history/world.ts'
import type { NodeHost } from './node-host.ts'

const HOUR = 3_600_000

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
