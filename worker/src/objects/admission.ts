import { accepted, type Result, refused } from '../core/result.ts'
import type { Scope, Session } from '../core/session.ts'
import type { Space } from './space.ts'

/** Refuses a session that was ended, or whose token was revoked. The Worker has verified all else about it. */
export function checkSession(space: Space, session: Pick<Session, 'id' | 'token'>): Result<true> {
  const ended = space.revoked.has(session.id) || space.revoked.has(session.token)
  return ended ? refused({ code: 'revoked' }) : accepted(true)
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

/** Ends a session or all sessions of a token, at once; remembered until no such session could be valid. */
export function revoke(space: Space, id: string, { now, until }: { now: number; until: number }): void {
  space.store.forgetRevoked(now)
  space.store.revoke(id, until)
  space.revoked.add(id)
}
