import * as z from 'zod/mini'
import { REJECTION_LETTERS, type Rejection, type Verdict } from '../../core/batch/verdict.ts'
import { RESET_REASONS } from '../../core/feed/cursor.ts'
import { AnyJson, Milliseconds, Opaque } from '../atoms.ts'
import { Conflict } from './conflict.ts'
import { field, named, object } from './described.ts'
import { Entry } from './entry.ts'

const Key = field('The key of the change.', z.string())

const Decided = {
  key: Key,
  effectiveTimestamp: field(
    'The time that decided, ms since 1970, if not the sent one.',
    z.optional(Milliseconds),
  ),
}

const NewVersion = field('The version of the key after this change: the `base` of the next edit.', Opaque)

const CurrentVersion = field('The current version of the key, if it exists.', z.optional(Opaque))

const ConflictId = field(
  'The `id` of its conflict in `conflicts`. Replayed as long as the conflict is kept.',
  z.optional(z.int()),
)

export const AppliedResult = object(
  'The change took effect. With a `conflict`, it replaced a version that the client did not know.',
  { ...Decided, status: z.literal('applied'), version: NewVersion, conflict: ConflictId },
)

export const MergedResult = object('The change took effect as part of a value that the space merged.', {
  ...Decided,
  status: z.literal('merged'),
  version: NewVersion,
  value: field(
    'The merged value. Absent if the reply would become too long: the page has it too.',
    z.optional(AnyJson),
  ),
  conflict: ConflictId,
})

export const NoopResult = object('The key already has this content.', {
  ...Decided,
  status: z.literal('noop'),
  version: CurrentVersion,
})

export const SupersededResult = object(
  'The change lost against a concurrent one. It is kept as the loser of the conflict. The page has the winner.',
  { ...Decided, status: z.literal('superseded'), version: CurrentVersion, conflict: ConflictId },
)

export const OpenResult = object(
  'The change is kept beside the current version until a client decides with `POST /api/conflicts/{id}/resolve`.',
  { ...Decided, status: z.literal('conflict'), version: CurrentVersion, conflict: ConflictId },
)

export const RejectedResult = object(
  'The change is rejected. That is final. Other changes of the batch are not affected.',
  {
    key: Key,
    status: z.literal('rejected'),
    // The table has exactly these keys.
    code: z.enum(Object.keys(REJECTION_LETTERS) as Rejection[]),
    path: field(
      'The location of the fault inside `value` or `baseValue`: a JSON pointer into the change, at most 512 characters.',
      z.optional(z.string()),
    ),
  },
)

const RESULTS = {
  applied: AppliedResult,
  merged: MergedResult,
  noop: NoopResult,
  superseded: SupersededResult,
  conflict: OpenResult,
  rejected: RejectedResult,
} as const satisfies { readonly [S in Verdict['status']]: z.ZodMiniObject }

export const ChangeResult = named(
  'The result of one change. After any of them the change leaves the queue.',
  z.discriminatedUnion('status', [
    RESULTS.applied,
    RESULTS.merged,
    RESULTS.noop,
    RESULTS.superseded,
    RESULTS.conflict,
    RESULTS.rejected,
  ]),
)

const CHANGES =
  'The latest entry of each key after the cursor, in the order of their versions. Apply them after `results`.'
const CURSOR =
  'The position after this page, opaque. Store it with the copy, and send it with the same `collections`: it is bound to them.'
const MORE =
  'Whether another page follows: pull again at once, even if `changes` is empty. Otherwise the copy is a consistent snapshot.'
const RESET =
  'The cursor cannot be continued, and the page begins at the start of the feed. Start over as `resetReason` says. Keep the queue.'
const IF_READ = 'Present if the request has a cursor.'

const Head = field('The latest version of the space.', Opaque)
const ResetReason = field(
  'Present under `reset`. `filter`, `floor`, `cursor`: clear the copy, then apply the page. `epoch`, `head`: the space was erased, restored or rolled back, and the copy may hold the only remains of acknowledged writes. Read the feed to its end beside the copy, offer to push what only the copy has, or has with a later time, then drop the copy.',
  z.optional(z.enum(RESET_REASONS)),
)

/** A page of the feed: the reply of `GET /api/changes`. */
export const ChangesReply = object('A page of the feed.', {
  changes: field(CHANGES, z.array(Entry)),
  cursor: field(CURSOR, Opaque),
  head: Head,
  more: field(MORE, z.boolean()),
  reset: field(RESET, z.boolean()),
  resetReason: ResetReason,
})

/** The reply of `POST /api/sync`. `cursor`, `more` and `reset` are present if the request has a cursor. */
export const SyncReply = named(
  'The results of the batch, and a page of the changes of others. Apply `results` that are `applied` or `merged`, then `changes`, which are newer. Under `replayed` apply `changes` only: a result may have been replaced since, and the page leaves nothing out.',
  z.extend(z.partial(ChangesReply), {
    success: field(
      'Whether no change was rejected. Read `results` even if it is true: a conflict is not a failure.',
      z.boolean(),
    ),
    synced: field(
      "The keys at which the client's change is current: by itself, as part of a merge, or as equal content.",
      z.array(z.string()),
    ),
    conflicts: field(
      'Every write of this batch that lost, or that replaced a version which the client did not know.',
      z.array(Conflict),
    ),
    results: field('One result per change, in their order.', z.array(ChangeResult)),
    changes: field(
      `${CHANGES} The writes of this very request are left out, except merges, and except with \`echo: true\`, with \`cursor: null\`, under \`reset\` and in a replay.`,
      z.array(Entry),
    ),
    cursor: field(`${CURSOR} ${IF_READ}`, z.optional(Opaque)),
    more: field(`${MORE} ${IF_READ}`, z.optional(z.boolean())),
    reset: field(`${RESET} ${IF_READ}`, z.optional(z.boolean())),
    head: Head,
    replayed: field(
      'Whether this batch was accepted before: the results are those of then, the page is new.',
      z.boolean(),
    ),
    serverTime: field('When the request arrived, by the clock of the space, ms since 1970.', Milliseconds),
  }),
)
