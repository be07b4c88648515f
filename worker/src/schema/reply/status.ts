import * as z from 'zod/mini'
import type { Quota } from '../../core/space/quota.ts'
import { Milliseconds, Opaque } from '../atoms.ts'
import { field, named, object } from './described.ts'
import { Limits } from './limits.ts'

export const Usage = object('An amount in use, and its limit.', {
  used: field('The amount in use.', z.int()),
  limit: field('The limit.', z.int()),
})

export const QuotaUsage = named(
  'The usage of each quota of a space.',
  z.object({
    entries: field('Live entries.', Usage),
    bytes: field('Bytes of storage, including everything that is kept.', Usage),
  } satisfies Record<Quota, z.ZodMiniType>),
)

/** The reply of `GET /api/status`. */
export const StatusReply = object('The state of the space.', {
  status: z.literal('ok'),
  lastSync: field(
    'When the space last stored a change, ms since 1970. Null means never.',
    z.nullable(Milliseconds),
  ),
  pending: field(
    'An upper bound of the changes that a reader with this cursor and these collections has yet to read. 0 is exact.',
    z.int(),
  ),
  head: field('The latest version of the space.', Opaque),
  floor: field(
    'The version up to which deletions are forgotten. A reader that has read less starts over.',
    Opaque,
  ),
  epoch: field(
    'Identifies the data of the space. It changes when the space is erased or restored.',
    z.string(),
  ),
  lastUpkeep: field(
    'When upkeep last went through the whole log, ms since 1970. Null before the first time.',
    z.nullable(Milliseconds),
  ),
  entries: field('The number of live entries. Null for a token of some collections.', z.nullable(z.int())),
  openConflicts: field(
    'The number of conflicts that wait for a decision. Null for a token of some collections.',
    z.nullable(z.int()),
  ),
  quota: field('The usage of each quota. Null for a token of some collections.', z.nullable(QuotaUsage)),
  serverTime: field('The clock of the space, ms since 1970.', Milliseconds),
  limits: field('The limits of this service.', Limits),
})
