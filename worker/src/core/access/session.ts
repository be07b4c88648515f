import type { Filter } from '../values/collections.ts'

/** What a token may allow. `sync:write` with `sync:read` also resolves conflicts; `space:admin` exports, imports and erases. */
export const SCOPES = ['sync:read', 'sync:write', 'space:admin'] as const
export type Scope = (typeof SCOPES)[number]

/** What a valid credential gives whoever shows it: an API token, or the token of an identity provider. */
export interface Grant {
  /** The credential, or all of one holder: revoked by it. */
  readonly id: string
  readonly subject: string
  readonly space: string
  readonly scopes: readonly Scope[]
  readonly collections: Filter
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
}

/** What a subject of an identity provider gets, whichever token it shows. */
export type SubjectGrant = Omit<Grant, 'id'>

/** Who is asking, as a verified session says: the only source of the space's name and of every right in it. */
export interface Session {
  readonly id: string
  /** The id of the grant that opened it: revoked with it. */
  readonly token: string
  readonly subject: string
  readonly space: string
  readonly client: string
  readonly scopes: readonly Scope[]
  /** The collections it may touch; null is all of them. */
  readonly collections: Filter
  /** When what opened it was made, ms since 1970: a space that was erased takes none from before. */
  readonly issuedAt: number
  /** Seconds since 1970. */
  readonly expiresAt: number
}

/** A session on its way to its space. */
export interface Caller extends Session {
  /**
   * The newest revision of the configuration that the Worker has read: its space reads KV only where it knows of none so
   * new. Absent before the Worker has read any, and in calls of a Worker of the last release.
   */
  readonly configRevision?: number | undefined
}

/** What opens one socket of a session, in the place of the session itself. */
export interface Ticket {
  /** By it the space knows that it was used. */
  readonly id: string
  /** Seconds since 1970; never after the session's. */
  readonly expiresAt: number
  readonly session: Session
}

/**
 * The header in which the Worker tells an object who opens a socket: a socket does not go through RPC. The platform
 * redacts headers of such a name wherever it logs requests.
 */
export const OPENING_HEADER = 'x-chronicle-auth'
