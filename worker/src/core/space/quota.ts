import type { Growth } from '../batch/plan.ts'
import { SPARE_BYTES } from '../values/limits.ts'

/** What of a space is limited: its live entries, and the bytes that it takes in storage, all that is kept included. */
export const QUOTAS = ['entries', 'bytes'] as const
export type Quota = (typeof QUOTAS)[number]

/** How much of each. */
export type Amounts = { readonly [Q in Quota]: number }

/**
 * The quota that leaves no room for a write; null if there is room. A write that adds no entry needs no room for
 * entries. Deletions and records of a full space go into its spare bytes, until those are used up too; after that only
 * a deletion that leaves one entry less is stored.
 */
export function exceeded({ entries, content, traces }: Growth, used: Amounts, limit: Amounts): Quota | null {
  if (entries > 0 && used.entries + entries > limit.entries) return 'entries'
  if (content && used.bytes >= limit.bytes) return 'bytes'
  return traces && used.bytes >= limit.bytes + SPARE_BYTES ? 'bytes' : null
}

/** `used`: null for a token of some collections, which is not told how much there is of the others. */
export interface QuotaExceeded {
  readonly code: 'quota-exceeded'
  readonly quota: Quota
  readonly limit: number
  readonly used: number | null
}
