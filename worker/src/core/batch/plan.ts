import type { Version } from '../values/version.ts'
import type { Edit } from './change.ts'
import type { Conflict } from './conflict.ts'
import { decide, resolveBase } from './decide.ts'
import { newPlanBuilder, type PlanBuilder, type Stored } from './plan-builder.ts'
import type { EntryState } from './stance.ts'
import type { Verdict } from './verdict.ts'
import type { View } from './view.ts'

/** All effects of a batch, as data. Carried out only if `missing` is empty. */
export interface Plan {
  readonly seq: number
  readonly verdicts: readonly Verdict[]
  readonly stored: readonly Stored[]
  /**
   * Null if the log takes the changes as they were sent. If the space wrote a value of its own, the lines of all that
   * is stored, in order; `stored` then holds indexes into these lines.
   */
  readonly lines: readonly string[] | null
  readonly states: ReadonlyMap<string, EntryState>
  /** The versions that are current no longer. Losers never were. */
  readonly replaced: readonly number[]
  readonly conflicts: readonly Conflict[]
  /** The change in the number of live entries. */
  readonly entries: number
  /** The change in the number of versions that are no longer current. */
  readonly superseded: number
  /** The versions to open before the batch can be decided. */
  readonly missing: readonly number[]
  /** The content of the stored versions. */
  readonly versions: ReadonlyMap<number, Version>
}

/** Decides a batch: its changes in order, each by the policy of its collection. Pure: writes nothing. */
export function planBatch(edits: readonly Edit[], client: string, view: View): Plan {
  const builder = newPlanBuilder(client, view)
  for (let index = 0; index < edits.length; index++) {
    const edit = edits[index] as Edit
    const written = builder.states.get(edit.key)
    const current = written ?? view.entry(edit.key)
    const inBatch = written !== undefined
    const base = resolveBase(builder, { edit, index, client, current, inBatch })
    builder.verdicts.push(decide(builder, { edit, index, client, current, inBatch, base }))
  }
  return toPlan(builder)
}

function toPlan(builder: PlanBuilder): Plan {
  if (builder.stored.every(({ made }) => !made)) return { ...builder, lines: null }
  const lines = builder.stored.map(({ line }) => line)
  return { ...builder, lines, stored: builder.stored.map((stored, index) => ({ ...stored, index })) }
}

/** The growth of a space by one write. */
export interface Growth {
  /** The change in the number of live entries. */
  readonly entries: number
  /** Whether the write stores content. A deletion without a value stores none, because deleting must stay possible. */
  readonly content: boolean
  /** Whether the write stores more than it removes, such as a deletion that loses or a growing client record. */
  readonly traces: boolean
}

export function growthOf({
  entries,
  stored,
  versions,
}: Pick<Plan, 'entries' | 'stored' | 'versions'>): Growth {
  const content = stored.some(({ seq }) => {
    const version = versions.get(seq)
    return version !== undefined && (!version.deleted || version.value !== undefined)
  })
  return { entries, content, traces: stored.length > Math.max(0, -entries) }
}
