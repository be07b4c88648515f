import { SESSION_TTL_SECONDS } from '../../core/values/limits.ts'
import { TokenRecord } from '../../schema/token.ts'
import { spaceOf } from '../exchange/exchange.ts'
import { refusal } from '../exchange/refusal.ts'
import { isApiToken, tokenId } from './api-token.ts'
import { readPage } from './page.ts'

const PREFIX = 'token:'

/** KV takes no expiry sooner than this from now, and none after the moment that 31 bits hold; s. */
const SHORTEST_EXPIRY_SECONDS = 60
const LAST_EXPIRY = 2 ** 31 - 1

/** What `tokenId` gives. */
const ID = /^[A-Za-z0-9_-]{43}$/

/** How long a place may still read a deleted token from its cache (KV: 60 s), taken generously. */
const PROPAGATION_SECONDS = 3600

/** Refuses a token that is mistyped or of another environment, before anything is looked up. */
export function checkForm(token: string, { ENVIRONMENT }: Env): void {
  if (!isApiToken(token, ENVIRONMENT)) throw invalid()
}

/** The record of a valid token. One that is unknown or has expired is refused. */
export async function findToken(token: string, env: Env): Promise<TokenRecord> {
  const record = await readToken(await tokenId(token), env)
  if (record === null || (record.expiresAt !== null && record.expiresAt <= Date.now())) throw invalid()
  return record
}

/** The record of a token, by the SHA-256 that is its id. */
export async function readToken(id: string, { CHRONICLE_KV }: Env): Promise<TokenRecord | null> {
  const stored = ID.test(id) ? await CHRONICLE_KV.get(PREFIX + id, 'json') : null
  return stored === null ? null : TokenRecord.parse(stored)
}

export async function writeToken(record: TokenRecord, { CHRONICLE_KV }: Env): Promise<void> {
  await CHRONICLE_KV.put(PREFIX + record.id, JSON.stringify(record), expiryOf(record))
}

/** When KV may forget a record: a convenience only, because a record that has expired is refused anyhow. */
function expiryOf({ expiresAt }: TokenRecord): { expiration?: number } {
  if (expiresAt === null) return {}
  const expiration = Math.ceil(expiresAt / 1000)
  const soonest = Date.now() / 1000 + SHORTEST_EXPIRY_SECONDS
  return expiration > soonest && expiration <= LAST_EXPIRY ? { expiration } : {}
}

/** Deletes a token. Its space is told first: it counts there from now on, and in KV a minute later. */
export async function deleteToken(record: TokenRecord, env: Env): Promise<void> {
  await spaceOf(env, record).revoke(record.id, lastTraceOf(Date.now()))
  await env.CHRONICLE_KV.delete(PREFIX + record.id)
}

/**
 * Lets a token end at a time to come, ms, unless it ends before. Its space is told first, as of a deletion. A deletion
 * that comes between the two must not be undone by the second, so the space is asked again.
 */
export async function retireToken(record: TokenRecord, at: number, env: Env): Promise<void> {
  const wanted = Math.min(record.expiresAt ?? at, at)
  const ends = await spaceOf(env, record).retire(record.id, wanted, lastTraceOf(wanted))
  // An object that still runs the last release gives nothing back.
  await writeToken({ ...record, expiresAt: Math.min(ends ?? wanted, wanted) }, env)
  if (!(await isTaken(record, env))) await env.CHRONICLE_KV.delete(PREFIX + record.id)
}

/** When the last session ends that a place may have opened after a token's end, because it read the old record; ms. */
function lastTraceOf(end: number): number {
  return end + (SESSION_TTL_SECONDS + PROPAGATION_SECONDS) * 1000
}

/** Whether its space takes a token: KV shows for a while what was deleted, and for ever what an erasure has voided. */
export async function isTaken({ id, space, createdAt }: TokenRecord, env: Env): Promise<boolean> {
  const known = await spaceOf(env, { space }).admit({ id, token: id, issuedAt: createdAt })
  return known.ok
}

/** A page of token records, and where the next one begins. */
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
    detail: 'The token is not valid here: mistyped, expired, revoked, or of another environment.',
  })
}
