import type { Conflict } from '../../core/batch/conflict.ts'
import { allows, type Filter } from '../../core/values/collections.ts'
import { MAX_PAGE_ENTRIES, MAX_PAGE_READ_BYTES, MAX_REPORT_BYTES } from '../../core/values/limits.ts'
import type { Version } from '../../core/values/version.ts'
import type { ConflictsQuery } from '../../schema/query.ts'
import { CorruptionError, type Meter, openVersions } from '../space/log.ts'
import type { Space } from '../space/space.ts'
import { tell, versionReader } from './conflict-view.ts'
import { withTexts } from './reply.ts'

/**
 * Conflicts after an id, oldest first, as far as the reader may see them. `next` goes on; null at the end. A page
 * ends at its limit, with the conflict that makes it long, or once much of the log was read for it, whatever it shows.
 */
export async function listConflicts(space: Space, query: ConflictsQuery, granted: Filter): Promise<string> {
  const limit = query.limit ?? MAX_PAGE_ENTRIES
  const rows = space.store.conflictsAfter(query.after ?? 0, { limit, open: query.open !== undefined })
  const { epoch } = space.state
  const texts: string[] = []
  const meter: Meter = { read: 0 }
  let length = 0
  for (const row of rows) {
    if (length >= MAX_REPORT_BYTES || meter.read >= MAX_PAGE_READ_BYTES) return pageOf(texts, row.id - 1)
    const versions = await openVersions(space, [row.winner, row.loser], meter)
    const key = keyOf(row, versions)
    if (key === undefined || !allows(granted, key) || (query.key ?? key) !== key) continue
    const text = JSON.stringify(await tell(row, { key, epoch, reader: versionReader(space, versions) }))
    length += text.length
    texts.push(text)
  }
  return pageOf(texts, rows.length < limit ? null : (rows.at(-1)?.id ?? null))
}

/** The key that a conflict is about; undefined where nothing is left of it. Throws where its sides are of two. */
export function keyOf(
  { id, winner, loser }: Conflict,
  versions: ReadonlyMap<number, Version>,
): string | undefined {
  const [one, other] = [versions.get(winner)?.key, versions.get(loser)?.key]
  if (one !== undefined && other !== undefined && one !== other)
    throw new CorruptionError(`conflict ${id} is about two keys`)
  return one ?? other
}

function pageOf(conflicts: readonly string[], next: number | null): string {
  return withTexts({ next }, 'conflicts', conflicts)
}
