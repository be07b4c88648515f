import type { Scope, Session, Ticket } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import { IMPORT_RETRY_SECONDS } from '../../core/values/limits.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import type { Revocation } from '../store/revocation-rows.ts'
import type { SpaceState } from '../store/store.ts'
import type { Space } from './space.ts'

/** The part of a session that tells whether it was revoked. */
export type Credential = Pick<Session, 'id' | 'token' | 'issuedAt'>

/**
 * Charges a request of a valid session to its budgets, before anything in the space is read for it. `now` must come from
 * the object's own clock: a second clock would look like time passing.
 */
export function spendBudget(space: Space, session: Session, now: number): Promise<Result<true, Fault>> {
  return space.tracer.span('admission', async () => {
    await space.refreshConfig(now)
    const known = checkCredential(space, session, now)
    return known.ok ? space.budgets.spend(session, space.config.requestsPerMinute, now) : known
  })
}

/** Refuses a revoked session, and every session during an import: it would see half of the space. */
export function checkSession(space: Space, credential: Credential, now: number): Result<true, Fault> {
  const known = checkCredential(space, credential, now)
  if (!known.ok || !isImporting(space.state)) return known
  return refused({ code: 'importing', retryAfterSeconds: IMPORT_RETRY_SECONDS })
}

/** Refuses a session that has expired since the Worker verified it. An export or import may outlast its session. */
export function checkUnexpired({ expiresAt }: Session, now: number): Result<true, Fault> {
  return expiresAt * 1000 > now ? accepted(true) : refused({ code: 'session-expired' })
}

/** Whether an import has begun and is not finished. */
function isImporting({ imported }: Pick<SpaceState, 'imported'>): boolean {
  return imported !== null && !imported.finished
}

/**
 * Refuses a session that was ended, whose token was revoked, or that was issued before the space was erased.
 * The Worker has verified everything else.
 */
export function checkCredential(
  { revoked, state }: Space,
  { id, token, issuedAt }: Credential,
  now: number,
): Result<true, Fault> {
  if (issuedAt <= state.erasedAt) return refused({ code: 'revoked', of: 'space' })
  if (issuedAt <= revokedUpTo(revoked.get(token), now)) return refused({ code: 'revoked' })
  return issuedAt <= revokedUpTo(revoked.get(id), now)
    ? refused({ code: 'revoked', of: 'session' })
    : accepted(true)
}

/** Returns the time up to which issued credentials are void, ms. 0 voids none. */
function revokedUpTo(revocation: Revocation | undefined, now: number): number {
  return revocation === undefined || now < revocation.since ? 0 : revocation.issuedBy
}

export function checkScope(session: Session, needed: Scope): Result<true, Fault> {
  return session.scopes.includes(needed) ? accepted(true) : refused({ code: 'forbidden-scope', needed })
}

/** Refuses a filter that names a collection outside the grant. Dropping it silently would look like an empty collection. */
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

/** Refuses an operation on the whole space to a token without its scope, or with a grant for some collections only. */
export function checkWhole(session: Session, needed: Scope = 'space:admin'): Result<true, Fault> {
  const allowed = checkScope(session, needed)
  if (!allowed.ok || session.collections === null) return allowed
  return refused({ code: 'forbidden-collection', collection: '*' })
}

/**
 * Revokes a session or all sessions of a token, and returns the revocation now in force. The revocation is kept until
 * no such session could be valid. It is never weakened, although a Worker that has read an old record from a cache may
 * ask for a weaker one.
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
 * Uses up the ticket of a socket, if there is one, and refuses a used ticket. The use is stored in a row, like a
 * revocation, because an object may restart within the ticket's minute. `now` must come from the object's own clock:
 * otherwise the row could be deleted while a Worker whose clock is behind still accepts the ticket.
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

/** Deletes revocations of credentials that have expired, from memory as well: an object may live for weeks. */
function forgetRevoked({ store, revoked }: Space, now: number): void {
  store.forgetRevoked(now)
  for (const [id, { until }] of revoked) if (until < now) revoked.delete(id)
}
