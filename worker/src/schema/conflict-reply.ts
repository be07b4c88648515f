import * as z from 'zod/mini'
import type { Conflict as Settled } from '../core/batch/conflict.ts'
import { POLICIES } from '../core/batch/policy.ts'
import { AnyJson, Milliseconds, Opaque } from './name.ts'

const RESOLUTIONS = {
  'kept-server': 'kept-server',
  'kept-client': 'kept-client',
  merged: 'merged',
  open: 'open',
  resolved: 'resolved',
} as const satisfies { readonly [R in Settled['resolution']]: R }

const Shown = { version: Opaque, timestamp: Milliseconds, by: z.string() }

/** A side that is a value. */
export const ValueSide = z.object({
  ...Shown,
  value: AnyJson,
  deleted: z.optional(z.literal(false)),
  omitted: z.optional(z.literal(false)),
})

/** A side that is a deletion. Nothing else is known of one that the space has forgotten. */
export const DeletedSide = z.object({
  ...z.partial(z.object(Shown)).shape,
  deleted: z.literal(true),
  value: z.optional(AnyJson),
  omitted: z.optional(z.literal(false)),
})

/** A side that is not shown. */
export const OmittedSide = z.object({
  version: Opaque,
  omitted: z.literal(true),
  deleted: z.optional(z.literal(false)),
})

/** One side of a conflict. */
export const ConflictSide = z.union([ValueSide, DeletedSide, OmittedSide])

/** A conflict, as the reply that made it and the list of all show it. */
export const Conflict = z.object({
  id: z.int(),
  key: z.string(),
  policy: z.enum(POLICIES),
  resolution: z.enum(RESOLUTIONS),
  winner: ConflictSide,
  loser: ConflictSide,
  paths: z.array(z.string()),
  resolvedBy: z.optional(Opaque),
})

/** The reply of `GET /api/conflicts`. */
export const ConflictsReply = z.object({ conflicts: z.array(Conflict), next: z.nullable(z.int()) })

/** The reply of `POST /api/conflicts/{id}/resolve`. */
export const ResolveReply = z.object({
  success: z.literal(true),
  id: z.int(),
  key: z.string(),
  version: z.nullable(Opaque),
  replayed: z.boolean(),
})
