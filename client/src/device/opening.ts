import { newState } from '../replica/state.ts'
import type { ReplicaState, Store } from '../store/store.ts'
import { codeOf, isDomException } from '../values/errors.ts'
import type { Platform } from '../values/platform.ts'
import type { Status } from './status.ts'

/** Reads the state of a store, or makes the first one. */
export async function initialize(store: Store, { newId, now }: Platform): Promise<ReplicaState> {
  const { state } = await store.update({}, (found) => ({ state: found.state ?? newState(newId(), now()) }))
  return state
}

/** Asks the browser to keep the store, and tells how safe it is. */
export async function storageOf({ kind }: Store, { persist }: Platform): Promise<Status['storage']> {
  if (kind === 'memory') return 'memory'
  return (await persist().catch(() => false)) ? 'persistent' : 'best-effort'
}

/** A store that is closed or cleared fails in these ways. */
export function isStoreFailure(reason: unknown): boolean {
  return codeOf(reason) === 'cleared' || (isDomException(reason) && reason.name !== 'QuotaExceededError')
}
