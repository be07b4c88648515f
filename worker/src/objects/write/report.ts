import type { Session } from '../../core/access/session.ts'
import type { Edit } from '../../core/batch/change.ts'
import { resultsOf } from '../../core/batch/results.ts'
import { type ChangeResult, conflictId } from '../../core/batch/verdict.ts'
import { allows } from '../../core/values/collections.ts'
import type { Json } from '../../core/values/json.ts'
import { blindReader, tell, versionReader } from '../read/conflict-view.ts'
import type { Space } from '../space/space.ts'
import type { BatchOutcome } from './accept.ts'

/** What a client is told of its batch. */
export interface BatchReport {
  readonly results: readonly ChangeResult[]
  readonly conflicts: readonly object[]
}

/**
 * What became of a batch, as far as the session may see it: without `sync:read` no value that another client had a
 * hand in. Values stop where the reply would grow too long; `GET /api/conflicts` has them page by page.
 */
export async function report(space: Space, session: Session, outcome: BatchOutcome): Promise<BatchReport> {
  const { edits, verdicts } = outcome
  const { epoch } = space.state
  const reader = session.scopes.includes('sync:read') ? versionReader(space, outcome.versions) : blindReader
  const values = new Map<number, Json | undefined>()
  const keys = new Map<number, string>()
  for (const [index, verdict] of verdicts.entries()) {
    const { key } = edits[index] as Edit
    if (!allows(session.collections, key)) continue
    keys.set(conflictId(verdict), key)
    if (verdict.status === 'merged') values.set(verdict.seq, (await reader.read(verdict.seq, key))?.value)
  }
  const conflicts: object[] = []
  for (const conflict of outcome.conflicts) {
    const key = keys.get(conflict.id)
    if (key !== undefined) conflicts.push(await tell(conflict, { key, epoch, reader }))
  }
  const told = new Set(outcome.conflicts.filter(({ id }) => keys.has(id)).map(({ id }) => id))
  return { results: resultsOf(edits, verdicts, { epoch, values, conflicts: told }), conflicts }
}
