import type { Version } from '../values/version.ts'
import type { Edit } from './change.ts'
import type { Conflict } from './conflict.ts'
import { decide, resolveBase } from './decide.ts'
import { newPlanBuilder, type PlanBuilder, type Stored } from './plan-builder.ts'
import type { EntryState } from './stance.ts'
import type { Verdict } from './verdict.ts'
import type { View } from './view.ts'

/** Everything a batch does, as data. Only to be carried out when nothing is `missing`. */
export interface Plan {
  readonly seq: number
  readonly verdicts: readonly Verdict[]
  readonly stored: readonly Stored[]
  /**
   * Null where the log takes the changes as they came. Where the space itself made a value, the lines of all that
   * is stored, in order; `stored` then counts places among them.
   */
  readonly lines: readonly string[] | null
  readonly states: ReadonlyMap<string, EntryState>
  readonly conflicts: readonly Conflict[]
  /** By how many the live entries grow or shrink. */
  readonly entries: number
  /** How many versions more the log holds at which no key stands. */
  readonly superseded: number
  /** The versions that must be opened before the batch can be decided. */
  readonly missing: readonly number[]
  /** The content of what the batch stores. */
  readonly versions: ReadonlyMap<number, Version>
}

/** Decides a batch, change by change in its order, each by its collection's policy. Pure: nothing is written. */
export function planBatch(edits: readonly Edit[], client: string, view: View): Plan {
  const builder = newPlanBuilder(client, view)
  for (const [index, edit] of edits.entries()) {
    const written = builder.states.get(edit.key)
    const current = written ?? view.entry(edit.key)
    const met = { edit, index, client, current, inBatch: written !== undefined }
    builder.verdicts.push(decide(builder, { ...met, base: resolveBase(builder, met) }))
  }
  return toPlan(builder)
}

function toPlan(builder: PlanBuilder): Plan {
  const plan = { ...builder, superseded: supersededBy(builder) }
  if (builder.stored.every(({ made }) => !made)) return { ...plan, lines: null }
  const lines = builder.stored.map(({ line }) => line)
  return { ...plan, lines, stored: builder.stored.map((stored, index) => ({ ...stored, index })) }
}

/** Each version that is stored replaces one or loses, unless it is the first that its key stands at. */
function supersededBy({ stored, states, view }: PlanBuilder): number {
  const fresh = Array.from(states.keys()).filter((key) => view.entry(key) === undefined).length
  return stored.length - fresh
}

/** What a write does to a space. */
export interface Growth {
  /** By how many the live entries grow or shrink. */
  readonly entries: number
  /** Whether it stores content. A deletion without a value is none: deleting must stay possible. */
  readonly content: boolean
  /** Whether it stores more than it takes away: a deletion that loses, or a record of a client that grows. */
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
