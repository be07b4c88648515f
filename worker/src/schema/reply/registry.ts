import * as z from 'zod/mini'
import type { ListedSpace as Listed } from '../../core/report/listing.ts'
import type { Amounts } from '../../core/space/quota.ts'
import { Milliseconds, Opaque } from '../atoms.ts'
import { field, object } from './described.ts'

const QuotaLimits = object('The quotas of a space.', {
  entries: field('The most live entries.', z.int()),
  bytes: field('The most bytes of storage.', z.int()),
} satisfies Record<keyof Amounts, z.ZodMiniType>)

/** A space as the registry lists it. */
export const ListedSpace = object('A space as it last reported.', {
  space: field('The name of the space.', z.string()),
  entries: field('Live entries.', z.int()),
  bytes: field('Bytes of storage, including everything that is kept.', z.int()),
  quota: field('The quotas of the space.', QuotaLimits),
  openConflicts: field('Conflicts that wait for a decision.', z.int()),
  devices: field('Clients that have read or written.', z.int()),
  lastSync: field('When the last change was stored, ms since 1970.', z.nullable(Milliseconds)),
  upkeepFailures: field('How often the upkeep has failed in succession.', z.int()),
  reportedAt: field(
    'When the space reported this, ms since 1970: up to an hour before its last change.',
    Milliseconds,
  ),
} satisfies Record<keyof Listed, z.ZodMiniType>)

/** The reply of `GET /api/spaces`. */
export const SpacesReply = object('A page of spaces.', {
  spaces: field('The spaces in the order that was asked for.', z.array(ListedSpace)),
  next: field('The `after` of the next page, or null.', z.nullable(z.string())),
})

/** A device in the reply of `GET /api/clients`. */
export const Device = object('A client of a space, and where it stands.', {
  clientId: field('The replica: an installation or a tab.', z.string()),
  subject: field('The subject that it belongs to.', z.string()),
  version: field('The version that the client told in `POST /api/auth`.', z.nullable(z.string())),
  lastBatch: field(
    'The number of its last batch. 0 if it numbers none. Null if it has not written.',
    z.nullable(z.int()),
  ),
  batchAt: field('When its last batch arrived, ms since 1970.', z.nullable(Milliseconds)),
  skew: field('How far its clock was behind with that batch, ms.', z.nullable(z.int())),
  position: field('The version up to which it has read. Null if it has not read.', z.nullable(Opaque)),
  behind: field('The entries of other clients that have changed since.', z.int()),
  behindSince: field('When the first of these changes was made, ms since 1970.', z.nullable(Milliseconds)),
  seenAt: field(
    'When it last read, ms since 1970. Up to an hour early, if the space has slept since.',
    z.nullable(Milliseconds),
  ),
  connected: field('Whether it follows on a socket now.', z.boolean()),
})

/** The reply of `GET /api/clients`. */
export const DevicesReply = object('A page of clients.', {
  clients: field('The clients in the order of their ids.', z.array(Device)),
  next: field('The `after` of the next page, or null.', z.nullable(z.string())),
})
