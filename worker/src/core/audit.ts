import type { Scope } from './access/session.ts'

/**
 * The target of an audited act. Only these fields are kept, and only as the Worker has parsed them: nothing is copied
 * from the request.
 */
export interface AuditTarget {
  readonly tokenId?: string | undefined
  /** The token that replaced `tokenId`. */
  readonly replacedBy?: string | undefined
  readonly subject?: string | undefined
  readonly space?: string | undefined
  /** The scopes of a minted token. */
  readonly scopes?: readonly Scope[] | undefined
  /** The revision of the configuration. */
  readonly revision?: number | undefined
}

/** An act of an operator, or of a session on a whole space, whether it succeeded or was refused. */
export interface AuditRecord {
  /** When the act ended, ms since 1970. */
  readonly at: number
  /** The method and the pattern of the route. */
  readonly act: string
  readonly status: number
  readonly requestId: string
  /**
   * The fingerprint of the admin token, or `BY_SESSION`. A fingerprint tells one token from another and reveals nothing
   * of it.
   */
  readonly admin: string
  /** Null if the platform does not provide the address. */
  readonly address: string | null
  readonly target: AuditTarget
}

/** Stands in for the fingerprint, which has eight characters, when a session acted. */
export const BY_SESSION = 'session'

/** The prefix of audit records in KV. */
export const AUDIT_PREFIX = 'audit:'

/**
 * The KV name of a record. Names sort the newest record first. The `nonce` keeps a client, which chooses its own
 * request ids, from overwriting one record with another.
 */
export function auditName({ at, requestId }: AuditRecord, nonce: string): string {
  // The number has sixteen digits until the year 255,000.
  return `${AUDIT_PREFIX}${Number.MAX_SAFE_INTEGER - at}:${requestId}:${nonce}`
}

/** Matches any credential of the service: a token of either kind, a session, a generation of a key. */
const CREDENTIAL = /(?:chr|adm)_(?:dev|prod)_|eyJ[\w-]{10,}\.|\d:[A-Za-z0-9+/]{43}=/

/** Removes credentials that were sent by mistake in the place of a name. */
export function withoutCredentials(target: AuditTarget): AuditTarget {
  const { tokenId, replacedBy, subject, space, scopes, revision } = target
  return {
    tokenId,
    replacedBy,
    subject: unlessCredential(subject),
    space: unlessCredential(space),
    scopes,
    revision,
  }
}

function unlessCredential(name: string | undefined): string | undefined {
  return name === undefined || CREDENTIAL.test(name) ? undefined : name
}
