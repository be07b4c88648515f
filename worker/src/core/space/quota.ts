import type { Growth } from '../batch/plan.ts'
import { SPARE_BYTES } from '../values/limits.ts'

/** The limits of a space: its live entries, and the bytes of storage it uses, everything included. */
export const QUOTAS = ['entries', 'bytes'] as const
export type Quota = (typeof QUOTAS)[number]

/** An amount of each. */
export type Amounts = { readonly [Q in Quota]: number }

/**
 * The quota that leaves no room for a write; null if there is room. A write that adds no entry needs no room for
 * entries. Deletions and client records of a full space use its spare bytes. Once these are used up, only a deletion
 * that removes an entry is stored.
 */
export function exceeded({ entries, content, traces }: Growth, used: Amounts, limit: Amounts): Quota | null {
  if (entries > 0 && used.entries + entries > limit.entries) return 'entries'
  if (content && used.bytes >= limit.bytes) return 'bytes'
  return traces && used.bytes >= limit.bytes + SPARE_BYTES ? 'bytes' : null
}

/** Nine tenths of a quota: the operator still has time to act. */
const NEAR = 0.9

export function isNearQuota(used: Amounts, limit: Amounts): boolean {
  return QUOTAS.some((quota) => used[quota] >= NEAR * limit[quota])
}

export function isFull(used: Amounts, limit: Amounts): boolean {
  return QUOTAS.some((quota) => used[quota] >= limit[quota])
}

/** `used` is null for a token of some collections, which may not learn the size of the others. */
export interface QuotaExceeded {
  readonly code: 'quota-exceeded'
  readonly quota: Quota
  readonly limit: number
  readonly used: number | null
}
