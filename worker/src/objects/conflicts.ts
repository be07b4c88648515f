import { type Filter, passes } from '../core/cursor.ts'
import { MAX_PAGE_ENTRIES } from '../core/limits.ts'
import type { Conflict, Version } from '../core/outcome.ts'
import { formatVersion } from '../core/version.ts'
import type { ConflictsQuery } from '../schema/query.ts'
import { openVersions } from './log.ts'
import type { Space } from './space.ts'

/** A conflict as replies show it. What the log no longer holds is shown as the deletion it must have been. */
export function reportOf(conflict: Conflict, versions: ReadonlyMap<number, Version>, epoch: string): object {
  const { id, policy, resolution } = conflict
  const winner = versions.get(conflict.winner)
  const loser = versions.get(conflict.loser)
  const key = winner?.key ?? loser?.key
  return { id, key, policy, resolution, winner: side(winner, epoch), loser: side(loser, epoch), paths: [] }
}

function side(version: Version | undefined, epoch: string): object {
  if (version === undefined) return { deleted: true }
  const { seq, deleted, value, at, by } = version
  const content = { ...(deleted && { deleted }), ...(value !== undefined && { value }) }
  return { ...content, version: formatVersion(epoch, seq), timestamp: at, by }
}

/** Conflicts after an id, oldest first, as far as the reader may see them. `next` goes on; null at the end. */
export async function listConflicts(space: Space, query: ConflictsQuery, granted: Filter): Promise<string> {
  const limit = query.limit ?? MAX_PAGE_ENTRIES
  const rows = space.store.conflictsAfter(query.after ?? 0, limit)
  const versions = await openVersions(
    space,
    rows.flatMap(({ winner, loser }) => [winner, loser]),
  )
  const visible = rows.filter(({ winner, loser }) => {
    const key = (versions.get(winner) ?? versions.get(loser))?.key
    return key !== undefined && passes(granted, key) && (query.key === undefined || query.key === key)
  })
  const conflicts = visible.map((conflict) => reportOf(conflict, versions, space.standing.epoch))
  return JSON.stringify({ conflicts, next: rows.length < limit ? null : (rows.at(-1)?.id ?? null) })
}
