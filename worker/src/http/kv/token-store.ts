import { SESSION_TTL_SECONDS } from '../../core/values/access-limits.ts'

import { TokenRecord } from '../../schema/stored/token.ts'
import { spaceOf } from '../exchange/exchange.ts'
import { refusal } from '../exchange/refusal.ts'
import { isApiToken, tokenId } from './api-token.ts'
import { readPage } from './page.ts'

const PREFIX = 'token:'

/** The soonest expiry that KV accepts, seconds from now, and the latest, the last second that 31 bits hold. */
const SHORTEST_EXPIRY_SECONDS = 60
const LAST_EXPIRY = 2 ** 31 - 1

/** The form of a token's id. */
const ID = /^[A-Za-z0-9_-]{43}$/

/** How long a location may still read a deleted token from its cache (KV: 60 s), with a wide margin. */
const PROPAGATION_SECONDS = 3600

/** Refuses a mistyped token and a token of another environment, before any look-up. */
export function checkForm(token: string, { ENVIRONMENT }: Env): void {
  if (!isApiToken(token, ENVIRONMENT)) throw invalid()
}

/** The record of a valid token. Unknown and expired tokens are refused. */
export async function findToken(token: string, env: Env): Promise<TokenRecord> {
  const record = await readToken(await tokenId(token), env)
  if (record === null || (record.expiresAt !== null && record.expiresAt <= Date.now())) throw invalid()
  return record
}

/** The record of a token, by its id. */
export async function readToken(id: string, { CHRONICLE_KV }: Env): Promise<TokenRecord | null> {
  const stored = ID.test(id) ? await CHRONICLE_KV.get(PREFIX + id, 'json') : null
  return stored === null ? null : TokenRecord.parse(stored)
}

export async function writeToken(record: TokenRecord, { CHRONICLE_KV }: Env): Promise<void> {
  await CHRONICLE_KV.put(PREFIX + record.id, JSON.stringify(record), expiryOf(record))
}

/** When KV may delete a record. Expired records are refused anyway. */
function expiryOf({ expiresAt }: TokenRecord): { expiration?: number } {
  if (expiresAt === null) return {}
  const expiration = Math.ceil(expiresAt / 1000)
  const soonest = Date.now() / 1000 + SHORTEST_EXPIRY_SECONDS
  return expiration > soonest && expiration <= LAST_EXPIRY ? { expiration } : {}
}

/** Deletes a token. Its space is told first, so the revocation takes effect there at once, and in KV a minute later. */
export async function deleteToken(record: TokenRecord, env: Env): Promise<void> {
  await spaceOf(env, record).revoke(record.id, lastTraceOf(Date.now()))
  await env.CHRONICLE_KV.delete(PREFIX + record.id)
}

/**
 * Lets a token end at a future time, ms, unless it ends before. As for a deletion, its space is told first. The space
 * is asked again afterwards, so that this write does not undo a deletion in between.
 */
export async function retireToken(record: TokenRecord, at: number, env: Env): Promise<void> {
  const wanted = Math.min(record.expiresAt ?? at, at)
  const ends = await spaceOf(env, record).retire(record.id, wanted, lastTraceOf(wanted))
  // An object that still runs the previous release returns nothing.
  await writeToken({ ...record, expiresAt: Math.min(ends ?? wanted, wanted) }, env)
  if (!(await isTaken(record, env))) await env.CHRONICLE_KV.delete(PREFIX + record.id)
}

/** The end of the last session that a location may have opened after the token's end from a stale record; ms. */
function lastTraceOf(end: number): number {
  return end + (SESSION_TTL_SECONDS + PROPAGATION_SECONDS) * 1000
}

/**
 * Whether the space accepts a token. KV lists a deleted token for a while, and a token voided by an erasure forever.
 */
export async function isTaken({ id, space, createdAt }: TokenRecord, env: Env): Promise<boolean> {
  const known = await spaceOf(env, { space }).admit({ id, token: id, issuedAt: createdAt })
  return known.ok
}

/** One page of token records, and the cursor of the next page. */
export async function listTokens(cursor: string | undefined, { CHRONICLE_KV }: Env): Promise<TokenPage> {
  const { values, next } = await readPage(CHRONICLE_KV, PREFIX, cursor)
  return { tokens: values.map((value) => TokenRecord.parse(value)), next }
}

interface TokenPage {
  readonly tokens: readonly TokenRecord[]
  readonly next: string | null
}

function invalid(): Error {
  return refusal({
    code: 'unauthorized',
    detail: 'The token is not valid here: it is mistyped, expired, revoked, or from another environment.',
  })
}
