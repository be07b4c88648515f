import type { Edit } from '../core/change.ts'
import { passes } from '../core/cursor.ts'
import type { Json } from '../core/json.ts'
import { MAX_PAGE_READ_BYTES, MAX_REPORT_BYTES } from '../core/limits.ts'
import { type Conflict, resultsOf, type Version } from '../core/outcome.ts'
import type { Session } from '../core/session.ts'
import { type ChangeResult, conflictId } from '../core/verdict.ts'
import { formatVersion, NOTHING } from '../core/version.ts'
import type { Outcome } from './accept.ts'
import { CorruptionError, type Meter, openVersions } from './log.ts'
import type { Space } from './space.ts'

/** What a client is told of its batch. */
export interface Report {
  readonly results: readonly ChangeResult[]
  readonly conflicts: readonly object[]
}

/**
 * What became of a batch, as far as the session may see it: without `sync:read` no value that another client had a
 * hand in. Values stop where the reply would grow too long; `GET /api/conflicts` has them page by page.
 */
export async function report(space: Space, session: Session, outcome: Outcome): Promise<Report> {
  const { edits, verdicts } = outcome
  const { epoch } = space.standing
  const reader = session.scopes.includes('sync:read') ? versionReader(space, outcome.versions) : blindReader
  const values = new Map<number, Json | undefined>()
  const keys = new Map<number, string>()
  for (const [index, verdict] of verdicts.entries()) {
    const { key } = edits[index] as Edit
    if (!passes(session.collections, key)) continue
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

/** Gives versions until their values add up to what a reply holds. */
export interface VersionReader {
  /** Null for what is gone, is not to be shown, or no longer fits. Throws where it is not of this key. */
  read(seq: number, key: string): Promise<Version | null>
  isFull(): boolean
}

const blindReader: VersionReader = { read: async () => null, isFull: () => true }

/** Opens what is not at hand, until it has read much of the log. */
export function versionReader(space: Space, known: Outcome['versions'] = new Map()): VersionReader {
  const meter: Meter = { read: 0 }
  let length = 0
  const isFull = () => length >= MAX_REPORT_BYTES || meter.read >= MAX_PAGE_READ_BYTES
  return {
    isFull,
    async read(seq, key) {
      if (seq === NOTHING || isFull()) return null
      const version = known.get(seq) ?? (await openVersions(space, [seq], meter)).get(seq) ?? null
      if (version !== null && version.key !== key)
        throw new CorruptionError(`version ${seq} is of another key`)
      length += JSON.stringify([version?.value ?? null, version?.paths]).length
      return version
    },
  }
}

/** A conflict as every reply shows it. */
export async function tell(
  conflict: Conflict,
  { key, epoch, reader }: { readonly key: string; readonly epoch: string; readonly reader: VersionReader },
): Promise<object> {
  const { id, policy, resolution, resolvedBy } = conflict
  const winner = await reader.read(conflict.winner, key)
  const loser = await reader.read(conflict.loser, key)
  const resolved = resolvedBy === NOTHING ? {} : { resolvedBy: formatVersion(epoch, resolvedBy) }
  return {
    id,
    key,
    policy,
    resolution,
    winner: side(conflict.winner, winner, epoch),
    loser: side(conflict.loser, loser, epoch),
    paths: policy === 'merge' ? ((resolution === 'merged' ? winner : loser)?.paths ?? []) : [],
    ...resolved,
  }
}

/** A version that nobody knows any more was a deletion; one that is not shown has its name only. */
function side(seq: number, version: Version | null, epoch: string): object {
  if (seq === NOTHING) return { deleted: true }
  if (version === null) return { version: formatVersion(epoch, seq), omitted: true }
  const { deleted, value, at, by } = version
  const content = { ...(deleted && { deleted }), ...(value !== undefined && { value }) }
  return { ...content, version: formatVersion(epoch, seq), timestamp: at, by }
}
