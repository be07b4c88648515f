import { closeWorld, listen } from './history/closing.ts'
import { EVERYWHERE, operate } from './history/operations.ts'
import { World } from './history/world.ts'
import { eraseSpaceOf } from './host/erasing.ts'
import type { Floor } from './host/floor.ts'
import { Machine } from './host/machine.ts'
import { NodeHost } from './host/node-host.ts'
import { TO_THE_SERVER } from './host/server-operations.ts'
import { Random } from './values/random.ts'

const OPERATIONS = [...EVERYWHERE, ...TO_THE_SERVER]

/** Runs and checks the history of a seed. Throws the violation that it finds. */
export async function runHistory(seed: number, floor: Floor): Promise<World<NodeHost>> {
  const random = new Random(seed)
  const machine = new Machine(new Random(-seed))
  const world = new World(random, new NodeHost(floor, random, machine))
  world.host.server.clock = () => world.now
  for (let steps = random.between(100, 500); steps > 0; steps--) await operate(world, OPERATIONS)
  await listen(world)
  await world.calm()
  await closeWorld(world)
  await eraseSpaceOf(world)
  world.count('kills', world.host.server.kills)
  world.count('failedCommits', machine.failures)
  world.host.server.db.close()
  return world
}
