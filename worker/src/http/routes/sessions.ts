import {
  IDENTITY_CLOCK_TOLERANCE_SECONDS,
  MAX_IDENTITY_AGE_SECONDS,
  SESSION_TTL_SECONDS,
} from '../../core/values/limits.ts'
import { parseBody } from '../../schema/parse.ts'
import { SessionsRequest } from '../../schema/sessions.ts'
import { readBody } from '../exchange/body.ts'
import { type Exchange, json, spaceOf } from '../exchange/exchange.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'
import { tokenId } from '../kv/api-token.ts'
import type { About } from '../kv/audit-log.ts'
import { currentConfig } from '../kv/config-store.ts'

/** How long what is ended could have lasted: the oldest token that opens a session, and that session. */
const LONGEST_MS = (MAX_IDENTITY_AGE_SECONDS + SESSION_TTL_SECONDS + IDENTITY_CLOCK_TOLERANCE_SECONDS) * 1000

/**
 * `DELETE /api/sessions`: ends, in one space, every session of an identity provider's subject, and voids every token
 * that the provider has given it by now. One that it gives later counts: whom to let in is for the provider to say.
 */
export async function endSessions({ request, env }: Exchange, about: About): Promise<Response> {
  const wanted = unwrap(parseBody(SessionsRequest, await readBody(request)))
  const { subject } = wanted
  about(wanted)
  if (!SUBJECT.test(subject)) {
    const detail = 'subject: expected <issuer>#sub=<value>, as the sub of the token says'
    throw refusal({ code: 'invalid-request', detail })
  }
  const space = wanted.space ?? (await ownSpaceOf(subject, env))
  about({ space })
  const now = Date.now()
  await spaceOf(env, { space }).revoke(await tokenId(subject), now + LONGEST_MS, now)
  return json({ success: true, subject, space })
}

/** The claim that names a subject (OpenID Connect Core, 2): a session of another one never was. */
const SUBJECT = /^[^#]+#sub=/

/** The space that is a subject's own, where its provider gives each subject one: elsewhere nothing would end. */
async function ownSpaceOf(subject: string, env: Env): Promise<string> {
  const { identityProviders } = await currentConfig(env)
  const [issuer] = subject.split('#')
  const claim = identityProviders.find((provider) => provider.issuer === issuer)?.spaceClaim
  if (claim === 'sub') return subject
  const why =
    claim === undefined
      ? 'the configuration names no provider of this issuer'
      : `subjects of this provider share spaces, by their claim ${claim}`
  const detail = `space: is missing, and ${why}; name the space, as <issuer>#<claim>=<value>`
  throw refusal({ code: 'invalid-request', detail })
}
