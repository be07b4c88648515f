import { callerOf } from '../../core/access/address.ts'
import { PLACE_EXHAUSTED } from '../../core/access/budget.ts'

import { FAILED_FOR_MS, MAX_FAILED_ADDRESSES } from '../../core/values/limits.ts'
import { HTTPError } from './errors.ts'
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
export async function countFailure(exchange: Exchange, thrown: unknown): Promise<never> {
  if (thrown instanceof HTTPError && thrown.code === 'unauthorized') return countAsFailed(exchange, thrown)
  throw thrown
}

/** Addresses that failed too often, and until when that counts (ms). Each isolate has its own memory of them. */
const failed = new Map<string, number>()

/** Passes on why an attempt to authenticate failed, which counts against its address whatever was wrong. */
export async function countAsFailed({ request, env }: Exchange, thrown: unknown): Promise<never> {
  if (!(thrown instanceof HTTPError)) throw thrown
  const address = addressOf(request)
  const { success } = await env.FAILURE_LIMIT.limit({ key: address })
  if (success) throw thrown
  failed.delete(address)
  failed.set(address, Date.now() + FAILED_FOR_MS)
  const [oldest] = failed.keys()
  if (failed.size > MAX_FAILED_ADDRESSES && oldest !== undefined) failed.delete(oldest)
  throw refusal(PLACE_EXHAUSTED)
}

/**
 * Asked before something is looked up for an attempt to authenticate. The platform's counter counts when it is asked, so
 * it is asked only for an address that has failed too often: what is valid uses up nothing.
 */
export async function checkLookUp({ request, env }: Exchange): Promise<void> {
  const address = addressOf(request)
  if ((failed.get(address) ?? 0) > Date.now()) await countAgainst(env.AUTH_LIMIT, address)
}

/**
 * Whom an attempt to authenticate counts against. The platform sets both headers; on a local machine they are absent, and
 * in a zone that removes the addresses of visitors.
 */
function addressOf({ headers }: Request): string {
  return callerOf(headers.get('cf-connecting-ip'), headers.get('cf-worker'))
}
