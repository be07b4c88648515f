import type * as z from 'zod/mini'
import {
  Conflict,
  ConflictSide,
  ConflictsReply,
  DeletedSide,
  OmittedSide,
  ResolveReply,
  ValueSide,
} from '../src/schema/reply/conflict.ts'
import { DeletedEntry, Entry, EntryFields, LiveEntry } from '../src/schema/reply/entry.ts'
import { HistoryReply } from '../src/schema/reply/history.ts'
import {
  AppliedResult,
  ChangeResult,
  ChangesReply,
  MergedResult,
  NoopResult,
  OpenResult,
  RejectedResult,
  SupersededResult,
  SyncReply,
} from '../src/schema/reply/sync.ts'
import { REJECTIONS } from './codes.ts'
import { type Described, described, oneOf } from './described.ts'
import {
  CHANGES,
  ChangeFields,
  ChangeShape,
  ChooseSide,
  ChooseValue,
  ResolveShape,
  SyncShape,
} from './shapes.ts'

const MS = 'milliseconds since 1970'
const BY = 'The client that wrote it.'
const AT = `The time that decides, ${MS}: the client's, corrected by its skew and never in the future.`
const NOT_DELETED = 'False or absent.'
const LAST_VALUE = 'The last value of the entry, if the deletion was given one.'

export const COLLECTIONS = 'Only these collections: the part of a key before its first slash, or `default`.'

export const PAGE = {
  changes:
    'The latest entry of each key after the cursor, in the order of their versions. Apply them after `results`.',
  cursor:
    'The position after this page. Keep it with the copy, and send it with the same `collections`: it is opaque and bound to them.',
  more: 'Whether another page follows: pull again at once, even if `changes` is empty. Otherwise the copy is a consistent snapshot.',
  reset:
    'The cursor cannot be continued, and the page begins at the start of the feed: start over as `resetReason` says. The queue stays.',
  resetReason:
    'Present under `reset`. `filter`, `floor`, `cursor`: clear the copy, then apply the page. `epoch`, `head`: the space was erased, restored or set back, and the copy may be all that is left of what was acknowledged. Read the feed to its end beside the copy, offer to push what only the copy has, or has of a later time, then drop the copy.',
  head: 'The latest version of the space.',
}

const NOT_THERE = ''

const WRITE = {
  value: 'Any JSON within `limits`; null is a value.',
  deleted: NOT_DELETED,
}
const DELETION = { deleted: 'Always true.', value: 'A last value that the tombstone keeps.' }
const ON_VERSION = {
  base: 'The `version` that the edit was made on; null if the key was believed absent. Without it the clock decides, as for a client that keeps no versions.',
  baseValue: NOT_THERE,
  baseDeleted: NOT_THERE,
}
const ON_VALUE = {
  baseValue: 'The value that the edit was made on, for a client that keeps no versions.',
  base: NOT_THERE,
  baseDeleted: NOT_DELETED,
}
const ON_ABSENCE = {
  baseDeleted: 'Always true: the key was believed deleted or absent, as with `base: null`.',
  base: NOT_THERE,
  baseValue: NOT_THERE,
}

/** A change: closed, because an unknown field refuses the request. */
function change<Shape extends z.core.$ZodShape>(
  schema: z.ZodMiniObject<Shape>,
  description: string,
  fields: { readonly [Field in keyof Shape]: string },
): Described {
  return { ...described(schema, description, fields), base: 'ChangeFields', closed: true }
}

const RESULT = {
  key: 'The key of the change.',
  effectiveTimestamp: `The time that decided, ${MS}, where it differs from the one that was sent.`,
  version: 'The version of the key after this change: the `base` of the next edit.',
  conflict: 'The `id` of its conflict in `conflicts`. A replay has it for as long as the conflict is kept.',
}
const STANDS = { version: 'The version that stands; absent where nothing does.', conflict: RESULT.conflict }

const SIDE = { version: 'Opaque.', timestamp: AT, by: BY }

