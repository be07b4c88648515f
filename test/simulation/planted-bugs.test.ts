import { expect, test } from 'vitest'
import type { Alteration } from '../support/alter.ts'
import { runHistory } from './node-host.ts'
import { alteredFloor, SMALL_LIMITS } from './workshop.ts'

/** A line of the product that would break a promise. */
interface Bug extends Alteration {
  readonly name: string
  /** The first of its histories, where one that shows it comes late. */
  readonly from?: number
}

const BUGS: readonly Bug[] = [
  {
    name: 'no idempotency record is written',
    file: 'objects/write/commit.ts',
    find: 'if (record !== null) store.putClient(record)',
    replace: '',
  },
  {
    name: 'the record is written before the rest, by itself',
    file: 'objects/write/commit.ts',
    find: '  space.transaction(() => {',
    replace: '  if (record !== null) store.putClient(record)\n  space.transaction(() => {',
  },
  {
    name: 'a batch is several transactions',
    file: 'objects/write/commit.ts',
    find: '    for (const append of appends) store.append(append)\n',
    replace: '  })\n  for (const append of appends) store.append(append)\n  space.transaction(() => {\n',
  },
  {
    name: 'a replay is decided again',
    file: 'objects/write/accept.ts',
    find: 'if (known.value !== null) return replay',
    replace: 'if (false) return replay',
  },
  {
    name: 'the base is ignored',
    file: 'core/batch/stance.ts',
    find: "  if (base === head?.seq) return 'apply'\n",
    replace: '',
  },
  {
    name: 'every write is on base',
    file: 'core/batch/stance.ts',
    find: "return step.inBatch || continuesRun(step) ? 'rewrite' : 'compete'",
    replace: "return 'rewrite'",
  },
  {
    name: 'where the run began is ignored',
    file: 'core/batch/stance.ts',
    find: 'base === NOTHING ? head.vacant : base >= head.root',
    replace: 'base <= head.seq',
    from: 130,
  },
  {
    name: 'a run is no run',
    file: 'core/batch/stance.ts',
    find: 'if (head?.by !== client || base === undefined) return false',
    replace: 'if (head?.by !== null || client === base) return false',
  },
  {
    name: 'the earlier write wins',
    file: 'core/batch/stance.ts',
    find: 'edit.at > head.at ||',
    replace: 'edit.at < head.at ||',
  },
  {
    name: 'the smaller client wins a tie',
    file: 'core/batch/stance.ts',
    find: 'client > head.by',
    replace: 'client < head.by',
  },
  {
    name: 'losers are dropped',
    file: 'objects/write/commit.ts',
    find: 'if (plan.conflicts.length > 0) store.putConflicts(plan.conflicts, at)',
    replace: '',
  },
  {
    name: 'a blind write replaces silently',
    file: 'core/batch/decide.ts',
    find: 'if (head.by !== client) return byClock(draft, step)',
    replace: '',
  },
  {
    name: 'the cursor runs ahead of its page',
    file: 'objects/read/feed.ts',
    find: '    if (isFull(draft)) return\n    draft.position = version.seq',
    replace: '    if (isFull(draft)) break\n    draft.position = version.seq',
  },
  {
    name: 'a page skips what is not newer than its newest',
    file: 'objects/read/feed.ts',
    find: 'if (isShown(draft.query, version)) add(',
    replace:
      'if (isShown(draft.query, version) && [...draft.entries.values()].every((text) => JSON.parse(text).timestamp <= version.at)) add(',
  },
  {
    name: 'deletions are not in the feed',
    file: 'objects/read/feed.ts',
    find: '(!deleted || seq > deletionsAfter)',
    replace: '!deleted',
  },
  {
    name: 'the filter is ignored',
    file: 'objects/read/feed.ts',
    find: 'return passes(filter, key) && ',
    replace: 'return ',
  },
  {
    name: 'the echo is left out under reset',
    file: 'objects/read/pull.ts',
    find: 'const anew = query.cursor === null || reset !== null',
    replace: 'const anew = query.cursor === null',
  },
  {
    name: 'the floor is ignored',
    file: 'core/feed/cursor.ts',
    find: 'return Math.max(seq, scan) >= floor',
    replace: 'return true',
  },
  {
    name: 'a reader that starts below the floor starts over for ever',
    file: 'core/feed/cursor.ts',
    find: 'return isAbove(feed.floor, place) ? null',
    replace: 'return place.seq >= feed.floor ? null',
    from: 31,
  },
  {
    name: 'a future time is believed',
    file: 'core/values/clock.ts',
    find: 'Math.min(timestamp + clock.skew, clock.now)',
    replace: 'timestamp + clock.skew',
  },
  {
    name: 'the time of an entry falls',
    file: 'core/batch/plan-builder.ts',
    find: 'if (head === undefined || edit.at >= head.at) return 0',
    replace: 'if (now > 0) return 0',
  },
  {
    name: 'a time in the future is refused',
    file: 'core/batch/change.ts',
    find: '!isTimestamp(change.timestamp)',
    replace: '(!isTimestamp(change.timestamp) || change.timestamp > 1_790_000_000_000)',
  },
  {
    name: 'a sequence number is skipped',
    file: 'core/batch/plan-builder.ts',
    find: 'draft.seq += 1',
    replace: 'draft.seq += draft.seq % 50 === 49 ? 2 : 1',
  },
  {
    name: 'a sequence number is given out again after a restart',
    file: 'objects/store/store.ts',
    find: 'seq: tail?.last ?? 0,',
    replace: 'seq: Math.max(0, (tail?.last ?? 0) - 1),',
  },
  {
    name: 'an atomic batch goes through in part',
    file: 'objects/write/accept.ts',
    find: 'if (request.atomic === true && spoiled)',
    replace: 'if (false)',
  },
  {
    name: 'a merge takes one side only',
    file: 'core/batch/merge.ts',
    find: 'const value = mineIsBase ? theirs',
    replace: 'const value = mineIsBase ? mine',
  },
  {
    name: 'the server does not win under server-wins',
    file: 'core/batch/decide.ts',
    find: "    case 'server-wins':\n      return lose(draft, step, policy)",
    replace: "    case 'server-wins':\n      return byClock(draft, step)",
  },
  {
    name: 'a grant is not asked for conflicts',
    file: 'objects/read/conflicts.ts',
    find: '!passes(granted, key)',
    replace: 'false',
  },
  {
    name: 'a writer who may not read is compared with others',
    file: 'core/batch/decide.ts',
    find: 'return view.blind !== true || (by === client && merged === NOTHING)',
    replace: 'return view.blind !== null || by === client || merged === NOTHING',
    from: 19,
  },
  {
    name: 'an open conflict ages',
    file: 'objects/store/ageing-rows.ts',
    find: 'WHERE open = 0 AND at < ?',
    replace: 'WHERE at < ?',
    from: 70,
  },
  {
    name: 'what is superseded is not archived',
    file: 'objects/upkeep/compact.ts',
    find: 'space.store.archive(replaced, now)',
    replace: '',
  },
  {
    name: 'a frame that was passed over is gone on from',
    file: 'core/feed/listener.ts',
    find: '!isPassedOver(sent) && leadsTo(sent, place)',
    replace: 'leadsTo(sent, place)',
  },
  {
    name: 'a reader that scans stands where one that does not has stood',
    file: 'core/feed/listener.ts',
    find: 'return stood === seq && stoodScan === scan',
    replace: 'return stood === seq',
    from: 31545,
  },
  {
    name: 'who was told to pull is never followed again',
    file: 'core/feed/listener.ts',
    find: 'return { ...listener, ...at, ...said, poked: false, unseen: unseen.map(passOver) }',
    replace: 'return { ...listener, ...at, ...said, unseen: unseen.map(passOver) }',
    from: 100,
  },
  {
    name: 'an erasure is noted after it took effect',
    file: 'objects/store/tables.ts',
    find: "    sql.exec(`INSERT INTO meta VALUES ('erased-at', ?)`, now)",
    replace:
      "  })\n  storage.transactionSync(() => {\n    sql.exec(`INSERT INTO meta VALUES ('erased-at', ?)`, now)",
  },
  {
    name: 'a run on a deletion counts every version before it',
    file: 'core/batch/stance.ts',
    find: 'return base === undefined || isOnDeletion ? (head?.seq ?? NOTHING) : base',
    replace: 'return base ?? (isOnDeletion ? NOTHING : head?.seq) ?? NOTHING',
    from: 41,
  },
  {
    name: 'a client competes with its own edit inside a merge',
    file: 'core/batch/decide.ts',
    find: '(isOwnMerge ? contentOf(draft, head.merged) : null) ?? head',
    replace: '(isOwnMerge ? null : null) ?? head',
  },
  {
    name: 'a retry is known by its corrected time',
    file: 'core/batch/decide.ts',
    find: 'isSame && version.timestamp === edit.timestamp',
    replace: 'isSame && version.at - version.lift === edit.at',
    from: 300,
  },
]

/** In how many histories every bug has to show. */
const HISTORIES = 40

for (const bug of BUGS) {
  test(`finds out that ${bug.name}`, async () => {
    const found = await firstSymptom(bug)
    expect(found, `not seen in ${HISTORIES} histories`).not.toBeNull()
  })
}

/** A violation, or whatever else goes wrong in a history. Every second one has small limits, as in a campaign. */
async function firstSymptom({ from = 1, ...bug }: Bug): Promise<unknown> {
  const floors = [await alteredFloor([...SMALL_LIMITS, bug]), await alteredFloor([bug])] as const
  for (let seed = from; seed < from + HISTORIES; seed++) {
    const symptom = await runHistory(seed, floors[seed % 2 === 0 ? 0 : 1]).then(
      () => null,
      (cause: unknown) => cause,
    )
    if (symptom !== null) return symptom
  }
  return null
}
