import type { Session } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import { allows } from '../../core/values/collections.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import { openVersions } from '../space/log.ts'
import type { Space } from '../space/space.ts'
import { entryText, matches, mismatch } from './feed.ts'

/** `GET /api/entries`: the current version of a key. A deleted entry is not found, like one that never existed. */
export async function readEntry(space: Space, session: Session, key: string): Promise<Result<string, Fault>> {
  if (!allows(session.collections, key)) return absent()
  await space.keys()
  const entry = space.store.entryStates([key]).get(key)
  if (entry === undefined || entry.deleted) return absent()
  const version = (await openVersions(space, [entry.seq])).get(entry.seq)
  if (version?.key !== key || !matches(version, entry)) throw mismatch(entry)
  return accepted(entryText(version, space.state.epoch))
}

function absent(): Result<never, Fault> {
  return refused({ code: 'not-found', detail: 'there is no entry of this key' })
}
