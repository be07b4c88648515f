import type { Json } from '../values/json.ts'
import { formatVersion, NOTHING } from '../values/version.ts'
import type { Edit } from './change.ts'
import { type ChangeResult, conflictId, type Rejection, type Verdict } from './verdict.ts'

/** The context that turns verdicts into results of a reply. */
export interface ResultContext {
  readonly epoch: string
  /** The values of merged versions. A result whose value is absent here leaves it out. */
  readonly values: ReadonlyMap<number, Json | undefined>
  /** The ids of the conflicts that the reply shows. */
  readonly conflicts: ReadonlySet<number>
}

export function resultsOf(
  edits: readonly Edit[],
  verdicts: readonly Verdict[],
  telling: ResultContext,
): readonly ChangeResult[] {
  return verdicts.map((verdict, index) => resultOf(edits[index] as Edit, verdict, telling))
}

function resultOf(edit: Edit, verdict: Verdict, { epoch, values, conflicts }: ResultContext): ChangeResult {
  if (verdict.status === 'rejected') return rejectionOf(edit, verdict.code)
  const seq = 'winner' in verdict ? verdict.winner : verdict.seq
  const at = ('at' in verdict ? verdict.at : undefined) ?? edit.at
  const result: Result = { key: edit.key, status: verdict.status }
  // Most results have these three members only, in this order, so that the engine knows them as one kind of object.
  if (seq !== NOTHING) result.version = formatVersion(epoch, seq)
  const value = verdict.status === 'merged' ? values.get(seq) : undefined
  if (value !== undefined) result.value = value
  if (at !== edit.timestamp || !edit.isTimed) result.effectiveTimestamp = at
  const conflict = conflictId(verdict)
  if (conflicts.has(conflict)) result.conflict = conflict
  return result
}

type Result = { -readonly [M in keyof ChangeResult]: ChangeResult[M] }

/**
 * A rejection that was recorded under another grant than today's has no path. In a key with a lone surrogate U+FFFD
 * replaces it, because strict parsers would refuse the whole reply.
 */
function rejectionOf({ key: sent, rejection, path }: Edit, code: Rejection): ChangeResult {
  const isPlaced = path !== undefined && rejection === code
  const key = sent.toWellFormed()
  return { key, status: 'rejected', code, ...(isPlaced && { path }) }
}

/** The keys whose current state includes the client's change: applied, merged, or identical content. */
export function syncedKeys(results: readonly ChangeResult[]): readonly string[] {
  const keys = new Set<string>()
  for (const { key, status } of results) if (isSynced(status)) keys.add(key)
  return [...keys]
}

function isSynced(status: ChangeResult['status']): boolean {
  return status === 'applied' || status === 'merged' || status === 'noop'
}
