import type { Scope, Session, Ticket } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import { IMPORT_RETRY_SECONDS } from '../../core/values/limits.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import type { Revocation } from '../store/revocation-rows.ts'
import type { SpaceState } from '../store/store.ts'
import type { Space } from './space.ts'

/** What the space must know of a session to say whether it is still valid. */
export type Credential = Pick<Session, 'id' | 'token' | 'issuedAt'>

/**
 * Counts a request of a session that is valid against its budgets, before anything of the space is read for it. `now`
 * is the object's own clock: another one beside it would look like time that passes.
 */
export async function spendBudget(space: Space, session: Session, now: number): Promise<Result<true, Fault>> {
  await space.refreshConfig(now)
  const known = checkCredential(space, session, now)
  return known.ok ? space.budgets.spend(session, space.config.requestsPerMinute, now) : known
}

/** Refuses a session that is not valid now, and any while the space is being filled: it would see half of it. */
export function checkSession(space: Space, credential: Credential, now: number): Result<true, Fault> {
  const known = checkCredential(space, credential, now)
  if (!known.ok || !isImporting(space.state)) return known
  return refused({ code: 'importing', retryAfterSeconds: IMPORT_RETRY_SECONDS })
}

/** Refuses a session that has expired since the Worker verified it: an export or import may take longer. */
export function checkUnexpired({ expiresAt }: Session, now: number): Result<true, Fault> {
  return expiresAt * 1000 > now ? accepted(true) : refused({ code: 'session-expired' })
}

/** Whether an import has begun and not ended. */
function isImporting({ imported }: Pick<SpaceState, 'imported'>): boolean {
  return imported !== null && !imported.finished
}

/**
 * Refuses a session that was ended, whose token was revoked, or that is older than the erasure of the space.
 * The Worker has verified all else about it.
 */
export function checkCredential(
  { revoked, state }: Space,
  { id, token, issuedAt }: Credential,
  now: number,
): Result<true, Fault> {
  if (issuedAt <= state.erasedAt) return refused({ code: 'revoked', of: 'space' })
  if (issuedAt <= voidedBy(revoked.get(token), now)) return refused({ code: 'revoked' })
  return issuedAt <= voidedBy(revoked.get(id), now)
    ? refused({ code: 'revoked', of: 'session' })
    : accepted(true)
}

/** Up to when what goes by an id was issued that no longer counts, ms. */
function voidedBy(revocation: Revocation | undefined, now: number): number {
  return revocation === undefined || now < revocation.since ? 0 : revocation.issuedBy
}

export function checkScope(session: Session, needed: Scope): Result<true, Fault> {
  return session.scopes.includes(needed) ? accepted(true) : refused({ code: 'forbidden-scope', needed })
}

/** Refuses a filter that names what the token does not grant: leaving it out silently would look like no data. */
export function checkCollections(
  session: Session,
  asked: readonly string[] | undefined,
): Result<true, Fault> {
  const { collections } = session
  const foreign = collections === null ? undefined : asked?.find((name) => !collections.includes(name))
  return foreign === undefined
    ? accepted(true)
    : refused({ code: 'forbidden-collection', collection: foreign })
}

/** Refuses what deals with the space as a whole, to a token without that scope or for some of its collections. */
export function checkWhole(session: Session): Result<true, Fault> {
  const allowed = checkScope(session, 'space:admin')
  if (!allowed.ok || session.collections === null) return allowed
  return refused({ code: 'forbidden-collection', collection: '*' })
}

/**
 * Ends a session or all sessions of a token, and gives what then holds: remembered until no such session could be valid.
 * An end never moves later and covers no less than before: a Worker that read an old record from a cache may ask for that.
 */
export function revoke(
  space: Space,
  id: string,
  { now, ...wanted }: Revocation & { now: number },
): Revocation {
  forgetRevoked(space, now)
  const known = space.revoked.get(id)
  if (known !== undefined && covers(known, wanted)) return known
  const { since, until, issuedBy } = known ?? wanted
  const revocation = {
    since: Math.min(since, wanted.since),
    until: Math.max(until, wanted.until),
    issuedBy: Math.max(issuedBy, wanted.issuedBy),
  }
  space.store.revoke(id, revocation)
  space.revoked.set(id, revocation)
  return revocation
}

function covers(known: Revocation, wanted: Revocation): boolean {
  return known.since <= wanted.since && known.until >= wanted.until && known.issuedBy >= wanted.issuedBy
}

/**
 * Uses up the ticket of a socket, if there is one, and refuses one that was used. In a row, like what was revoked: an
 * object may restart within the minute. By the object's own clock, or a row could be forgotten while a Worker whose
 * clock is behind still takes the ticket.
 */
export function spendTicket(
  space: Space,
  ticket: Pick<Ticket, 'id' | 'expiresAt'> | undefined,
  now: number,
): Result<true, Fault> {
  if (ticket === undefined) return accepted(true)
  const until = ticket.expiresAt * 1000
  if (until <= now || space.revoked.has(ticket.id)) return refused({ code: 'ticket-spent' })
  revoke(space, ticket.id, { now, until, issuedBy: Number.MAX_SAFE_INTEGER, since: 0 })
  return accepted(true)
}

/** Forgets what could no longer be valid anyhow, in memory as well: an object may live for weeks. */
function forgetRevoked({ store, revoked }: Space, now: number): void {
  store.forgetRevoked(now)
  for (const [id, { until }] of revoked) if (until < now) revoked.delete(id)
}
