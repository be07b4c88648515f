import { waitUntil } from 'cloudflare:workers'
import { createLocalJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters } from 'jose'
import {
  KEYS_BURST,
  KEYS_COOLDOWN_MS,
  KEYS_DEADLINE_MS,
  KEYS_FRESH_MS,
  KEYS_USABLE_MS,
  MAX_KEYS_BYTES,
  MIN_RSA_BITS,
} from '../../core/values/limits.ts'
import { collect } from '../exchange/collect.ts'
import { withDeadline } from '../exchange/deadline.ts'
import { refusal } from '../exchange/refusal.ts'

type Keys = ReturnType<typeof createLocalJWKSet>

/** What is known of the keys behind one URL; times in ms, of this isolate's clock. */
interface KeySet {
  keys: Keys | null
  fetchedAt: number
  askedAt: number
  /** When it was last asked for a key that it lacked, by `kid`; none is older than half a minute. */
  readonly askedFor: Map<string, number>
  /** The last attempt. Never rejects: what comes of it is in `keys` and `fetchedAt`. */
  asking: Promise<void>
}

/** As many as the configuration names, and those that it once named. */
const known = new Map<string, KeySet>()

/**
 * The key that signed a token, by its `kid` and algorithm, out of an identity provider's key set: nothing else in the
 * token's header counts. Asks the provider at most every half a minute because the set is old, or for one key that is not known,
 * however many requests wait; and for a few such keys at once, so that a new key does not wait for one that was made up.
 * jose's own remote set does none of it: in Workers every request that waits fetches by itself, and a provider that is
 * down is asked again by each.
 */
export function keyFrom(
  url: string,
): (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey> {
  const set = known.get(url) ?? unknown()
  known.set(url, set)
  return async (header, token) => {
    const { kid = '' } = header
    if (age(set) >= KEYS_FRESH_MS) await ask(set, url, { kid, isMissing: false })
    const key = await find(set, header, token)
    if (key !== null) return key
    await ask(set, url, { kid, isMissing: true })
    const newer = await find(set, header, token)
    if (newer !== null) return newer
    // Perhaps the provider has it, and could not tell, or was not asked.
    if (set.fetchedAt < (set.askedFor.get(kid) ?? Number.POSITIVE_INFINITY)) throw unavailable()
    throw new errors.JWKSNoMatchingKey()
  }
}

function unknown(): KeySet {
  const long = Number.NEGATIVE_INFINITY
  return { keys: null, fetchedAt: long, askedAt: long, askedFor: new Map(), asking: Promise.resolve() }
}

function age({ fetchedAt }: KeySet): number {
  return Date.now() - fetchedAt
}

/** Null if the set does not hold it. */
async function find(
  set: KeySet,
  header: JWSHeaderParameters,
  token: FlattenedJWSInput,
): Promise<CryptoKey | null> {
  if (set.keys === null || age(set) >= KEYS_USABLE_MS) throw unavailable()
  try {
    const key = await set.keys(header, token)
    if (isLongEnough(key)) return key
  } catch (cause) {
    if (cause instanceof errors.JWKSNoMatchingKey) return null
    if (cause instanceof errors.JWKSMultipleMatchingKeys) throw cause
    logFailure('unusable key', cause)
  }
  throw unavailable()
}

function isLongEnough({ algorithm }: CryptoKey): boolean {
  return !('modulusLength' in algorithm) || Number(algorithm.modulusLength) >= MIN_RSA_BITS
}

/**
 * Asks, if the last time is long enough ago, and waits for the answer: it may be another request's that asked.
 */
async function ask(set: KeySet, url: string, wanted: Wanted): Promise<void> {
  const now = Date.now()
  if (mayAsk(set, wanted, now)) {
    set.askedAt = now
    set.askedFor.set(wanted.kid, now)
    set.asking = renew(set, url, now)
    // Else a client that hangs up would end it, and everyone's turn for half a minute.
    waitUntil(set.asking)
  }
  const left = set.askedAt + KEYS_DEADLINE_MS - now
  if (left > 0) await withDeadline(set.asking, left, unavailable).catch(() => undefined)
}

/** The key that is wanted, and whether the set that is known lacks it. */
interface Wanted {
  readonly kid: string
  readonly isMissing: boolean
}

function mayAsk({ askedAt, askedFor }: KeySet, { kid, isMissing }: Wanted, now: number): boolean {
  for (const [other, at] of askedFor) if (now - at >= KEYS_COOLDOWN_MS) askedFor.delete(other)
  if (!isMissing) return now - askedAt >= KEYS_COOLDOWN_MS
  return !askedFor.has(kid) && askedFor.size < KEYS_BURST
}

async function renew(set: KeySet, url: string, now: number): Promise<void> {
  try {
    const keys = createLocalJWKSet(await fetchKeys(url))
    // Of two that are under way the one that was asked later counts.
    if (now < set.fetchedAt) return
    set.keys = keys
    set.fetchedAt = now
  } catch (cause) {
    logFailure('keys cannot be had', cause)
  }
}

async function fetchKeys(url: string): Promise<Parameters<typeof createLocalJWKSet>[0]> {
  const response = await fetch(url, {
    headers: { accept: 'application/json, application/jwk-set+json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(KEYS_DEADLINE_MS),
  })
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  const reader = (response.body ?? new Blob().stream()).getReader()
  const bytes = await collect(async () => (await reader.read()).value ?? null, MAX_KEYS_BYTES)
  if (bytes === null) {
    await reader.cancel()
    throw new Error(`more than ${MAX_KEYS_BYTES} bytes`)
  }
  // What it is jose finds out.
  return JSON.parse(new TextDecoder().decode(bytes))
}

function unavailable(): Error {
  return refusal({ code: 'provider-unavailable', retryAfterSeconds: KEYS_COOLDOWN_MS / 1000 })
}

function logFailure(what: string, cause: unknown): void {
  const fields = { level: 'error', message: `identity provider: ${what}`, error: String(cause) }
  console.error(JSON.stringify(fields))
}
