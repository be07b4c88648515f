import type { Floor } from '../host/floor.ts'
import { Machine } from '../host/machine.ts'
import { NodeHost } from '../host/node-host.ts'
import { Random } from '../values/random.ts'
import type { Client } from './client.ts'
import { operateDevices } from './operations.ts'
import { calm, checkDevices } from './quiet.ts'
import { DeviceWorld } from './world.ts'

/** Runs and checks the history of a seed with devices that run the product's client. Throws what it finds. */
export async function runDeviceHistory(
  seed: number,
  { floor, client }: { readonly floor: Floor; readonly client: Client },
): Promise<DeviceWorld> {
  const random = new Random(seed)
  const machine = new Machine(new Random(-seed))
  const world = new DeviceWorld(random, new NodeHost(floor, random, machine), client)
  for (let steps = random.between(100, 500); steps > 0; steps--) await operateDevices(world)
  machine.isSound = true
  await calm(world)
  await checkDevices(world)
  world.count('kills', world.host.server.kills)
  world.count('edits', world.ledger.edits)
  for (const { locks } of world.browsers) world.count('steals', locks.steals)
  world.host.server.db.close()
  return world
}
