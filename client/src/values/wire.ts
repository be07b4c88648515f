import type { components } from './openapi.ts'

type Shapes = components['schemas']

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

export type AuthReply = Shapes['AuthReply']
export type SyncReply = Shapes['SyncReply']
export type SyncRequest = Shapes['SyncRequest']
export type Result = Shapes['ChangeResult']
export type Change = Shapes['Change']
export type FeedEntry = Shapes['Entry']
export type Conflict = Shapes['Conflict']
export type Frame = Shapes['ServerFrame']
export type HistoryReply = Shapes['HistoryReply']
export type ResetReason = NonNullable<SyncReply['resetReason']>

/** A refusal of the service (RFC 9457), with the fields that this client reads. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly detail: string
  /** Seconds to wait, of the body or of `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** The next batch number. */
  readonly expected?: number
  readonly reset?: boolean
  readonly epoch?: string
}
