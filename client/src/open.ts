import { Chronicle } from './chronicle.ts'
import { hostPlatform } from './device/host.ts'
import type { ChronicleOptions } from './device/options.ts'
import { openIndexedDb } from './store/indexed-db.ts'
import { MemoryStore } from './store/memory.ts'

/**
 * Opens the data of a space on this device. Resolves when the store is open, and does not wait for the network.
 * Rejects with a `TypeError` if an option is wrong.
 */
export async function openChronicle(options: ChronicleOptions): Promise<Chronicle> {
  checkOptions(options)
  const { host, pathname } = new URL(options.url)
  const storeName = `chronicle-sync:${host}${pathname}:${options.name ?? ''}`
  return Chronicle.open({
    ...options,
    storeName,
    platform: { ...hostPlatform(), ...options.platform },
    openStore: async () => options.store ?? (await openIndexedDb(storeName).catch(() => new MemoryStore())),
  })
}

function checkOptions({ url, token, collections }: ChronicleOptions): void {
  if (!/^https?:\/\//.test(url))
    throw new TypeError(`url: ${url} is no address such as https://sync.example.com`)
  if (typeof token !== 'function')
    throw new TypeError('token: must be a function that returns the token of the user')
  const wrong = collections?.find((name) => name === '' || /[/,]/.test(name))
  if (wrong !== undefined)
    throw new TypeError(`collections: "${wrong}" must have a name without slash and comma`)
  if (collections?.length === 0)
    throw new TypeError('collections: name at least one, or leave them out for all')
}
