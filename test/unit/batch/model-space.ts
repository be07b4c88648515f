import { type Change, toEdits } from '../../../worker/src/core/batch/change.ts'
import { type Plan, planBatch } from '../../../worker/src/core/batch/plan.ts'
import type { Policy } from '../../../worker/src/core/batch/policy.ts'
import type { EntryState } from '../../../worker/src/core/batch/stance.ts'
import type { Version } from '../../../worker/src/core/values/version.ts'

export const EPOCH = 'e'
export const NOW = 1_000

/** How a batch comes, where it is not as most: without a number, by a clock that is right, of one who may read. */
interface Manner {
  readonly numbered?: boolean
  readonly skew?: number
  readonly reads?: boolean
}

/** A space as a map and a list: what the decision needs and nothing else. */
export class ModelSpace {
  seq = 0
  readonly heads = new Map<string, EntryState>()
  readonly versions = new Map<number, Version>()

  readonly policy: Policy

  constructor(policy: Policy = 'lww') {
    this.policy = policy
  }

  push(
    client: string,
    changes: readonly Change[],
    { numbered = false, skew = 0, reads = true }: Manner = {},
  ): Plan {
    const clock = { now: NOW, skew }
    const edits = toEdits(changes, { epoch: EPOCH, clock, granted: null })
    const plan = planBatch(edits, client, {
      seq: this.seq,
      clock,
      numbered,
      blind: !reads,
      policy: () => this.policy,
      entry: (key) => this.heads.get(key),
      version: (seq) => this.versions.get(seq) ?? null,
    })
    if (plan.missing.length > 0) throw new Error(`asks for ${plan.missing}, which is nowhere`)
    this.seq = plan.seq
    for (const [key, head] of plan.states) this.heads.set(key, head)
    for (const [seq, version] of plan.versions) this.versions.set(seq, version)
    return plan
  }

  /** The space as it is, to which other batches can be pushed too. */
  fork(): ModelSpace {
    const copy = new ModelSpace(this.policy)
    copy.seq = this.seq
    for (const [key, head] of this.heads) copy.heads.set(key, head)
    for (const [seq, version] of this.versions) copy.versions.set(seq, version)
    return copy
  }

  live(): number {
    return [...this.heads.values()].filter(({ deleted }) => !deleted).length
  }
}
