import { passes } from '../core/cursor.ts'
import { MAX_HISTORY_VERSIONS, MAX_PAGE_BYTES } from '../core/limits.ts'
import type { Version } from '../core/outcome.ts'
import { accepted, type Result, refused } from '../core/result.ts'
import type { Session } from '../core/session.ts'
import { formatVersion, NOTHING, parseVersion } from '../core/version.ts'
import type { HistoryQuery } from '../schema/query.ts'
import { agrees, entryOf } from './feed.ts'
import { CorruptionError, openVersions } from './log.ts'
import { withTexts } from './reply.ts'
import type { Space } from './space.ts'

/**
 * `GET /api/history`: the versions of a key, newest first, as far back as the retention reaches; before a merged one
 * comes what was sent. Deletions are versions too. To bring one back, write its value on the version that stands.
 */
export async function readHistory(
  space: Space,
  session: Session,
  { key, before, limit = MAX_HISTORY_VERSIONS }: HistoryQuery,
): Promise<Result<string>> {
  await space.keys()
  const { epoch } = space.standing
  const head = passes(session.collections, key) ? space.store.heads([key]).get(key) : undefined
  if (head === undefined)
    return refused({ code: 'not-found', detail: `there is no entry ${JSON.stringify(key)}` })
  let version = await versionOf(space, key, head.seq)
  if (version === null || !agrees(version, head))
    throw new CorruptionError(`version ${head.seq} is not what its head promised`)
  if (before !== undefined)
    version = await predecessor(space, await versionOf(space, key, parseVersion(before, epoch)))
  const texts: string[] = []
  let length = 0
  while (version !== null && texts.length < limit && length < MAX_PAGE_BYTES) {
    const text = JSON.stringify(entryOf(version, epoch))
    texts.push(text)
    length += text.length
    before = formatVersion(epoch, version.seq)
    version = await predecessor(space, version)
  }
  return accepted(withTexts({ key, next: version === null ? null : before }, 'versions', texts))
}

function predecessor(space: Space, version: Version | null): Promise<Version | null> {
  return version === null ? Promise.resolve(null) : versionOf(space, version.key, version.previous)
}

/** A version, if it is one of the key's: a number that a client names could be any other key's. */
async function versionOf(space: Space, key: string, seq: number): Promise<Version | null> {
  if (seq <= NOTHING) return null
  const version = (await openVersions(space, [seq])).get(seq)
  return version?.key === key ? version : null
}