/** The shapes of batches, pages and conflicts. */
export const SYNC_SCHEMAS = {
  SyncRequest: described(SyncShape, 'A batch of changes, and the position to read on from.', {
    clientId: "The session's client; another one is refused.",
    batch:
      'The number of this batch of the client: from 1, without gaps, and from 1 again in another `epoch`. Sent again with the same changes, it takes effect once.',
    clientTime: `The client's clock as it sends, ${MS}: its skew corrects every \`timestamp\`. A fraction is rounded down. A retry sends the new time.`,
    cursor: 'The `cursor` of the last page; null from the start. Without it nothing is read.',
    limit: 'The most entries of the page.',
    collections: COLLECTIONS,
    echo: 'Whether `changes` also holds what this very request wrote. Without a cursor nothing is read.',
    atomic: 'All changes or none: any rejection or conflict is a 409 `atomic-failed`.',
    changes: 'In the order in which they take effect.',
  }),
  Change: oneOf(
    ChangeShape,
    'A write or a deletion, made on a version (or blindly), on a value, or on nothing. A fault rejects this change alone.',
  ),
  ChangeFields: described(ChangeFields, 'The fields of every change.', {
    key: '`collection/rest`, 1 to 512 bytes of UTF-8, no control character, no slash at its start.',
    timestamp: `The time of the edit, ${MS}, not of sending. A fraction is rounded down. A retry repeats it. 0 loses against every concurrent write under the policy lww, as long as no clientTime tells of a skew. A batch with a \`batch\` number may leave it out: the time of arrival decides then.`,
  }),
  Write: change(CHANGES.Write, 'A value.', { ...WRITE, ...ON_VERSION }),
  Deletion: change(CHANGES.Deletion, 'A deletion.', { ...DELETION, ...ON_VERSION }),
  WriteOnValue: change(CHANGES.WriteOnValue, 'A value in place of another one.', { ...WRITE, ...ON_VALUE }),
  DeletionOnValue: change(CHANGES.DeletionOnValue, 'A deletion of a value.', { ...DELETION, ...ON_VALUE }),
  WriteOnAbsence: change(CHANGES.WriteOnAbsence, 'A value where nothing was.', { ...WRITE, ...ON_ABSENCE }),
  DeletionOnAbsence: change(CHANGES.DeletionOnAbsence, 'A deletion where nothing was.', {
    ...DELETION,
    ...ON_ABSENCE,
  }),
  SyncReply: described(
    SyncReply,
    'The results of the batch, and a page of the changes of others. Apply `results` that are `applied` or `merged`, then `changes`, which are the newer. Under `replayed` apply `changes` only: what a result says may be replaced since, and the page leaves nothing out.',
    {
      ...PAGE,
      changes: `${PAGE.changes} The writes of this very request are left out, but for merges, with \`echo: true\`, with \`cursor: null\`, under \`reset\` and in a replay.`,
      cursor: `${PAGE.cursor} Present if the request has one.`,
      more: `${PAGE.more} Present if the request has a cursor.`,
      reset: `${PAGE.reset} Present if the request has a cursor.`,
      resetReason: PAGE.resetReason,
      success: 'Whether no change was rejected. Read `results` even if it is true: conflicts are no failure.',
      synced:
        "The keys at which the client's change stands now: by itself, inside a merge, or as the very same content.",
      conflicts: 'Each write of this batch that lost, or that replaced a version which it did not know.',
      results: 'One for each change, in their order.',
      replayed: 'The batch was answered before: the results are those of then, the page is new.',
      serverTime: `The time of arrival by the space's clock, ${MS}.`,
    },
  ),
  ChangeResult: oneOf(
    ChangeResult,
    'What became of one change. Whatever it is, the change leaves the queue.',
    'status',
  ),
  AppliedResult: described(
    AppliedResult,
    'The change stands. With a `conflict`, it replaced a version that the client did not know.',
    { ...RESULT, status: 'Always `applied`.' },
  ),
  MergedResult: described(MergedResult, 'The change stands inside a value that the space made.', {
    ...RESULT,
    status: 'Always `merged`.',
    value: 'The merged value. It is absent where the reply would grow too long: the page has it too.',
  }),
  NoopResult: described(NoopResult, 'The same content stood already.', {
    key: RESULT.key,
    effectiveTimestamp: RESULT.effectiveTimestamp,
    version: STANDS.version,
    status: 'Always `noop`.',
  }),
  SupersededResult: described(
    SupersededResult,
    'The change lost against a concurrent one. It is kept as the loser of the conflict; the page has the winner.',
    { ...RESULT, ...STANDS, status: 'Always `superseded`.' },
  ),
  OpenResult: described(
    OpenResult,
    'The change is kept beside what stands, until somebody decides with `POST /api/conflicts/{id}/resolve`.',
    { ...RESULT, ...STANDS, status: 'Always `conflict`.' },
  ),
  RejectedResult: {
    ...described(RejectedResult, 'The change is refused, finally. Its neighbours are not.', {
      key: RESULT.key,
      status: 'Always `rejected`.',
      path: 'The place, where the fault is inside `value` or `baseValue`: a JSON pointer into the change, at most 512 characters.',
      code: Object.entries(REJECTIONS)
        .map(([code, [, sentence]]) => `\`${code}\`: ${sentence}`)
        .join(' '),
    }),
    extensions: {
      'x-actions': Object.fromEntries(Object.entries(REJECTIONS).map(([code, [action]]) => [code, action])),
    },
  },
  ChangesReply: described(ChangesReply, 'A page of the feed.', PAGE),
  ResolveRequest: oneOf(ResolveShape, 'The content that is to stand.', 'choice'),
  ChooseSide: described(ChooseSide, 'One side of the conflict.', {
    choice: 'The side.',
    base: 'The version that stands, as the one who decides has seen it; null where nothing does.',
  }),
  ChooseValue: described(ChooseValue, 'Another value.', {
    choice: 'Always `value`.',
    value: 'Any JSON within `limits`.',
    base: 'As for a side.',
  }),
  ResolveReply: described(ResolveReply, 'The conflict is closed.', {
    success: 'Always true.',
    id: 'The id of the conflict.',
    key: 'The key of the entry.',
    version: 'The version of the key now; null where nothing stands.',
    replayed: 'The same decision was made before.',
  }),
  HistoryReply: described(HistoryReply, 'Versions of a key, the newest first.', {
    key: 'The key of the entry.',
    versions: 'Each version that stood; before a merged version, the one that was sent.',
    next: 'The `before` of the next page; null at the end.',
  }),
  Entry: oneOf(Entry, 'A key with its value, or its deletion.'),
  EntryFields: described(EntryFields, 'The fields of every entry.', {
    key: '`collection/rest`.',
    timestamp: AT,
    version: 'Opaque; the `base` of the next edit of this key.',
    by: BY,
  }),
  LiveEntry: {
    ...described(LiveEntry, 'A key that holds a value.', {
      value: 'Any JSON, as it was sent; null is a value.',
      deleted: NOT_DELETED,
    }),
    base: 'EntryFields',
  },
  DeletedEntry: {
    ...described(DeletedEntry, 'A key that was deleted: remove it from the copy.', {
      deleted: 'Always true.',
      value: LAST_VALUE,
    }),
    base: 'EntryFields',
  },
  ConflictsReply: described(ConflictsReply, 'A page of conflicts, the oldest first.', {
    conflicts: 'The conflicts that the token may see.',
    next: 'The `after` of the next page; null at the end.',
  }),
  Conflict: described(Conflict, 'Two versions that were written without knowledge of each other.', {
    id: 'Ascends with time. `results` name it as `conflict`.',
    key: 'The key of the entry.',
    policy: 'The policy that settled it.',
    resolution:
      'The side that stands: the one that stood (`kept-server`), the one that came (`kept-client`), or a merge of both. `open`: the winner stands until somebody decides. `resolved`: somebody has.',
    winner: 'The side that stands.',
    loser: 'The side that was overruled; it stays readable.',
    paths:
      'JSON pointers (RFC 6901) of the fields that clash in a merge; `""` is the whole value. Empty under any other `resolution` or policy.',
    resolvedBy: 'The version that settled an open one.',
  }),
  ConflictSide: oneOf(ConflictSide, 'One side of a conflict: a value, a deletion, or one that is not shown.'),
  ValueSide: described(ValueSide, 'A value.', {
    ...SIDE,
    value: 'Any JSON.',
    deleted: NOT_DELETED,
    omitted: NOT_DELETED,
  }),
  DeletedSide: described(
    DeletedSide,
    'A deletion. Of one that the space has forgotten, only `deleted` is known.',
    { ...SIDE, deleted: 'Always true.', value: LAST_VALUE, omitted: NOT_DELETED },
  ),
  OmittedSide: described(
    OmittedSide,
    'A side that the reply had no room for: `GET /api/conflicts` has its value.',
    { version: 'Opaque.', omitted: 'Always true.', deleted: NOT_DELETED },
  ),
}
