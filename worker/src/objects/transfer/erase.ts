import type { Space } from '../space/space.ts'
import { foundAgain } from '../store/tables.ts'

/**
 * Erases everything that a space holds and founds it again, empty and with another epoch, so that every device that
 * comes back starts over. Only the time of the erasure is kept: no session or token from before it counts any more.
 */
export async function eraseSpace(
  storage: DurableObjectStorage,
  space: Space,
  founding: { readonly epoch: string; readonly now: number },
): Promise<void> {
  // A clock that goes back must not bring back what an earlier erasure has ended.
  foundAgain(storage, { ...founding, now: Math.max(founding.now, space.state.erasedAt) })
  space.state = space.store.state()
  space.revoked.clear()
  space.forgetKeys()
  space.alarm.forget()
  await storage.deleteAlarm()
}
