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
  const value = verdict.status === 'merged' ? values.get(seq) : undefined
  const at = ('at' in verdict ? verdict.at : undefined) ?? edit.at
  const conflict = conflictId(verdict)
  return {
    key: edit.key,
    status: verdict.status,
    ...(seq === NOTHING ? {} : { version: formatVersion(epoch, seq) }),
    ...(value !== undefined && { value }),
    ...(at === edit.timestamp && edit.isTimed ? {} : { effectiveTimestamp: at }),
    ...(conflicts.has(conflict) && { conflict }),
  }
}

/**
 * A rejection that was recorded under another grant than today's has no path. In a key with a lone surrogate U+FFFD
 * replaces it, because strict parsers would refuse the whole reply.
 */
function rejectionOf({ key: sent, rejection, path }: Edit, code: Rejection): ChangeResult {
  const isPlaced = path !== undefined && rejection === code
  const key = sent.toWellFormed()
  return { key, status: 'rejected', code, ...(isPlaced && { path }) }
}

const SYNCED: readonly string[] = ['applied', 'merged', 'noop'] satisfies readonly ChangeResult['status'][]

/** The keys whose current state includes the client's change: applied, merged, or identical content. */
export function syncedKeys(results: readonly ChangeResult[]): readonly string[] {
  const done = results.filter(({ status }) => SYNCED.includes(status))
  return [...new Set(done.map(({ key }) => key))]
}
