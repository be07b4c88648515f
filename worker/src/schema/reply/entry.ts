import * as z from 'zod/mini'
import { AnyJson, Milliseconds, Opaque } from '../atoms.ts'
import { field, named, object } from './described.ts'

/** Fields of an entry that a side of a conflict has too. */
export const WRITTEN_AT = field(
  'The time that decides, ms since 1970: that of the client, corrected by its skew and never in the future.',
  Milliseconds,
)
export const WRITER = field('The client that wrote it.', z.string())
export const NOT_DELETED = field('False or absent.', z.optional(z.literal(false)))
export const DELETED_VALUE = field(
  'The last value of the entry, if the deletion was sent with one.',
  z.optional(AnyJson),
)

export const EntryFields = object('The fields of every entry.', {
  key: field('`collection/rest`.', z.string()),
  timestamp: WRITTEN_AT,
  version: field('Opaque. The `base` of the next edit of this key.', Opaque),
  by: WRITER,
})

export const LiveEntry = object('A key that has a value.', {
  value: field('Any JSON, as it was sent. Null is a value.', AnyJson),
  deleted: NOT_DELETED,
})

export const DeletedEntry = object('A key that was deleted: remove it from the copy.', {
  deleted: z.literal(true),
  value: DELETED_VALUE,
})

/** The current version of a key: an item of `changes`. */
export const Entry = named('A key with its value, or its deletion.', z.xor([LiveEntry, DeletedEntry]))

/** The reply of `GET /api/entries` for a prefix. */
export const EntriesReply = object('A page of entries, in the order of the bytes of their keys.', {
  entries: field('The current entries. May be fewer than the limit although more follow.', z.array(Entry)),
  next: field('The `after` of the next page, or null.', z.nullable(z.string())),
})

/** The reply of `GET /api/entries`. */
export const EntryOrPage = named('The entry of a key, or the page of a prefix.', z.xor([Entry, EntriesReply]))

/** The reply of `GET /api/history`. */
export const HistoryReply = object('The versions of a key, newest first.', {
  key: field('The key of the entry.', z.string()),
  versions: field(
    'Every version of the key. A merged version is followed by the change that was sent.',
    z.array(Entry),
  ),
  next: field('The `before` of the next page, or null.', z.nullable(Opaque)),
})
