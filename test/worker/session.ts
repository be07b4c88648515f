import { env } from 'cloudflare:workers'
import type { Session } from '../../worker/src/core/access/session.ts'
import { signSession } from '../../worker/src/http/auth/session-token.ts'

/** A session as the object's own functions are given it, past the edge. */
export function sessionOf(more: Partial<Session> = {}): Session {
  return {
    id: 'i',
    token: 't',
    subject: 's',
    space: 'any',
    client: 'reader',
    scopes: ['sync:read'],
    collections: null,
    issuedAt: Date.now(),
    expiresAt: 0,
    ...more,
  }
}

/** A session that counts for some minutes, in a space of its own. */
export function bareSession(): Session {
  const expiresAt = Math.floor(Date.now() / 1000) + 600
  const scopes = ['sync:read', 'sync:write'] as const
  return sessionOf({ id: crypto.randomUUID(), space: crypto.randomUUID(), client: 'c', scopes, expiresAt })
}

/** The token of such a session with something changed, signed as this environment does, or another one. */
export async function sessionLike(
  changed: Partial<Session> = {},
  environment: Partial<Env> = {},
): Promise<string> {
  return signSession({ ...bareSession(), ...changed }, { ...env, ...environment })
}
