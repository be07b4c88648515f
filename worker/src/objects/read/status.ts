import type { Session } from '../../core/access/session.ts'
import { pendingAfter } from '../../core/feed/cursor.ts'
import { type Filter, narrow } from '../../core/values/collections.ts'
import { PUBLISHED_LIMITS } from '../../core/values/limits.ts'
import { formatVersion } from '../../core/values/version.ts'
import type { StatusQuery } from '../../schema/request/query.ts'
import { quotaOf } from '../space/quota.ts'
import type { Space } from '../space/space.ts'

/** The reply of `GET /api/status`, with its filter and the counts that its entity tag covers. */
export interface Status {
  readonly filter: Filter
  readonly counts: readonly (string | number)[]
  /** Makes the reply, which a reader that already has it does not need. */
  readonly reply: () => object
}

/** `GET /api/status`. The counts cover the whole space, so a token for some of its collections gets none of them. */
export function readStatus(space: Space, session: Session, { cursor, collections }: StatusQuery): Status {
  const whole = session.collections === null
  const openConflicts = whole ? space.store.openConflicts() : null
  const quota = whole ? quotaOf(space) : null
  const filter = narrow(collections ?? null, session.collections)
  const room = quota === null ? [] : [quota.entries.limit, quota.bytes.limit, quota.bytes.used]
  const { lastUpkeep } = space.state
  const reply = () => {
    const { epoch, floor, seq, entries, lastSync } = space.state
    return {
      status: 'ok',
      lastSync,
      pending: pendingAfter(cursor ?? null, filter, { epoch, floor, head: seq }),
      head: formatVersion(epoch, seq),
      floor: formatVersion(epoch, floor),
      epoch,
      lastUpkeep,
      entries: whole ? entries : null,
      openConflicts,
      quota,
      serverTime: Date.now(),
      limits: PUBLISHED_LIMITS,
    }
  }
  return { filter, counts: [openConflicts ?? 'part', lastUpkeep ?? 'never', ...room], reply }
}
