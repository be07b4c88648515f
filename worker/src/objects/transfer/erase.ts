import { FORGET_AGAIN_MS } from '../../core/values/report-limits.ts'
import { knownVersions } from '../space/known-versions.ts'
import type { Space } from '../space/space.ts'
import { foundAgain } from '../store/tables.ts'

/**
 * Erases everything in a space and founds it again, empty and with a new epoch, so that every returning device starts
 * over. Only the time of the erasure is kept: sessions and tokens issued before are void.
 */
export async function eraseSpace(
  storage: DurableObjectStorage,
  space: Space,
  founding: { readonly epoch: string; readonly now: number; readonly space: string },
): Promise<void> {
  // A clock that runs back must not revive sessions that an earlier erasure has ended.
  foundAgain(storage, { ...founding, now: Math.max(founding.now, space.state.erasedAt) })
  space.state = space.store.state()
  space.store.forgetEntries()
  space.recent.forget()
  space.known = knownVersions()
  space.revoked.clear()
  space.forgetKeys()
  space.alarm.forget()
  // The object may end before it has told the registry.
  await space.alarm.postpone(founding.now + FORGET_AGAIN_MS)
}
