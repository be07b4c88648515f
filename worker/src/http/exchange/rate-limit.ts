import { callerOf } from '../../core/access/address.ts'
import { PLACE_EXHAUSTED } from '../../core/access/budget.ts'
import { FAILED_FOR_MS, MAX_FAILED_ADDRESSES } from '../../core/values/access-limits.ts'

import { HTTPError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { refusal } from './refusal.ts'

/** Counts a request against a limit of this location: a first filter, before an object wakes. */
export async function countAgainst(limiter: RateLimit, key: string): Promise<void> {
  const { success } = await limiter.limit({ key })
  if (!success) throw refusal(PLACE_EXHAUSTED)
}

/**
 * Rethrows the refusal of a request. A request without a valid credential counts against its address, which is told to
 * wait once there were too many. Guessing becomes slow for the address that guesses, and for nobody else. Credentials
 * that were valid once do not count.
 */
export async function countFailure(exchange: Exchange, thrown: unknown): Promise<never> {
  if (thrown instanceof HTTPError && thrown.code === 'unauthorized') return countAsFailed(exchange, thrown)
  throw thrown
}

/** Addresses that failed too often, and until when they count, ms. Each isolate remembers its own. */
const failed = new Map<string, number>()

/** Rethrows the refusal of an attempt to authenticate, which counts against its address whatever its reason. */
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
 * Called before a look-up for an attempt to authenticate. The platform's counter counts on every call, so it is called
 * only for an address that has failed too often: valid credentials use up nothing.
 */
export async function checkLookUp({ request, env }: Exchange): Promise<void> {
  const address = addressOf(request)
  if ((failed.get(address) ?? 0) > Date.now()) await countAgainst(env.AUTH_LIMIT, address)
}

/**
 * The caller to whom an attempt to authenticate is charged. The platform sets both headers. They are absent on a local
 * machine, and in a zone that removes visitors' addresses.
 */
function addressOf({ headers }: Request): string {
  return callerOf(headers.get('cf-connecting-ip'), headers.get('cf-worker'))
}
