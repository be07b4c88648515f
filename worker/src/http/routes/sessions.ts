import {
  IDENTITY_CLOCK_TOLERANCE_SECONDS,
  MAX_IDENTITY_AGE_SECONDS,
  SESSION_TTL_SECONDS,
} from '../../core/values/access-limits.ts'

import { parseBody } from '../../schema/parse.ts'
import { SessionsRequest } from '../../schema/request/sessions.ts'
import { readBody } from '../exchange/body.ts'
import { type Exchange, json, spaceOf } from '../exchange/exchange.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'
import { tokenId } from '../kv/api-token.ts'
import type { AddTarget } from '../kv/audit-log.ts'
import { currentConfig } from '../kv/config-store.ts'

/**
 * The longest remaining life of an ended session: that of the oldest token that can open one, and of the session
 * itself.
 */
const LONGEST_MS = (MAX_IDENTITY_AGE_SECONDS + SESSION_TTL_SECONDS + IDENTITY_CLOCK_TOLERANCE_SECONDS) * 1000

/**
 * `DELETE /api/sessions`: in one space, ends every session of an identity provider's subject and voids every token that
 * the provider has issued to it so far. Later tokens are valid, because the provider decides whom to admit.
 */
export async function endSessions({ request, env }: Exchange, addTarget: AddTarget): Promise<Response> {
  const wanted = unwrap(parseBody(SessionsRequest, await readBody(request)))
  const { subject } = wanted
  addTarget(wanted)
  if (!SUBJECT.test(subject)) {
    const detail = 'subject: expected <issuer>#sub=<value>, with the sub claim of the token'
    throw refusal({ code: 'invalid-request', detail })
  }
  const space = wanted.space ?? (await ownSpaceOf(subject, env))
  addTarget({ space })
  const now = Date.now()
  await spaceOf(env, { space }).revoke(await tokenId(subject), now + LONGEST_MS, now)
  return json({ success: true, subject, space })
}

/** The claim that names a subject (OpenID Connect Core, 2). No session has another one. */
const SUBJECT = /^[^#]+#sub=/

/** The space of a subject whose provider gives each subject its own. For other subjects the space must be named. */
async function ownSpaceOf(subject: string, env: Env): Promise<string> {
  const { identityProviders } = await currentConfig(env)
  const [issuer] = subject.split('#')
  const claim = identityProviders.find((provider) => provider.issuer === issuer)?.spaceClaim
  if (claim === 'sub') return subject
  const why =
    claim === undefined
      ? 'the configuration has no provider with this issuer'
      : `subjects of this provider share spaces by their claim ${claim}`
  const detail = `space: required, because ${why}. Name the space as <issuer>#<claim>=<value>`
  throw refusal({ code: 'invalid-request', detail })
}
