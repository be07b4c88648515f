import type { Scope } from './access/session.ts'

/** What an act was about. These fields only, of what the Worker has understood: nothing of a request is copied. */
export interface AuditTarget {
  readonly tokenId?: string | undefined
  /** The token that came in the place of `tokenId`. */
  readonly replacedBy?: string | undefined
  readonly subject?: string | undefined
  readonly space?: string | undefined
  /** What the token that was minted allows. */
  readonly scopes?: readonly Scope[] | undefined
  /** Of the configuration. */
  readonly revision?: number | undefined
}

/** Something that an operator did, or a session with a whole space, or was refused. */
export interface AuditRecord {
  /** When it had ended, ms since 1970. */
  readonly at: number
  /** Method and pattern of the route. */
  readonly act: string
  readonly status: number
  readonly requestId: string
  /** The fingerprint of the admin token: tells it from another, and says nothing about it. Or `BY_SESSION`. */
  readonly admin: string
  /** Null where the platform does not tell. */
  readonly address: string | null
  readonly target: AuditTarget
}

/** In the place of a fingerprint, which has eight characters, where a session acted: by a token of its own. */
export const BY_SESSION = 'session'

/** Under it the records are in KV. */
export const AUDIT_PREFIX = 'audit:'

/**
 * The name of a record, such that the newest is listed first. `nonce`: a client chooses its request ids, and must not
 * be able to write over one record with another.
 */
export function auditName({ at, requestId }: AuditRecord, nonce: string): string {
  // Sixteen digits until the year 255,000.
  return `${AUDIT_PREFIX}${Number.MAX_SAFE_INTEGER - at}:${requestId}:${nonce}`
}

/** Any of ours: a token of either kind, a session, a generation of a key. */
const CREDENTIAL = /(?:chr|adm)_(?:dev|prod)_|eyJ[\w-]{10,}\.|\d:[A-Za-z0-9+/]{43}=/

/** A target without what was put into the place of a name by mistake, and is none. */
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
