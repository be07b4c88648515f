import * as z from 'zod/mini'
import { MAX_HISTORY_VERSIONS } from '../core/values/limits.ts'
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

/** The query of `GET /api/live`: where the client's copy stands, and what it follows. */
export const LiveQuery = z.strictObject({
  cursor: z.optional(Opaque),
  collections: z.optional(z.pipe(NameList, Collections)),
})
export type LiveQuery = z.infer<typeof LiveQuery>

/** The query of `GET /api/status`. */
export const StatusQuery = z.strictObject({
  cursor: z.optional(Opaque),
  collections: z.optional(z.pipe(NameList, Collections)),
})
export type StatusQuery = z.infer<typeof StatusQuery>

/** The query of `GET /api/entries`. */
export const EntryQuery = z.strictObject({ key: z.string() })

/** The query of `GET /api/conflicts`: those with a greater id than `after`; only open ones, or of one key. */
export const ConflictsQuery = z.strictObject({
  after: z.optional(z.pipe(Digits, z.int().check(z.minimum(0)))),
  limit: z.optional(z.pipe(Digits, PageSize)),
  key: z.optional(z.string()),
  open: z.optional(z.literal('1')),
})
export type ConflictsQuery = z.infer<typeof ConflictsQuery>

/** The query of `GET /api/history`: `before` is where the last page ended. */
export const HistoryQuery = z.strictObject({
  key: z.string(),
  before: z.optional(z.string()),
  limit: z.optional(z.pipe(Digits, z.int().check(z.minimum(1), z.maximum(MAX_HISTORY_VERSIONS)))),
})
export type HistoryQuery = z.infer<typeof HistoryQuery>

/** The query of `POST /api/import`: which line of the export the body begins with. */
export const ImportQuery = z.strictObject({ line: z.optional(z.pipe(Digits, z.int().check(z.minimum(1)))) })

/** The query of `GET /api/tokens`. */
export const TokensQuery = z.strictObject({ cursor: z.optional(z.string()) })

/** The query of `GET /api/audit`. */
export const AuditQuery = z.strictObject({ cursor: z.optional(z.string()) })

/** A route without a query. */
export const NoQuery = z.strictObject({})
