import {
  BUDGETS,
  type Budget,
  isWhole,
  plusOne,
  type Rates,
  type Spent,
  spentAt,
  waitSeconds,
} from '../../core/access/budget.ts'
import type { Session } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import { MAX_BUDGETS } from '../../core/values/access-limits.ts'

import { accepted, type Result, refused } from '../../core/values/result.ts'

/**
 * The rate limits of a space. They are kept in memory only and lost when the object hibernates. It hibernates only while
 * no requests arrive, and by then most of the spent budget has been restored.
 */
export interface Budgets {
  /**
   * Charges one request to all three budgets of a session, or to none if any is exhausted. If several are exhausted, the
   * refusal names the one with the longest wait. A client is identified by its credential and id together, so nobody can
   * spend another client's budget by using its id.
   */
  spend(session: Pick<Session, 'token' | 'client'>, rates: Rates, now: number): Result<true, Fault>
}

/** The spending of each account, least recently used first. */
export type Accounts = Map<string, Spent>

export function budgets(): Budgets {
  const accounts: { readonly [B in Budget]: Accounts } = {
    client: new Map(),
    credential: new Map(),
    space: new Map(),
  }
  return {
    spend({ token, client }, rates, now) {
      const keys = { client: `${token}/${client}`, credential: token, space: '' }
      const found = BUDGETS.map((budget) => {
        const spent = spentAt(accounts[budget].get(keys[budget]), rates[budget], now)
        return { budget, spent, wait: waitSeconds(spent, rates[budget]) }
      })
      const longest = found.reduce((one, other) => (other.wait > one.wait ? other : one))
      for (const { budget, spent } of found) {
        remember(accounts[budget], keys[budget], longest.wait === 0 ? plusOne(spent) : spent)
      }
      if (longest.wait === 0) return accepted(true)
      const { budget: policy, wait: retryAfterSeconds } = longest
      return refused({ code: 'rate-limited', policy, limit: rates[policy], retryAfterSeconds })
    },
  }
}

/**
 * Stores the spending of an account. Clients choose their own ids, so the number of accounts is bounded. The least
 * recently used accounts are dropped while there are more than `MAX_BUDGETS`, or while their budgets are whole again.
 */
export function remember(accounts: Accounts, key: string, spent: Spent): void {
  accounts.delete(key)
  if (spent.level > 0) accounts.set(key, spent)
  for (const [oldest, old] of accounts) {
    if (accounts.size <= MAX_BUDGETS && !isWhole(old, spent.at)) return
    accounts.delete(oldest)
  }
}
