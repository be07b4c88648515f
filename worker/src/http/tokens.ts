import { parseBody, parseQuery } from '../schema/parse.ts'
import { TokensQuery } from '../schema/query.ts'
import { type TokenRecord, TokenRequest } from '../schema/token.ts'
import { newApiToken, tokenId } from './api-token.ts'
import { readBody } from './body.ts'
import { type Exchange, json } from './exchange.ts'
import { checkSendable } from './grant.ts'
import { refusal, unwrap } from './refusal.ts'
import { deleteToken, listTokens, readToken, writeToken } from './token-store.ts'

/** `POST /api/tokens`: mints a token, shown in this reply and never again. */
export async function mintToken({ request, env }: Exchange): Promise<Response> {
  const wanted = unwrap(parseBody(TokenRequest, await readBody(request)))
  const token = newApiToken(env.ENVIRONMENT)
  const record: TokenRecord = {
    id: await tokenId(token),
    subject: wanted.subject,
    space: wanted.space ?? wanted.subject,
    scopes: wanted.scopes,
    collections: wanted.collections ?? null,
    expiresAt: wanted.expiresAt ?? null,
    name: wanted.name ?? null,
    createdAt: Date.now(),
  }
  await checkUsable(record, env)
  await writeToken(record, env)
  return json({ success: true, token, ...record }, 201)
}

/** Refuses a token that would be of no use: one that has expired, or whose sessions nobody could send. */
async function checkUsable(record: TokenRecord, env: Env): Promise<void> {
  if (record.expiresAt !== null && record.expiresAt <= record.createdAt) {
    const detail = 'expiresAt: lies in the past (milliseconds since 1970)'
    throw refusal({ code: 'invalid-request', detail })
  }
  await checkSendable(record, env, 'collections')
}

/** `GET /api/tokens`: what is known of the tokens, never the tokens. */
export async function showTokens({ env, query }: Exchange): Promise<Response> {
  const { cursor } = unwrap(parseQuery(TokensQuery, query))
  return json(await listTokens(cursor, env))
}

/** `DELETE /api/tokens/{id}`: the token and every session it opened end now. */
export async function revokeToken({ params, env }: Exchange): Promise<Response> {
  const record = await readToken(params.id ?? '', env)
  if (record === null) throw refusal({ code: 'not-found', detail: 'there is no token of this id' })
  await deleteToken(record, env)
  return json({ success: true, id: record.id })
}
