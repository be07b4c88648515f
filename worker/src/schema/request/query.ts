import * as z from 'zod/mini'
import { ORDERS } from '../../core/report/listing.ts'
import { MAX_HISTORY_VERSIONS, MAX_LISTED_ENTRIES } from '../../core/values/limits.ts'
import { MAX_PAGE_DEVICES, MAX_PAGE_SPACES } from '../../core/values/report-limits.ts'
import { Collections, Opaque, PageSize } from '../atoms.ts'
import type { FieldWords } from '../words.ts'

const COLLECTIONS =
  'Only these collections: the part of a key before its first slash, or `default`. A comma-separated list is accepted too.'

const Digits = z.pipe(
  z.string().check(z.regex(/^\d{1,15}$/, 'expected a whole number')),
  z.transform((digits: string) => Number(digits)),
)

const NameList = z.pipe(
  z.string(),
  z.transform((list: string) => list.split(',')),
)

/** The query of `GET /api/changes`. `collections` is a comma-separated list. */
export const ChangesQuery = z.strictObject({
  cursor: z.optional(Opaque),
  limit: z.optional(z.pipe(Digits, PageSize)),
  collections: z.optional(z.pipe(NameList, Collections)),
})
export type ChangesQuery = z.infer<typeof ChangesQuery>

export const CHANGES_QUERY_WORDS: FieldWords<typeof ChangesQuery> = {
  cursor: 'The position to continue from. Defaults to the start of the feed.',
  limit: 'The most entries of the page.',
  collections: COLLECTIONS,
}

/** The query of `GET /api/live`: the cursor of the client's copy, and the collections that it follows. */
export const LiveQuery = z.strictObject({
  cursor: z.optional(Opaque),
  collections: z.optional(z.pipe(NameList, Collections)),
})
export type LiveQuery = z.infer<typeof LiveQuery>

export const LIVE_QUERY_WORDS: FieldWords<typeof LiveQuery> = {
  cursor: "The cursor of the client's copy. Without it, only later changes come.",
  collections: COLLECTIONS,
}

/** The query of `GET /api/status`. */
export const StatusQuery = z.strictObject({
  cursor: z.optional(Opaque),
  collections: z.optional(z.pipe(NameList, Collections)),
})
export type StatusQuery = z.infer<typeof StatusQuery>

export const STATUS_QUERY_WORDS: FieldWords<typeof StatusQuery> = {
  cursor: 'Count `pending` from here. Defaults to the start of the feed.',
  collections: 'The collections that the cursor was made with. A comma-separated list is accepted too.',
}

function pageSize(most: number) {
  return z.optional(z.pipe(Digits, z.int().check(z.minimum(1), z.maximum(most))))
}

/** The query of `GET /api/entries`: one key, or a prefix of keys. */
export const EntryQuery = z.strictObject({
  key: z.optional(z.string()),
  prefix: z.optional(z.string()),
  after: z.optional(z.string()),
  limit: pageSize(MAX_LISTED_ENTRIES),
})
/** The part of the query for a prefix. */
export type EntriesQuery = Omit<z.infer<typeof EntryQuery>, 'key'> & { readonly prefix: string }

export const ENTRY_QUERY_WORDS: FieldWords<typeof EntryQuery> = {
  key: 'The key of one entry. May contain slashes and dots.',
  prefix: 'In place of a key: lists the entries whose keys begin with it. Empty for all.',
  after: 'The `next` of the previous page of a list.',
  limit: 'The most entries of the page of a list.',
}

/** The query of `GET /api/clients`. */
export const DevicesQuery = z.strictObject({
  after: z.optional(z.string()),
  limit: pageSize(MAX_PAGE_DEVICES),
})
export type DevicesQuery = z.infer<typeof DevicesQuery>

export const DEVICES_QUERY_WORDS: FieldWords<typeof DevicesQuery> = {
  after: 'The `next` of the previous page.',
  limit: 'The most clients of the page.',
}

/** The query of `GET /api/spaces`. */
export const SpacesQuery = z.strictObject({
  order: z.optional(z.enum(ORDERS)),
  prefix: z.optional(z.string()),
  after: z.optional(z.string()),
  limit: pageSize(MAX_PAGE_SPACES),
})

export const SPACES_QUERY_WORDS: FieldWords<typeof SpacesQuery> = {
  order:
    'By name (the default), by bytes with the largest first (`size`), by the last change with the oldest first (`age`), or with the most open conflicts first (`conflicts`).',
  prefix: 'Only spaces whose names begin with it.',
  after: 'The `next` of the previous page, in the same order.',
  limit: 'The most spaces of the page.',
}

/** The query of `GET /api/conflicts`: conflicts with an id greater than `after`, optionally open ones or of one key. */
export const ConflictsQuery = z.strictObject({
  after: z.optional(z.pipe(Digits, z.int().check(z.minimum(0)))),
  limit: z.optional(z.pipe(Digits, PageSize)),
  key: z.optional(z.string()),
  open: z.optional(z.literal('1')),
})
export type ConflictsQuery = z.infer<typeof ConflictsQuery>

export const CONFLICTS_QUERY_WORDS: FieldWords<typeof ConflictsQuery> = {
  after: 'The `next` of the previous page.',
  limit: 'The most conflicts of the page.',
  key: 'Only conflicts of this key.',
  open: 'Only conflicts that wait for a decision.',
}

/** The query of `GET /api/history`. `before` is the end of the previous page. */
export const HistoryQuery = z.strictObject({
  key: z.string(),
  before: z.optional(z.string()),
  limit: pageSize(MAX_HISTORY_VERSIONS),
})
export type HistoryQuery = z.infer<typeof HistoryQuery>

export const HISTORY_QUERY_WORDS: FieldWords<typeof HistoryQuery> = {
  key: 'May contain slashes and dots.',
  before: 'The `next` of the previous page.',
  limit: 'The most versions of the page.',
}

/** The query of `POST /api/import`: the line of the export that the body begins with. */
export const ImportQuery = z.strictObject({ line: z.optional(z.pipe(Digits, z.int().check(z.minimum(1)))) })

export const IMPORT_QUERY_WORDS: FieldWords<typeof ImportQuery> = {
  line: 'The number of the first line of the body, from 1. Defaults to 1.',
}

/** The query of `GET /api/tokens`. */
export const TokensQuery = z.strictObject({ cursor: z.optional(z.string()) })

export const TOKENS_QUERY_WORDS: FieldWords<typeof TokensQuery> = {
  cursor: 'The `next` of the previous page.',
}

/** The query of `GET /api/audit`. */
export const AuditQuery = z.strictObject({ cursor: z.optional(z.string()) })

export const AUDIT_QUERY_WORDS: FieldWords<typeof AuditQuery> = { cursor: 'The `next` of the previous page.' }

/** The query of a route that takes no parameters. */
export const NoQuery = z.strictObject({})
