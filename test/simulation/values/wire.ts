/**
 * The shapes of the protocol, written from docs/spec.md as a client author would. Nothing is imported from the product.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export interface Change {
  readonly key: string
  readonly value?: Json
  readonly deleted?: true
  readonly timestamp: number
  readonly base?: string | null
  readonly baseValue?: Json
  readonly baseDeleted?: true
}

export interface Request {
  readonly batch?: number
  readonly clientTime?: number
  readonly cursor?: string | null
  readonly limit?: number
  readonly collections?: readonly string[]
  readonly atomic?: true
  readonly changes: readonly Change[]
}

export interface Entry {
  readonly key: string
  readonly value?: Json
  readonly deleted?: true
  readonly timestamp: number
  readonly version: string
  readonly by: string
}

export interface ResultLine {
  readonly key: string
  readonly status: 'applied' | 'merged' | 'noop' | 'superseded' | 'conflict' | 'rejected'
  readonly version?: string
  /** The value that a merge made. */
  readonly value?: Json
  readonly effectiveTimestamp?: number
  readonly code?: string
  /** The id of its conflict. */
  readonly conflict?: number
}

/**
 * One side of a conflict, without a version if it is a deletion that the space has dropped. `omitted`: not shown here.
 */
export type Side = Partial<Omit<Entry, 'key'>> & { readonly omitted?: true }

export interface ConflictReport {
  readonly id: number
  readonly key: string
  readonly policy: Policy
  readonly resolution: 'kept-server' | 'kept-client' | 'merged' | 'open' | 'resolved'
  readonly winner: Side
  readonly loser: Side
  /** The JSON pointers of what both sides changed. */
  readonly paths: readonly string[]
  readonly resolvedBy?: string
}

export const POLICIES = ['lww', 'server-wins', 'client-wins', 'merge', 'manual'] as const
export type Policy = (typeof POLICIES)[number]

export interface Reply {
  readonly serverTime: number
  readonly success: boolean
  readonly synced: readonly string[]
  readonly conflicts: readonly ConflictReport[]
  readonly results: readonly ResultLine[]
  readonly changes: readonly Entry[]
  readonly cursor?: string
  readonly more?: boolean
  readonly reset?: boolean
  readonly replayed: boolean
  readonly head: string
}

/** A message on a socket that is not a reply. */
export type Frame =
  | {
      readonly type: 'changes'
      readonly from: string | null
      readonly cursor: string
      readonly changes: readonly Entry[]
    }
  | { readonly type: 'poke'; readonly head: string }

/** A client's resolution of an open conflict. `base`: the version that the client sees. */
export interface Resolution {
  readonly id: number
  readonly choice: 'winner' | 'loser'
  readonly base: string | null
}

/** The server's response to a request. `lost`: the server died before it could reply. */
export type Answer =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'resolved'; readonly version: string | null; readonly replayed: boolean }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'lost' }

/** The sequence number of a version or cursor. Clients treat both as opaque. Only the checker reads them. */
export function seqOf(opaque: string): number {
  return Number(/\.(\d+)/.exec(opaque)?.[1] ?? Number.NaN)
}

export function collectionOf(key: string): string {
  return key.includes('/') ? key.slice(0, key.indexOf('/')) : 'default'
}

export function isGranted(collections: readonly string[] | null | undefined, key: string): boolean {
  return !collections || collections.includes(collectionOf(key))
}

/** Whether two values are the same JSON, whatever the order of their keys. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  return textOf(a) === textOf(b)
}

/** A text that is equal if and only if the JSON is equal. */
export function textOf(value: Json | undefined): string {
  return value === undefined ? '' : JSON.stringify(sorted(value))
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}
