import * as z from 'zod/mini'
import { POLICIES } from '../core/config.ts'
import type { Conflict as Settled } from '../core/outcome.ts'
import { AnyJson, Milliseconds, Opaque } from './name.ts'

const RESOLUTIONS = {
  'kept-server': 'kept-server',
  'kept-client': 'kept-client',
  merged: 'merged',
  open: 'open',
  resolved: 'resolved',
} as const satisfies { readonly [R in Settled['resolution']]: R }

/**
 * One side of a conflict. Only `deleted` is known of a deletion that the space has forgotten, and only `version` is
 * shown where `omitted` says so.
 */
export const ConflictSide = z.object({
  value: z.optional(AnyJson),
  deleted: z.optional(z.literal(true)),
  version: z.optional(Opaque),
  timestamp: z.optional(Milliseconds),
  by: z.optional(z.string()),
  omitted: z.optional(z.literal(true)),
})

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
