import { callerOf } from '../core/address.ts'
import { PLACE_EXHAUSTED } from '../core/budget.ts'
import { HTTPError } from '../errors.ts'
import type { Exchange } from './exchange.ts'
import { refusal } from './refusal.ts'

/** Counts a request against a limit of this place's; a first filter, before any object wakes. */
export async function countAgainst(limiter: RateLimit, key: string): Promise<void> {
  const { success } = await limiter.limit({ key })
  if (!success) throw refusal(PLACE_EXHAUSTED)
}

/**
 * Passes on why a request failed. One without a valid credential counts against its address, and is told to wait where
 * there were too many: guessing gets slow, for whoever guesses and nobody else. What was valid once does not count.
 */
export async function countFailure({ request, env }: Exchange, thrown: unknown): Promise<never> {
  if (thrown instanceof HTTPError && thrown.code === 'unauthorized') {
    await countAgainst(env.FAILURE_LIMIT, addressOf(request))
  }
  throw thrown
}

/**
 * Whom an attempt to authenticate counts against. The platform sets both headers; on a local machine they are absent, and
 * in a zone that removes the addresses of visitors.
 */
export function addressOf({ headers }: Request): string {
  return callerOf(headers.get('cf-connecting-ip'), headers.get('cf-worker'))
}
