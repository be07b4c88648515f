import type { Session } from '../../core/access/session.ts'
import { MAX_KNOWN_LENGTH, MAX_KNOWN_SESSIONS } from '../../core/values/access-limits.ts'

/**
 * The sessions that this isolate has verified, by their whole tokens, least recently used first: verifying a token takes
 * longer than everything else that the edge does for a small request.
 */
const known = new Map<string, Session>()
/** The total length of their tokens, characters. */
let length = 0
/** The secret and the environment under which they were verified. Any others verify no token of these. */
let verifier = { key: '', environment: '' }

/** The session of a token that was verified before, unless it has expired. Revocation is the space's to know. */
export function recallSession(token: string, env: Env): Session | undefined {
  if (!isVerifier(env)) return undefined
  const session = known.get(token)
  if (session === undefined) return undefined
  forget(token)
  if (session.expiresAt * 1000 <= Date.now()) return undefined
  keep(token, session)
  return session
}

/** Remembers the session of a valid token, and returns it. Nobody can change it any more. */
export function rememberSession(token: string, session: Session, env: Env): Session {
  if (!isVerifier(env)) forgetAllFor(env)
  forget(token)
  const frozen = frozenCopy(session)
  keep(token, frozen)
  for (const [oldest] of known) {
    if (known.size <= MAX_KNOWN_SESSIONS && length <= MAX_KNOWN_LENGTH) break
    forget(oldest)
  }
  return frozen
}

function isVerifier({ SESSION_KEY, ENVIRONMENT }: Env): boolean {
  return verifier.key === SESSION_KEY && verifier.environment === ENVIRONMENT
}

function forgetAllFor({ SESSION_KEY, ENVIRONMENT }: Env): void {
  known.clear()
  length = 0
  verifier = { key: SESSION_KEY, environment: ENVIRONMENT }
}

function keep(token: string, session: Session): void {
  known.set(token, session)
  length += token.length
}

function forget(token: string): void {
  if (known.delete(token)) length -= token.length
}

function frozenCopy({ scopes, collections, ...rest }: Session): Session {
  return Object.freeze({
    ...rest,
    scopes: Object.freeze([...scopes]),
    collections: collections && Object.freeze([...collections]),
  })
}
