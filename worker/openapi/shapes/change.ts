import * as z from 'zod/mini'
import { MAX_CHANGES } from '../../src/core/values/limits.ts'
import { AnyJson } from '../../src/schema/atoms.ts'
import { field, named, object } from '../../src/schema/reply/described.ts'
import { SyncRequest } from '../../src/schema/request/sync.ts'

// Requests as clients should send them, in shapes that their fields distinguish. The schemas of the Worker accept more:
// a change without its value must reach the decision, which rejects only that change. A test compares the two over all
// combinations of fields.

const Absent = z.optional(z.never())
const No = field('False or absent.', z.optional(z.literal(false)))

const WRITE = {
  value: field('Any JSON within `limits`. Null is a value.', AnyJson),
  deleted: No,
}
const DELETION = {
  deleted: z.literal(true),
  value: field('A last value that the tombstone keeps.', z.optional(AnyJson)),
}
const ON_VERSION = {
  base: field(
    'The `version` that the edit is based on, or null if the client knows of no such key. Without it the clock decides.',
    z.optional(z.nullable(z.string())),
  ),
  baseValue: Absent,
  baseDeleted: Absent,
}
const ON_VALUE = {
  baseValue: field('The value that the edit is based on, for a client that keeps no versions.', AnyJson),
  base: Absent,
  baseDeleted: No,
}
const ON_ABSENCE = {
  baseDeleted: field(
    'The client knows of no such key, or of its deletion, as with `base: null`.',
    z.literal(true),
  ),
  base: Absent,
  baseValue: Absent,
}

export const ChangeFields = object('The fields of every change.', {
  key: field(
    '`collection/rest`, 1 to 512 bytes of UTF-8, without control characters or a leading slash.',
    z.string(),
  ),
  timestamp: field(
    'The time of the edit, not of sending, ms since 1970. A fraction is rounded down. A retry repeats it. 0 loses against every concurrent write under the policy `lww`, unless `clientTime` reveals a skew. A batch with a `batch` number may omit it: then the time of arrival decides.',
    z.optional(z.number()),
  ),
})

export const CHANGES = {
  Write: object('A value.', { ...WRITE, ...ON_VERSION }),
  Deletion: object('A deletion.', { ...DELETION, ...ON_VERSION }),
  WriteOnValue: object('A value that replaces a known value.', { ...WRITE, ...ON_VALUE }),
  DeletionOnValue: object('A deletion of a known value.', { ...DELETION, ...ON_VALUE }),
  WriteOnAbsence: object('A value for a key that did not exist.', { ...WRITE, ...ON_ABSENCE }),
  DeletionOnAbsence: object('A deletion of a key that did not exist.', { ...DELETION, ...ON_ABSENCE }),
} as const

export const ChangeShape = named(
  'A write or a deletion, based on a version (or none), on a value, or on absence. A fault rejects only this change.',
  z.xor([
    CHANGES.Write,
    CHANGES.Deletion,
    CHANGES.WriteOnValue,
    CHANGES.DeletionOnValue,
    CHANGES.WriteOnAbsence,
    CHANGES.DeletionOnAbsence,
  ]),
)

export const SyncShape = z.extend(SyncRequest, {
  changes: z.array(ChangeShape).check(z.maxLength(MAX_CHANGES)),
})

export const ChooseSide = named(
  'One side of the conflict.',
  z.strictObject({
    choice: field('The side.', z.enum(['winner', 'loser'])),
    base: field(
      'The current version, as the client has shown it. Null if the key does not exist.',
      z.nullable(z.string()),
    ),
  }),
)

export const ChooseValue = named(
  'Another value.',
  z.strictObject({
    choice: z.literal('value'),
    value: field('Any JSON within `limits`.', AnyJson),
    base: field('As for a side.', z.nullable(z.string())),
  }),
)

export const ResolveShape = named(
  'The content to keep.',
  z.discriminatedUnion('choice', [ChooseSide, ChooseValue]),
)
