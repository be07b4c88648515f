import type { Filter } from '../values/collections.ts'

/**
 * The scopes of a token. `sync:write` together with `sync:read` also resolves conflicts. `space:read` lists the devices
 * of a space. `space:admin` exports, imports and erases. `metrics:read` reads the metrics of the stack and opens
 * nothing in a space.
 */
export const SCOPES = ['sync:read', 'sync:write', 'space:read', 'space:admin', 'metrics:read'] as const
export type Scope = (typeof SCOPES)[number]

/**
 * The rights that a valid credential gives its holder. The credential is an API token or the token of an identity
 * provider.
 */
export interface Grant {
  /** The id by which the grant is revoked: of one credential, or of all credentials of one holder. */
  readonly id: string
  readonly subject: string
  readonly space: string
  readonly scopes: readonly Scope[]
  readonly collections: Filter
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Milliseconds since 1970; null for a grant that never expires. */
  readonly expiresAt: number | null
}

/** The grant of an identity provider's subject, the same for each token that it shows. */
export type SubjectGrant = Omit<Grant, 'id'>

/**
 * A verified session: the only source of the space's name and of every right in the space. Its field names cross RPC
 * between two releases.
 */
export interface Session {
  readonly id: string
  /** The id of the grant that opened the session. Revoking the grant ends the session. */
  readonly token: string
  readonly subject: string
  readonly space: string
  readonly client: string
  readonly scopes: readonly Scope[]
  /** The collections that the session may read and write; null for all. */
  readonly collections: Filter
  /** When the grant was issued, ms since 1970. A space refuses grants that were issued before its erasure. */
  readonly issuedAt: number
  /** Seconds since 1970. */
  readonly expiresAt: number
  /** The version of the client, as it told at the start of the session. */
  readonly clientVersion?: string | undefined
  /** The fingerprint of the admin token that opened the session. Absent in the sessions of apps. */
  readonly operator?: string | undefined
}

/** Begins the subject of an operator's session. */
export const OPERATOR = 'operator:'

/** Begins the client of an operator's session, and no other. */
export const OPERATOR_CLIENT = 'operator-'

/** A session as the Worker passes it to its space. */
export interface Caller extends Session {
  /**
   * The newest revision of the configuration that the Worker has read. The space reads KV only if its own revision is
   * older. Absent until the Worker has read the configuration, and in calls of a Worker of the previous release.
   */
  readonly configRevision?: number | undefined
}

/** Opens one socket for a session, in place of the session token. */
export interface Ticket {
  /** Identifies the ticket in the space's list of used tickets. */
  readonly id: string
  /** Seconds since 1970; never later than the session's expiry. */
  readonly expiresAt: number
  readonly session: Session
}

/**
 * The header in which the Worker passes the session to an object when it opens a socket, because a socket cannot be
 * passed through RPC. The platform redacts headers with such a name from its request logs.
 */
export const OPENING_HEADER = 'x-chronicle-auth'
