import * as z from 'zod/mini'
import { MAX_CHANGES } from '../src/core/values/limits.ts'
import { AnyJson } from '../src/schema/name.ts'
import { SyncRequest } from '../src/schema/sync.ts'

// Requests as they ought to be, told apart by the fields that each has. The Worker's own schemas take more: a change
// without its value must reach the decision, which rejects it alone. A test compares the two over all combinations.

const Absent = z.optional(z.never())
const No = z.optional(z.literal(false))

const WRITE = { value: AnyJson, deleted: No }
const DELETION = { deleted: z.literal(true), value: z.optional(AnyJson) }
const ON_VERSION = { base: z.optional(z.nullable(z.string())), baseValue: Absent, baseDeleted: Absent }
const ON_VALUE = { baseValue: AnyJson, base: Absent, baseDeleted: No }
const ON_ABSENCE = { baseDeleted: z.literal(true), base: Absent, baseValue: Absent }

/** The fields of every change. */
export const ChangeFields = z.object({ key: z.string(), timestamp: z.optional(z.number()) })

export const CHANGES = {
  Write: z.object({ ...WRITE, ...ON_VERSION }),
  Deletion: z.object({ ...DELETION, ...ON_VERSION }),
  WriteOnValue: z.object({ ...WRITE, ...ON_VALUE }),
  DeletionOnValue: z.object({ ...DELETION, ...ON_VALUE }),
  WriteOnAbsence: z.object({ ...WRITE, ...ON_ABSENCE }),
  DeletionOnAbsence: z.object({ ...DELETION, ...ON_ABSENCE }),
} as const

export const ChangeShape = z.xor([
  CHANGES.Write,
  CHANGES.Deletion,
  CHANGES.WriteOnValue,
  CHANGES.DeletionOnValue,
  CHANGES.WriteOnAbsence,
  CHANGES.DeletionOnAbsence,
])

export const SyncShape = z.extend(SyncRequest, {
  changes: z.array(ChangeShape).check(z.maxLength(MAX_CHANGES)),
})

const Onto = { base: z.nullable(z.string()) }

export const ChooseSide = z.strictObject({ choice: z.enum(['winner', 'loser']), ...Onto })
export const ChooseValue = z.strictObject({ choice: z.literal('value'), value: AnyJson, ...Onto })
export const ResolveShape = z.discriminatedUnion('choice', [ChooseSide, ChooseValue])
