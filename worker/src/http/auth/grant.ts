import type { Grant, Session, SubjectGrant } from '../../core/access/session.ts'
import { MAX_SESSION_LENGTH, SESSION_TTL_SECONDS } from '../../core/values/access-limits.ts'

import { refusal } from '../exchange/refusal.ts'
import { tokenId } from '../kv/api-token.ts'
import { signSession } from './session-token.ts'

/** The longest id and version of a client. */
const LONGEST_TEXT = 'x'.repeat(64)

/** Makes a grant whose id depends only on the subject, so that all grants of a subject are revoked together. */
export async function subjectGrant(granted: SubjectGrant): Promise<Grant> {
  return { id: await tokenId(granted.subject), ...granted }
}

/** The session that a grant opens for a client now. */
export function newSession(grant: Grant, client: string, clientVersion?: string): Session {
  return {
    id: crypto.randomUUID(),
    token: grant.id,
    subject: grant.subject,
    space: grant.space,
    client,
    scopes: grant.scopes,
    collections: grant.collections,
    // The grant's time, not the session's: an erasure that voids the grant voids its sessions too.
    issuedAt: grant.createdAt,
    expiresAt: expiry(grant.expiresAt),
    ...(clientVersion !== undefined && { clientVersion }),
  }
}

/** Refuses a grant whose sessions would be too long to send. `field` names the collections in the message. */
export async function checkSendable(grant: Grant, env: Env, field: string): Promise<void> {
  const session = await signSession(newSession(grant, LONGEST_TEXT, LONGEST_TEXT), env)
  if (session.length <= MAX_SESSION_LENGTH) return
  const detail = `${field}: too many or too long. A session with them has ${session.length} characters, of at most ${MAX_SESSION_LENGTH}`
  throw refusal({ code: 'invalid-request', detail })
}

/** Returns when a session expires, seconds since 1970. A session does not outlive its token. */
function expiry(tokenExpiresAt: number | null): number {
  const longest = Math.floor(Date.now() / 1000) + SESSION_TTL_SECONDS
  return tokenExpiresAt === null ? longest : Math.min(longest, Math.floor(tokenExpiresAt / 1000))
}
