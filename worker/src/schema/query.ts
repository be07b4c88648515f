import * as z from 'zod/mini'
import { Collections, Opaque, PageSize } from './name.ts'

const Digits = z.pipe(
  z.string().check(z.regex(/^\d{1,15}$/, 'expected a whole number')),
  z.transform((digits: string) => Number(digits)),
)

const NameList = z.pipe(
  z.string(),
  z.transform((list: string) => list.split(',')),
)

/** The query of `GET /api/changes`; `collections` is a list parted by commas. */
export const ChangesQuery = z.strictObject({
  cursor: z.optional(Opaque),
  limit: z.optional(z.pipe(Digits, PageSize)),
  collections: z.optional(z.pipe(NameList, Collections)),
})
export type ChangesQuery = z.infer<typeof ChangesQuery>

/** The query of `GET /api/status`. */
export const StatusQuery = z.strictObject({ cursor: z.optional(Opaque) })

/** The query of `GET /api/entries`. */
export const EntryQuery = z.strictObject({ key: z.string() })

/** The query of `GET /api/conflicts`: those with a greater id than `after`, of one key if it is named. */
export const ConflictsQuery = z.strictObject({
  after: z.optional(Digits),
  limit: z.optional(z.pipe(Digits, PageSize)),
  key: z.optional(z.string()),
})
export type ConflictsQuery = z.infer<typeof ConflictsQuery>

/** The query of `GET /api/tokens`. */
export const TokensQuery = z.strictObject({ cursor: z.optional(z.string()) })

/** A route without a query. */
export const NoQuery = z.strictObject({})
