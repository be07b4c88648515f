import type { Filter } from './cursor.ts'

/** What a token may allow. `sync:write` also resolves conflicts; `space:admin` exports, imports and erases. */
export const SCOPES = ['sync:read', 'sync:write', 'space:admin'] as const
export type Scope = (typeof SCOPES)[number]

/** Who is asking, as a verified session says: the only source of the space's name and of every right in it. */
export interface Session {
  readonly id: string
  /** The token that opened it: revoked with it. */
  readonly token: string
  readonly subject: string
  readonly space: string
  readonly client: string
  readonly scopes: readonly Scope[]
  /** The collections it may touch; null is all of them. */
  readonly collections: Filter
  /** Milliseconds since 1970: a space that was erased takes none from before. */
  readonly issuedAt: number
  /** Seconds since 1970. */
  readonly expiresAt: number
}
