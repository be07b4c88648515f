import type { Session } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import { allows } from '../../core/values/collections.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import { CorruptionError, openVersions } from '../space/log.ts'
import type { Space } from '../space/space.ts'
import { agrees, entryOf } from './feed.ts'

/** `GET /api/entries`: where one key stands. A deleted entry is not found, like one that never was. */
export async function readEntry(space: Space, session: Session, key: string): Promise<Result<string, Fault>> {
  if (!allows(session.collections, key)) return absent()
  await space.keys()
  const head = space.store.entryStates([key]).get(key)
  if (head === undefined || head.deleted) return absent()
  const version = (await openVersions(space, [head.seq])).get(head.seq)
  if (version === undefined || version.key !== key || !agrees(version, head)) {
    throw new CorruptionError(`version ${head.seq} is not what its head promised`)
  }
  return accepted(JSON.stringify(entryOf(version, space.state.epoch)))
}

function absent(): Result<never, Fault> {
  return refused({ code: 'not-found', detail: 'there is no entry of this key' })
}
