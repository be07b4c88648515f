import { parseBody, parseQuery } from '../../schema/parse.ts'
import { TokensQuery } from '../../schema/query.ts'
import { RotateRequest, type TokenRecord, TokenRequest } from '../../schema/token.ts'
import type { ShownToken } from '../../schema/token-reply.ts'
import { checkSendable } from '../auth/grant.ts'
import { readBody } from '../exchange/body.ts'
import { type Exchange, json, spacesOf } from '../exchange/exchange.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'
import { newApiToken, tokenId } from '../kv/api-token.ts'
import type { AddTarget } from '../kv/audit-log.ts'
import { deleteToken, isTaken, listTokens, readToken, retireToken, writeToken } from '../kv/token-store.ts'

/** `POST /api/tokens`: mints a token, shown only in this reply. */
export async function mintToken({ request, env }: Exchange, addTarget: AddTarget): Promise<Response> {
  const wanted = unwrap(parseBody(TokenRequest, await readBody(request)))
  const { subject, space = subject, scopes, collections = null, expiresAt = null, name = null } = wanted
  addTarget({ subject, space, scopes })
  const rights = { subject, space, scopes, collections, expiresAt, name }
  const { token, record } = await newToken(rights, env)
  addTarget({ tokenId: record.id })
  await writeToken(record, env)
  return json({ success: true, token, ...withObjectId(record, env) }, 201)
}

/**
 * `POST /api/tokens/{id}/rotate`: mints a token with the same rights, and ends the old one, now or after an overlap.
 */
export async function rotateToken(
  { request, params, env }: Exchange,
  addTarget: AddTarget,
): Promise<Response> {
  const old = await tokenNamed(params.id ?? '', env, addTarget)
  const { overlapSeconds } = unwrap(parseBody(RotateRequest, await readBody(request)))
  const { token, record } = await newToken(old, env)
  if (!(await isTaken(old, env))) throw notFound('the space of this token has ended it')
  addTarget({ replacedBy: record.id, scopes: record.scopes })
  // The new token is written first: whatever fails from here on, one of the two is valid.
  await writeToken(record, env)
  if (overlapSeconds === 0) await deleteToken(old, env)
  else await retireToken(old, Date.now() + overlapSeconds * 1000, env)
  return json({ success: true, token, replaces: old.id, ...withObjectId(record, env) }, 201)
}

/** A new token and its record, not stored yet. */
async function newToken(
  { subject, space, scopes, collections, expiresAt, name }: Omit<TokenRecord, 'id' | 'createdAt'>,
  env: Env,
): Promise<{ readonly token: string; readonly record: TokenRecord }> {
  const token = newApiToken(env.ENVIRONMENT)
  const rights = { subject, space, scopes, collections, expiresAt, name }
  const record = { id: await tokenId(token), ...rights, createdAt: Date.now() }
  await checkUsable(record, env)
  return { token, record }
}

/** Refuses a useless token: one that has expired, or whose sessions would be too long to send. */
async function checkUsable(record: TokenRecord, env: Env): Promise<void> {
  if (record.expiresAt !== null && record.expiresAt <= record.createdAt) {
    const detail = 'expiresAt: must be in the future (milliseconds since 1970)'
    throw refusal({ code: 'invalid-request', detail })
  }
  await checkSendable(record, env, 'collections')
}

/** `GET /api/tokens`: lists the records of tokens, never the tokens. */
export async function showTokens({ env, query }: Exchange): Promise<Response> {
  const { cursor } = unwrap(parseQuery(TokensQuery, query))
  const { tokens, next } = await listTokens(cursor, env)
  return json({ tokens: tokens.map((record) => withObjectId(record, env)), next })
}

/** Adds the id under which the platform lists the object of the token's space, so that the two can be matched. */
function withObjectId(record: TokenRecord, env: Env): ShownToken {
  return { ...record, spaceId: spacesOf(env).idFromName(record.space).toString() }
}

/** `DELETE /api/tokens/{id}`: ends the token and every session that it opened, now. */
export async function revokeToken({ params, env }: Exchange, addTarget: AddTarget): Promise<Response> {
  const record = await tokenNamed(params.id ?? '', env, addTarget)
  await deleteToken(record, env)
  return json({ success: true, id: record.id })
}

/** The record of a token. Only the id of an existing token is logged, because any other text may be a token itself. */
async function tokenNamed(id: string, env: Env, addTarget: AddTarget): Promise<TokenRecord> {
  const record = await readToken(id, env)
  if (record === null) throw notFound('there is no token of this id')
  addTarget({ tokenId: record.id, subject: record.subject, space: record.space })
  return record
}

function notFound(detail: string): Error {
  return refusal({ code: 'not-found', detail })
}
