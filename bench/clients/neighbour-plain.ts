import type { Client, ClientOptions } from './client.ts'
import { neighbours } from './entries.ts'
import { putting } from './plain-client.ts'

/** Adds entries whose keys are neighbours. */
export function connect(options: ClientOptions): Promise<Client> {
  return Promise.resolve(putting(options, neighbours(options.part)))
}
