/** The protocol's shapes as docs/spec.md tells them to client authors; nothing here is imported from the product. */

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
  /** What a merge made. */
  readonly value?: Json
  readonly effectiveTimestamp?: number
  readonly code?: string
  /** The id of its conflict. */
  readonly conflict?: number
}

/** One side of a conflict; no version where it is a deletion that is long forgotten. `omitted`: not shown here. */
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

/** What a client hears on a socket without having asked. */
export type Frame =
  | {
      readonly type: 'changes'
      readonly from: string | null
      readonly cursor: string
      readonly changes: readonly Entry[]
    }
  | { readonly type: 'poke'; readonly head: string }

/** How a client wants an open conflict to end. `base`: the version that it sees standing. */
export interface Resolution {
  readonly id: number
  readonly choice: 'winner' | 'loser'
  readonly base: string | null
}

/** What a server makes of a request. `lost`: it died before it could answer. */
export type Answer =
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'resolved'; readonly version: string | null; readonly replayed: boolean }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'lost' }

/** The place of a version or cursor in its space's order. Clients do not look into one: only the checker does. */
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

/** A text that is the same exactly for the same JSON. */
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
