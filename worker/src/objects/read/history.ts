import type { Session } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import { allows } from '../../core/values/collections.ts'
import { MAX_HISTORY_VERSIONS, MAX_PAGE_BYTES, MAX_PAGE_READ_BYTES } from '../../core/values/limits.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import { formatVersion, NOTHING, parseVersion, type Version } from '../../core/values/version.ts'
import type { HistoryQuery } from '../../schema/request/query.ts'
import { type Meter, openVersions } from '../space/log.ts'
import type { Space } from '../space/space.ts'
import { entryText, matches, mismatch } from './feed.ts'
import { withTexts } from './reply.ts'

/**
 * `GET /api/history`: the versions of a key, newest first, within the retention. A merged version is followed by the
 * version that its client sent. Deletions are versions too. To restore a version, write its value onto the current one.
 */
export async function readHistory(
  space: Space,
  session: Session,
  { key, before, limit = MAX_HISTORY_VERSIONS }: HistoryQuery,
): Promise<Result<string, Fault>> {
  await space.keys()
  const meter: Meter = { read: 0 }
  const { epoch } = space.state
  const entry = allows(session.collections, key) ? space.store.entryStates([key]).get(key) : undefined
  if (entry === undefined) return refused({ code: 'not-found', detail: 'there is no entry of this key' })
  const versionOf = reader(space, key, meter)
  let version = await versionOf(entry.seq)
  if (version === null || !matches(version, entry)) throw mismatch(entry)
  if (before !== undefined)
    version = await versionOf((await versionOf(parseVersion(before, epoch)))?.previous)
  const texts: string[] = []
  let length = 0
  const isFull = () => length >= MAX_PAGE_BYTES || meter.read >= MAX_PAGE_READ_BYTES
  while (version !== null && texts.length < limit && !(texts.length > 0 && isFull())) {
    const text = entryText(version, epoch)
    texts.push(text)
    length += text.length
    before = formatVersion(epoch, version.seq)
    version = await versionOf(version.previous)
  }
  return accepted(withTexts({ key, next: version === null ? null : before }, 'versions', texts))
}

/** Reads versions of the key only: a version number from a client could belong to any other key. */
function reader(space: Space, key: string, meter: Meter): (seq?: number) => Promise<Version | null> {
  return async (seq = NOTHING) => {
    if (seq <= NOTHING) return null
    const version = (await openVersions(space, [seq], meter)).get(seq)
    return version?.key === key ? version : null
  }
}
