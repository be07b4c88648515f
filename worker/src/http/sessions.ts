import {
  IDENTITY_CLOCK_TOLERANCE_SECONDS,
  MAX_IDENTITY_AGE_SECONDS,
  SESSION_TTL_SECONDS,
} from '../core/limits.ts'
import { parseBody } from '../schema/parse.ts'
import { SessionsRequest } from '../schema/sessions.ts'
import { tokenId } from './api-token.ts'
import type { About } from './audit.ts'
import { readBody } from './body.ts'
import { type Exchange, json, spaceOf } from './exchange.ts'
import { unwrap } from './refusal.ts'

/** How long what is ended could have lasted: the oldest token that opens a session, and that session. */
const LONGEST_MS = (MAX_IDENTITY_AGE_SECONDS + SESSION_TTL_SECONDS + IDENTITY_CLOCK_TOLERANCE_SECONDS) * 1000

/**
 * `DELETE /api/sessions`: ends, in one space, every session of an identity provider's subject, and voids every token
 * that the provider has given it by now. One that it gives later counts: whom to let in is for the provider to say.
 */
export async function endSessions({ request, env }: Exchange, about: About): Promise<Response> {
  const { subject, space = subject } = unwrap(parseBody(SessionsRequest, await readBody(request)))
  about({ subject, space })
  const now = Date.now()
  await spaceOf(env, { space }).revoke(await tokenId(subject), now + LONGEST_MS, now)
  return json({ success: true, subject, space })
}
