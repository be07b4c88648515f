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
  /** Whether it stores content. A deletion without a value is none: taking away must stay possible. */
  readonly content: boolean
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
  return { entries, content }
}

/** The quota that leaves no room for a write; null if there is. What adds no entry needs none for entries. */
export function exceeded({ entries, content }: Growth, used: Amounts, limit: Amounts): Quota | null {
  if (entries > 0 && used.entries + entries > limit.entries) return 'entries'
  return content && used.bytes >= limit.bytes ? 'bytes' : null
}
