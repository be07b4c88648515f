import type { Client, ClientOptions } from './client.ts'
import { deviceOf } from './device.ts'
import { pushing } from './device-client.ts'
import { neighbours } from './entries.ts'

/** A device that adds entries whose keys are neighbours. */
export function connect(options: ClientOptions): Promise<Client> {
  return Promise.resolve(pushing(options, deviceOf(neighbours(options.part))))
}
