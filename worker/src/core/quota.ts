import { SPARE_BYTES } from './limits.ts'
import type { Plan } from './plan.ts'

/** What of a space is limited: its live entries, and the bytes that it takes in storage, all that is kept included. */
export const QUOTAS = ['entries', 'bytes'] as const
export type Quota = (typeof QUOTAS)[number]

/** How much of each. */
export type Amounts = { readonly [Q in Quota]: number }

/** What a write does to a space. */
export interface Growth {
  /** By how many the live entries grow or shrink. */
  readonly entries: number
  /** Whether it stores content. A deletion without a value is none: deleting must stay possible. */
  readonly content: boolean
  /** Whether it stores anything: a deletion, or the first record of a client. */
  readonly traces: boolean
}

export function growthOf({
  entries,
  stored,
  versions,
}: Pick<Plan, 'entries' | 'stored' | 'versions'>): Growth {
  const content = stored.some(({ seq }) => {
    const version = versions.get(seq)
    return version !== undefined && (!version.deleted || version.value !== undefined)
  })
  return { entries, content, traces: stored.length > 0 }
}

/**
 * The quota that leaves no room for a write; null if there is room. A write that adds no entry needs no room for
 * entries. Deletions and records of a full space go into its spare bytes, until those are used up too; a write that
 * leaves fewer entries always passes.
 */
export function exceeded({ entries, content, traces }: Growth, used: Amounts, limit: Amounts): Quota | null {
  if (entries > 0 && used.entries + entries > limit.entries) return 'entries'
  if (content && used.bytes >= limit.bytes) return 'bytes'
  return traces && entries >= 0 && used.bytes >= limit.bytes + SPARE_BYTES ? 'bytes' : null
}
