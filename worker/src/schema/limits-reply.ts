import * as z from 'zod/mini'
import type { PUBLISHED_LIMITS } from '../core/values/limits.ts'

/** What a client needs to know to stay within bounds. */
export const Limits = z.object({
  keyBytes: z.int(),
  valueBytes: z.int(),
  changes: z.int(),
  bodyBytes: z.int(),
  messageBytes: z.int(),
  depth: z.int(),
  pageEntries: z.int(),
} satisfies Record<keyof typeof PUBLISHED_LIMITS, z.ZodMiniType>)
