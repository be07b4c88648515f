import type { Session } from '../../core/access/session.ts'
import type { Growth } from '../../core/batch/plan.ts'
import type { Fault } from '../../core/fault.ts'
import { type Amounts, exceeded, type Quota } from '../../core/space/quota.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import type { Space } from './space.ts'

/** What a space holds and may hold, as its status shows it. */
export function quotaOf(space: Space): {
  readonly [Q in Quota]: { readonly used: number; readonly limit: number }
} {
  const used = usedBy(space)
  const { entries, bytes } = space.config.quota
  return { entries: { used: used.entries, limit: entries }, bytes: { used: used.bytes, limit: bytes } }
}

function usedBy({ state, store }: Space): Amounts {
  return { entries: state.entries, bytes: store.bytes() }
}

/** Refuses a write that there is no room for: right before its transaction, so that nothing comes of it. */
export function checkQuota(space: Space, { collections }: Session, growth: Growth): Result<true, Fault> {
  const used = usedBy(space)
  const limit = space.config.quota
  const quota = exceeded(growth, used, limit)
  if (quota === null) return accepted(true)
  // Like any count of the whole space not for a token of a part of it (ST1).
  const told = collections === null ? used[quota] : null
  return refused({ code: 'quota-exceeded', quota, limit: limit[quota], used: told })
}
