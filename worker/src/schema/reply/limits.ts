import * as z from 'zod/mini'
import type { PUBLISHED_LIMITS } from '../../core/values/limits.ts'
import { field, named } from './described.ts'

export const Limits = named(
  'The limits that a client must stay within.',
  z.object({
    keyBytes: field('The longest key, bytes of UTF-8.', z.int()),
    valueBytes: field('The largest value, bytes of JSON.', z.int()),
    changes: field('The most changes of a request.', z.int()),
    bodyBytes: field('The largest request body, bytes.', z.int()),
    messageBytes: field('The largest message on a socket, bytes.', z.int()),
    depth: field('The deepest nesting of a value.', z.int()),
    pageEntries: field('The most entries of a page.', z.int()),
  } satisfies Record<keyof typeof PUBLISHED_LIMITS, z.ZodMiniType>),
)
