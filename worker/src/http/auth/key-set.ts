import { waitUntil } from 'cloudflare:workers'
import { createLocalJWKSet, type FlattenedJWSInput, type JWSHeaderParameters } from 'jose'
import { JOSEError, JWKSMultipleMatchingKeys, JWKSNoMatchingKey } from 'jose/errors'
import {
  KEYS_BURST,
  KEYS_COOLDOWN_MS,
  KEYS_DEADLINE_MS,
  KEYS_FRESH_MS,
  KEYS_USABLE_MS,
  MAX_KEYS_BYTES,
  MIN_RSA_BITS,
} from '../../core/values/access-limits.ts'

import { collect } from '../exchange/collect.ts'
import { withDeadline } from '../exchange/deadline.ts'
import { refusal } from '../exchange/refusal.ts'

type Keys = ReturnType<typeof createLocalJWKSet>

/** The cached keys behind one URL. Times are in ms, by this isolate's clock. */
interface KeySet {
  keys: Keys | null
  fetchedAt: number
  askedAt: number
  /** The last fetch for each missing key, by `kid`. None is older than half a minute. */
  readonly askedFor: Map<string, number>
  /** The last fetch. Never rejects; its result is in `keys` and `fetchedAt`. */
  fetching: Promise<void>
}

/** Holds as many sets as the configuration names, and those that it once named. */
const keySets = new Map<string, KeySet>()

/**
 * The key that signed a token, by its `kid` and algorithm, from an identity provider's key set. Nothing else in the
 * token's header counts. The set is fetched at most once in half a minute because it is old, and once for each missing
 * key, however many requests wait. Several missing keys may be fetched at once, so that a new key does not wait for a
 * forged one. jose's own remote set does not do this: in Workers every waiting request fetches for itself, and each
 * asks a provider again that is down.
 */
export function keyFrom(
  url: string,
): (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey> {
  const set = keySets.get(url) ?? unknown()
  keySets.set(url, set)
  return async (header, token) => {
    const { kid = '' } = header
    if (age(set) >= KEYS_FRESH_MS) await fetchIfDue(set, url, { kid, isMissing: false })
    const key = await find(set, header, token)
    if (key !== null) return key
    await fetchIfDue(set, url, { kid, isMissing: true })
    const newer = await find(set, header, token)
    if (newer !== null) return newer
    // The provider may have the key, but did not reply or was not asked.
    if (set.fetchedAt < (set.askedFor.get(kid) ?? Number.POSITIVE_INFINITY)) throw unavailable()
    throw new JWKSNoMatchingKey()
  }
}

function unknown(): KeySet {
  const long = Number.NEGATIVE_INFINITY
  return { keys: null, fetchedAt: long, askedAt: long, askedFor: new Map(), fetching: Promise.resolve() }
}

function age({ fetchedAt }: KeySet): number {
  return Date.now() - fetchedAt
}

/** Returns null if the set does not contain the key. */
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
    if (cause instanceof JWKSNoMatchingKey) return null
    if (cause instanceof JWKSMultipleMatchingKeys) throw cause
    logFailure('unusable key', cause)
  }
  throw unavailable()
}

function isLongEnough({ algorithm }: CryptoKey): boolean {
  return !('modulusLength' in algorithm) || Number(algorithm.modulusLength) >= MIN_RSA_BITS
}

/**
 * Fetches the set if the last fetch is long enough ago, and waits for it. Another request may have started the fetch.
 */
async function fetchIfDue(set: KeySet, url: string, wanted: KeyRequest): Promise<void> {
  const now = Date.now()
  if (mayAsk(set, wanted, now)) {
    set.askedAt = now
    set.askedFor.set(wanted.kid, now)
    set.fetching = renew(set, url, now)
    // Without it, a client that hangs up would end the fetch, and every other request would wait half a minute.
    waitUntil(set.fetching)
  }
  const left = set.askedAt + KEYS_DEADLINE_MS - now
  if (left > 0) await withDeadline(set.fetching, left, unavailable).catch(() => undefined)
}

/** The wanted key, and whether the cached set lacks it. */
interface KeyRequest {
  readonly kid: string
  readonly isMissing: boolean
}

function mayAsk({ askedAt, askedFor }: KeySet, { kid, isMissing }: KeyRequest, now: number): boolean {
  for (const [other, at] of askedFor) if (now - at >= KEYS_COOLDOWN_MS) askedFor.delete(other)
  if (!isMissing) return now - askedAt >= KEYS_COOLDOWN_MS
  return !askedFor.has(kid) && askedFor.size < KEYS_BURST
}

async function renew(set: KeySet, url: string, now: number): Promise<void> {
  try {
    const keys = createLocalJWKSet(await fetchKeys(url))
    // If two fetches are in flight, the later one counts.
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
  // jose validates the shape.
  return JSON.parse(new TextDecoder().decode(bytes))
}

function unavailable(): Error {
  return refusal({ code: 'provider-unavailable', retryAfterSeconds: KEYS_COOLDOWN_MS / 1000 })
}

function logFailure(what: string, cause: unknown): void {
  // jose names its errors by their classes, which have other names in the bundle. Their codes are stable.
  const error = cause instanceof JOSEError ? `${cause.code}: ${cause.message}` : String(cause)
  const fields = { level: 'error', message: `identity provider: ${what}`, error }
  console.error(JSON.stringify(fields))
}
