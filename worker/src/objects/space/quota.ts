import type { Session } from '../../core/access/session.ts'
import type { Growth } from '../../core/batch/plan.ts'
import type { Fault } from '../../core/fault.ts'
import type { Config } from '../../core/space/config.ts'
import { type Amounts, exceeded, type Quota } from '../../core/space/quota.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import type { Space } from './space.ts'

/** The usage and limits of a space, as its status shows them. */
export function quotaOf(space: Space): {
  readonly [Q in Quota]: { readonly used: number; readonly limit: number }
} {
  const used = usedBy(space)
  const { entries, bytes } = space.config.quota
  return { entries: { used: used.entries, limit: entries }, bytes: { used: used.bytes, limit: bytes } }
}

export function usedBy({ state, store }: Space): Amounts {
  return { entries: state.entries, bytes: store.bytes() }
}

/**
 * Refuses a write that would exceed a quota. Called right before the transaction, so that a refusal stores nothing.
 * `used` is what the space holds together with the writes of the same transaction.
 */
export function checkQuota(
  { config, used }: { readonly config: Config; readonly used: Amounts },
  { collections }: Session,
  growth: Growth,
): Result<true, Fault> {
  const limit = config.quota
  const quota = exceeded(growth, used, limit)
  if (quota === null) return accepted(true)
  // A token for some collections gets no count of the whole space (ST1).
  const shownUsed = collections === null ? used[quota] : null
  return refused({ code: 'quota-exceeded', quota, limit: limit[quota], used: shownUsed })
}
