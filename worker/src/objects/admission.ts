import { IMPORT_RETRY_SECONDS } from '../core/limits.ts'
import { accepted, type Result, refused } from '../core/result.ts'
import type { Scope, Session } from '../core/session.ts'
import type { Space } from './space.ts'
import type { Revocation, Standing } from './store.ts'

/** What the space must know of a session to say whether it is still valid. */
export type Credential = Pick<Session, 'id' | 'token' | 'issuedAt'>

/**
 * Counts a request of a session that is valid against its budgets, before anything of the space is read for it. `now`
 * is the object's own clock: another one beside it would look like time that passes.
 */
export async function countRequest(space: Space, session: Session, now: number): Promise<Result<true>> {
  await space.refreshConfig(now)
  const known = checkCredential(space, session, now)
  return known.ok ? space.budgets.spend(session, space.config.requestsPerMinute, now) : known
}

/** Refuses a session that is not valid now, and any while the space is being filled: it would see half of it. */
export function checkSession(space: Space, credential: Credential, now: number): Result<true> {
  const known = checkCredential(space, credential, now)
  if (!known.ok || !isImporting(space.standing)) return known
  return refused({ code: 'importing', retryAfterSeconds: IMPORT_RETRY_SECONDS })
}

/** Refuses a session that has expired since the Worker verified it: an export or import may take longer. */
export function checkUnexpired({ expiresAt }: Session, now: number): Result<true> {
  return expiresAt * 1000 > now ? accepted(true) : refused({ code: 'session-expired' })
}

/** Whether an import has begun and not ended. */
function isImporting({ imported }: Pick<Standing, 'imported'>): boolean {
  return imported !== null && !imported.finished
}

/**
 * Refuses a session that was ended, whose token was revoked, or that is older than the erasure of the space.
 * The Worker has verified all else about it.
 */
export function checkCredential(
  { revoked, standing }: Space,
  { id, token, issuedAt }: Credential,
  now: number,
): Result<true> {
  const voided = [id, token].map((name) => voidedBy(revoked.get(name), now))
  const ended = issuedAt <= Math.max(...voided, standing.erasedAt)
  return ended ? refused({ code: 'revoked' }) : accepted(true)
}

/** Up to when what goes by an id was issued that no longer counts, ms. */
function voidedBy(revocation: Revocation | undefined, now: number): number {
  return revocation === undefined || now < revocation.since ? 0 : revocation.issuedBy
}

export function checkScope(session: Session, needed: Scope): Result<true> {
  return session.scopes.includes(needed) ? accepted(true) : refused({ code: 'forbidden-scope', needed })
}

/** Refuses a filter that names what the token does not grant: leaving it out silently would look like no data. */
export function checkCollections(session: Session, asked: readonly string[] | undefined): Result<true> {
  const { collections } = session
  const foreign = collections === null ? undefined : asked?.find((name) => !collections.includes(name))
  return foreign === undefined
    ? accepted(true)
    : refused({ code: 'forbidden-collection', collection: foreign })
}

/** Refuses what deals with the space as a whole, to a token without that scope or for some of its collections. */
export function checkWhole(session: Session): Result<true> {
  const allowed = checkScope(session, 'space:admin')
  if (!allowed.ok || session.collections === null) return allowed
  return refused({ code: 'forbidden-collection', collection: '*' })
}

/** Ends a session or all sessions of a token; remembered until no such session could be valid. */
export function revoke(space: Space, id: string, { now, ...wanted }: Revocation & { now: number }): void {
  // Whoever reads an old record from a cache may want a later end: what ends once is not put off.
  const since = Math.min(wanted.since, space.revoked.get(id)?.since ?? wanted.since)
  const revocation = { ...wanted, since }
  space.store.forgetRevoked(now)
  space.store.revoke(id, revocation)
  space.revoked.set(id, revocation)
}
