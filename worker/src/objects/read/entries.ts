import type { Session } from '../../core/access/session.ts'
import type { EntryState } from '../../core/batch/stance.ts'
import type { Fault } from '../../core/fault.ts'
import { allows } from '../../core/values/collections.ts'
import {
  ENTRIES_AT_ONCE,
  LISTED_ENTRIES,
  MAX_LIST_ROUNDS,
  MAX_PAGE_BYTES,
  MAX_PAGE_READ_BYTES,
} from '../../core/values/limits.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import type { EntriesQuery } from '../../schema/request/query.ts'
import { type Meter, openVersions } from '../space/log.ts'
import type { Space } from '../space/space.ts'
import { entryText, matches, mismatch } from './feed.ts'
import { withTexts } from './reply.ts'

/** `GET /api/entries` of a prefix: the entries whose keys begin with it, in the order of the bytes of their keys. */
export async function listEntries(
  space: Space,
  session: Session,
  { prefix, after = '', limit = LISTED_ENTRIES }: EntriesQuery,
): Promise<Result<string, Fault>> {
  await space.keys()
  const { store } = space
  if (!store.namesAreKeys()) return refused({ code: 'invalid-request', detail: KEYED })
  const meter: Meter = { read: 0 }
  const texts: string[] = []
  let length = 0
  let last = after
  let names: readonly string[] = [last]
  const isFull = () => texts.length >= limit || length >= MAX_PAGE_BYTES || meter.read >= MAX_PAGE_READ_BYTES
  // A token of few collections may have to pass over many entries.
  for (let rounds = MAX_LIST_ROUNDS; rounds > 0 && names.length > 0 && !isFull(); rounds--) {
    names = store.namesAfter(prefix, last, Math.min(ENTRIES_AT_ONCE, limit - texts.length))
    const allowed = names.filter((name) => allows(session.collections, name))
    for (const text of await textsOf(space, allowed, meter)) {
      texts.push(text)
      length += text.length
    }
    last = names.at(-1) ?? last
  }
  const isAtEnd = store.namesAfter(prefix, last, 1).length === 0
  return accepted(withTexts({ next: isAtEnd ? null : last }, 'entries', texts))
}

const KEYED =
  'prefix: the rows of this space hold digests of the keys (the setting keyNames), so no list by prefix exists. GET /api/changes lists all entries'

/** The current entries of some keys as JSON. An entry that was deleted in the meantime is left out. */
async function textsOf(space: Space, keys: readonly string[], meter: Meter): Promise<readonly string[]> {
  const states = liveStates(space, keys)
  const { epoch } = space.state
  const versions = await openVersions(
    space,
    Array.from(states.values(), ({ seq }) => seq),
    meter,
  )
  const later = liveStates(space, keys)
  const texts: string[] = []
  for (const [key, entry] of states) {
    const version = versions.get(entry.seq)
    if (version?.key === key && matches(version, entry)) texts.push(entryText(version, epoch))
    // The version was replaced, and not kept, while the others were opened. The feed has the new one.
    else if (later.get(key)?.seq === entry.seq) throw mismatch(entry)
  }
  return texts
}

function liveStates({ store }: Space, keys: readonly string[]): ReadonlyMap<string, EntryState> {
  return new Map([...store.entryStates(keys)].filter(([, { deleted }]) => !deleted))
}
