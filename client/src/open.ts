import { checkOptions } from './check-options.ts'
import { Chronicle } from './chronicle.ts'
import { hostPlatform } from './device/host.ts'
import type { ChronicleOptions } from './device/options.ts'
import { openIndexedDb } from './store/indexed-db.ts'
import { MemoryStore } from './store/memory.ts'
import type { Store } from './store/store.ts'
import { ChronicleError, isDomException, messageOf } from './values/errors.ts'

/**
 * Opens the data of a space on this device. Resolves when the store is open, and does not wait for the network.
 * Rejects with a `TypeError` if an option is wrong.
 */
export async function openChronicle(options: ChronicleOptions): Promise<Chronicle> {
  checkOptions(options)
  const storeName = `chronicle-sync:${new URL(options.url).host}:${options.name ?? ''}`
  return Chronicle.open({
    ...options,
    storeName,
    platform: hostPlatform(options.platform),
    openStore: storeOpener(storeName, options.store),
  })
}

/**
 * Memory takes the place of IndexedDB only where the browser has none, and then for as long as the page lives. A store
 * that fails otherwise may hold edits that must not be hidden.
 */
function storeOpener(name: string, given: Store | undefined): () => Promise<Store> {
  let store = given
  let isFirst = true
  return async () => {
    if (store) return store
    try {
      return await openIndexedDb(name)
    } catch (thrown) {
      if (!isFirst || !isAbsence(thrown))
        throw new ChronicleError('storage', messageOf(thrown), { cause: thrown })
      store = new MemoryStore()
      return store
    } finally {
      isFirst = false
    }
  }
}

/** Firefox and old Safari refuse IndexedDB in private windows in these ways. */
function isAbsence(thrown: unknown): boolean {
  const names = ['SecurityError', 'InvalidStateError']
  return !isDomException(thrown) || names.includes(thrown.name)
}
