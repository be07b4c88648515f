import type { Edit } from './change.ts'
import type { Json } from './json.ts'
import type { ChangeResult, Verdict } from './verdict.ts'
import { formatVersion, NOTHING } from './version.ts'

/** A settled conflict: a losing version stays readable. `loser` is `NOTHING` for a deletion long forgotten. */
export interface Conflict {
  readonly id: number
  readonly policy: 'lww'
  readonly resolution: 'kept-server' | 'kept-client'
  readonly winner: number
  readonly loser: number
}

/** A version with its content: what one sequence number stands for, for ever. */
export interface Version {
  readonly seq: number
  readonly key: string
  readonly by: string
  /** Effective time, ms. */
  readonly at: number
  readonly deleted: boolean
  readonly value: Json | undefined
}

export function resultsOf(
  edits: readonly Edit[],
  verdicts: readonly Verdict[],
  epoch: string,
): readonly ChangeResult[] {
  return verdicts.map((verdict, index) => resultOf(edits[index] as Edit, verdict, epoch))
}

function resultOf(edit: Edit, verdict: Verdict, epoch: string): ChangeResult {
  if (verdict.status === 'rejected') return { key: edit.key, status: verdict.status, code: verdict.code }
  const seq = verdict.status === 'superseded' ? verdict.winner : verdict.seq
  return {
    key: edit.key,
    status: verdict.status,
    ...(seq === NOTHING ? {} : { version: formatVersion(epoch, seq) }),
    ...(edit.at === edit.timestamp ? {} : { effectiveTimestamp: edit.at }),
  }
}

/** The keys of which the client's change, or the very same content, now stands. */
export function syncedKeys(results: readonly ChangeResult[]): readonly string[] {
  const done = results.filter(({ status }) => status === 'applied' || status === 'noop')
  return [...new Set(done.map(({ key }) => key))]
}
