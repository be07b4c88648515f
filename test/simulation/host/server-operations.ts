import { makeEdits } from '../clients/edits.ts'
import type { Operation } from '../history/operations.ts'
import type { World } from '../history/world.ts'
import type { NodeHost } from './node-host.ts'

const HOUR = 3_600_000

/** Events of the server, at times that the history picks. */
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

  /** A client that has a copy and no socket opens one. */
  {
    weight: 25,
    run(world) {
      const { random, seats, host } = world
      const seat = random.pick(seats)
      if (!seat.client.habits.pulls || seat.client.cursor === null || host.sockets.has(seat)) return
      host.follow(seat, world)
    },
  },

  /** All idle clients send at once, and everything arrives before the server continues. */
  {
    weight: 2.5,
    async run(world) {
      const { seats, uplink, now, random } = world
      for (const seat of seats) {
        makeEdits(seat, now, random)
        if (seat.open === null) world.send(seat)
      }
      for (let letters = uplink.length; letters > 0 && uplink.length > 0; letters--)
        await world.deliver(world.nextLetter())
    },
  },

  /** Everything is delivered, and all followers are up to date. */
  {
    weight: 3,
    async run(world) {
      // The clients of a full space wait.
      if (!world.host.isScarce) await world.obey()
    },
  },

  /** A connection breaks. */
  {
    weight: 0.5,
    run(world) {
      const { followers } = world.host.sockets
      if (followers.length > 0) world.cut(world.random.pick(followers))
    },
  },

  /** The object hibernates, and wakes with its sockets. */
  {
    weight: 4,
    async run(world) {
      if (world.random.chance(0.5)) await world.drain()
      if (world.host.server.hibernate()) world.count('naps')
    },
  },

  /** The process dies at any moment, and another one starts. */
  {
    weight: 2,
    run({ random, slowness, host }) {
      // Slow sockets need processes that live longer.
      if (!random.chance(slowness)) host.server.restart()
    },
  },

  /** The operator rotates the master key. */
  {
    weight: 0.4,
    run({ host }) {
      host.server.rotate()
    },
  },

  /** The alarm of the object fires, maybe a day late, and sometimes far too early. */
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

/**
 * Advances the time. Requests never take minutes, and upkeep keeps the time at which it began, so both finish first.
 */
async function pass(world: World<NodeHost>, until: number): Promise<void> {
  if (until - world.now > 60_000 || world.host.server.isAtUpkeep) await world.drain()
  world.now = until
}
