import type { Space } from './space.ts'
import { migrate, rememberErasure } from './tables.ts'

/**
 * Deletes all that a space holds and founds it anew, empty and with another epoch, so that every device that
 * comes back starts over. What is left is the time of it: no session or token from before counts any more.
 */
export async function eraseSpace(
  storage: DurableObjectStorage,
  space: Space,
  { epoch, now }: { readonly epoch: string; readonly now: number },
): Promise<void> {
  const deleted = storage.deleteAll()
  migrate(storage, epoch)
  rememberErasure(storage, now)
  space.standing = space.store.standing()
  space.revoked.clear()
  space.forgetKeys()
  space.alarm.forget()
  await deleted
}
