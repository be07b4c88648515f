import type { Client, ClientOptions } from './client.ts'
import { EDITED, entriesNamed, filledKey } from './entries.ts'
import { putting } from './plain-client.ts'

/** Edits entries of a filled space at random. */
export function connect(options: ClientOptions): Promise<Client> {
  const step = Math.max(1, Math.floor(options.entries / EDITED))
  const count = Math.floor(options.entries / step)
  const keys = Array.from({ length: count }, (_, index) => filledKey(index * step))
  return Promise.resolve(putting(options, entriesNamed(keys)))
}
