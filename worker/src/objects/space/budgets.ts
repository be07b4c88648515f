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
import { MAX_BUDGETS } from '../../core/values/limits.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'

/**
 * What is spent of a space's budgets. In memory only, and forgotten when the object is: it sleeps only where nothing
 * comes, and by then most is paid back.
 */
export interface Budgets {
  /**
   * Spends one request of all three budgets of a session, or of none if one is used up: of several, the one that takes
   * longest is told. A client is known by its credential, so that nobody can spend another's by taking its id.
   */
  spend(session: Pick<Session, 'token' | 'client'>, rates: Rates, now: number): Result<true, Fault>
}

/** What is spent, by whom: the one that was heard of last comes last. */
export type Accounts = Map<string, Spent>

export function budgets(): Budgets {
  const accounts: { readonly [B in Budget]: Accounts } = {
    client: new Map(),
    credential: new Map(),
    space: new Map(),
  }
  return {
    spend({ token, client }, rates, now) {
      const names = { client: `${token}/${client}`, credential: token, space: '' }
      const found = BUDGETS.map((budget) => {
        const spent = spentAt(accounts[budget].get(names[budget]), rates[budget], now)
        return { budget, spent, wait: waitSeconds(spent, rates[budget]) }
      })
      const longest = found.reduce((one, other) => (other.wait > one.wait ? other : one))
      for (const { budget, spent } of found) {
        remember(accounts[budget], names[budget], longest.wait === 0 ? plusOne(spent) : spent)
      }
      if (longest.wait === 0) return accepted(true)
      const { budget: policy, wait: retryAfterSeconds } = longest
      return refused({ code: 'rate-limited', policy, limit: rates[policy], retryAfterSeconds })
    },
  }
}

/** Notes what is spent. Clients choose their ids: so many are remembered, and none once all must be paid back. */
export function remember(accounts: Accounts, name: string, spent: Spent): void {
  accounts.delete(name)
  if (spent.level > 0) accounts.set(name, spent)
  for (const [oldest, old] of accounts) {
    if (accounts.size <= MAX_BUDGETS && !isWhole(old, spent.at)) return
    accounts.delete(oldest)
  }
}
