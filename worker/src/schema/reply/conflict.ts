import * as z from 'zod/mini'
import { RESOLUTIONS } from '../../core/batch/conflict.ts'
import { POLICIES } from '../../core/batch/policy.ts'
import { AnyJson, Opaque } from '../atoms.ts'
import { field, named, object } from './described.ts'
import { DELETED_VALUE, NOT_DELETED, WRITER, WRITTEN_AT } from './entry.ts'

const Version = field('An opaque version.', Opaque)
const Shown = { version: Version, timestamp: WRITTEN_AT, by: WRITER }
const NotOmitted = field('False or absent.', z.optional(z.literal(false)))

export const ValueSide = object('A value.', {
  ...Shown,
  value: field('Any JSON.', AnyJson),
  deleted: NOT_DELETED,
  omitted: NotOmitted,
})

export const DeletedSide = object(
  'A deletion. If the space has forgotten the deletion, only `deleted` is known.',
  {
    ...z.partial(z.object(Shown)).shape,
    deleted: z.literal(true),
    value: DELETED_VALUE,
    omitted: NotOmitted,
  },
)

export const OmittedSide = object(
  'A side that did not fit into the reply. `GET /api/conflicts` has its value.',
  { version: Version, omitted: z.literal(true), deleted: NOT_DELETED },
)

export const ConflictSide = named(
  'One side of a conflict: a value, a deletion, or a side that is not shown.',
  z.union([ValueSide, DeletedSide, OmittedSide]),
)

/** A conflict, in the reply that made it and in the list of all conflicts. */
export const Conflict = object('Two versions that were written without knowledge of each other.', {
  id: field('Ascends with time. `results` refer to it as `conflict`.', z.int()),
  key: field('The key of the entry.', z.string()),
  policy: field('The policy that was applied.', z.enum(POLICIES)),
  resolution: field(
    'The winner: the version that was there (`kept-server`), the change that was sent (`kept-client`), or a merge of both (`merged`). `open`: the winner is current until a client decides. `resolved`: a client has decided.',
    z.enum(RESOLUTIONS),
  ),
  winner: field('The side that won.', ConflictSide),
  loser: field('The side that lost. It stays readable.', ConflictSide),
  paths: field(
    'JSON pointers (RFC 6901) of the fields that clash in a merge; `""` is the whole value. Empty under any other `resolution` or policy.',
    z.array(z.string()),
  ),
  resolvedBy: field('The version that resolved an open conflict.', z.optional(Opaque)),
})

/** The reply of `GET /api/conflicts`. */
export const ConflictsReply = object('A page of conflicts, oldest first.', {
  conflicts: field('The conflicts that the token may see.', z.array(Conflict)),
  next: field('The `after` of the next page, or null.', z.nullable(z.int())),
})

/** The reply of `POST /api/conflicts/{id}/resolve`. */
export const ResolveReply = object('The conflict is closed.', {
  success: z.literal(true),
  id: field('The id of the conflict.', z.int()),
  key: field('The key of the entry.', z.string()),
  version: field('The current version of the key, or null.', z.nullable(Opaque)),
  replayed: field('Whether the same decision was made before.', z.boolean()),
})
