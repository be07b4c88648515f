import { tryChunks } from '../../core/log/chunk.ts'
import { FORM } from '../../core/log/chunk-header.ts'
import { isPassDue, type LastPass, upkeepBy } from '../../core/log/upkeep.ts'
import {
  DAY_MS,
  DROP_ROWS,
  RESEAL_AGAIN_MS,
  SLICE_BYTES,
  UPKEEP_INTERVAL_MS,
} from '../../core/values/limits.ts'
import { NOTHING } from '../../core/values/version.ts'
import type { Space } from '../space/space.ts'
import type { ArchiveRow } from '../store/archive-rows.ts'
import type { Pass, Passes } from '../store/pass-rows.ts'
import { compactSlice, type PassProgress, resealArchive } from './compact.ts'

/** What a change leaves that ages, besides superseded versions. */
export interface Ageing {
  readonly conflicts: boolean
  /** The verdicts of a numbered batch. */
  readonly verdicts: boolean
}

/** Makes sure that a space that has just changed wakes in time. */
export async function arrangeUpkeep(
  space: Space,
  now: number,
  { conflicts, verdicts }: Ageing = { conflicts: false, verdicts: false },
): Promise<void> {
  const by = upkeepBy(space.state, now) ?? (conflicts ? now + UPKEEP_INTERVAL_MS : null)
  if (by !== null) return space.alarm.wakeBy(by)
  if (verdicts) await space.alarm.wakeBy(now + space.config.tombstoneDays * DAY_MS)
}

/**
 * Does the next bounded piece of what there is to do, and arranges for the one after it: goes on with the pass
 * over the log that is under way, or drops what is past its time and then begins a pass if one is due. May be
 * cut off anywhere and done again.
 */
export async function upkeep(space: Space, now: number): Promise<void> {
  await space.refreshConfig(now)
  const isDone = await proceed(space, now)
  if (!isDone) return space.alarm.wakeBy(now)
  await arrangeUpkeep(space, now, { conflicts: space.store.ages(), verdicts: false })
  const oldest = space.store.oldestVerdicts()
  if (oldest === null) return
  const due = oldest + space.config.tombstoneDays * DAY_MS
  await space.alarm.wakeBy(Math.max(due, now + UPKEEP_INTERVAL_MS))
}

/** Whether nothing is left for today. */
async function proceed(space: Space, now: number): Promise<boolean> {
  const passes = space.store.passes()
  if (passes.now !== null) return proceedWith(space, { ...passes, now: passes.now }, now)
  if (dropAged(space, now)) return false
  const { generations } = await space.keys()
  const occasion = { now, generation: generations[0], historyDays: space.config.historyDays }
  if (!isPassDue(space.state, passes.last, occasion)) return true
  return proceedWith(space, { ...passes, now: newPass(space, occasion.generation) }, now)
}

function newPass({ state: { seq } }: Space, generation: number): Pass {
  return { after: 0, to: seq, generation, unreadable: 0 }
}

async function proceedWith(
  space: Space,
  { last, now: pass }: Passes & { now: Pass },
  now: number,
): Promise<boolean> {
  const { epoch } = space.state
  const progress = await (pass.of === 'archive' ? resealArchive(space, pass) : compactSlice(space, pass, now))
  if (progress === null || space.state.epoch !== epoch) return true
  const next = nextOf(progress, last)
  if (next !== null) {
    space.store.putPasses({ last, now: next })
    return false
  }
  endPass(space, progress.pass, now)
  return true
}

/** The rest of a pass, or its part over the archive; null at the end. */
function nextOf({ pass, isAtEnd }: PassProgress, last: LastPass): Pass | null {
  return isAtEnd ? archivePass(pass, last) : pass
}

function endPass(space: Space, { generation, unreadable }: Pass, now: number): void {
  const { superseded: left } = space.state
  space.store.dropClaims(now - space.config.tombstoneDays * DAY_MS, DROP_ROWS)
  space.store.putPasses({ last: { at: now, generation, form: FORM, left, unreadable }, now: null })
  space.state = { ...space.state, left }
}

/** The part of a pass after the log: the archive, unless the last pass left all of it under the same key and form. */
function archivePass({ of, generation, unreadable }: Pass, last: LastPass): Pass | null {
  const isNewest = last.generation === generation && last.form === FORM && last.unreadable === 0
  const isFirst = last.generation === 0 && last.form === FORM
  if (of === 'archive' || isNewest || isFirst) return null
  return { after: 0, to: Number.MAX_SAFE_INTEGER, generation, unreadable, of: 'archive' }
}

/** How far a space has come with sealing all it holds by the newest master key. */
export interface Resealing {
  /** The newest that the object has: after a deployment it may run with the last secrets for minutes. */
  readonly generation: number
  /** Whether all that it holds was read and is sealed by that one. */
  readonly done: boolean
  /** How many chunks could not be read; absent unless a pass has just ended and met some. */
  readonly unreadable?: number
  /** How many live entries it holds. Absent: the object runs a release that does not tell. */
  readonly entries?: number
}

/** Has the space see to it, if that is not done: its alarm does the work, so that there is one pass at a time. */
export async function reseal(space: Space, now: number): Promise<Resealing> {
  const [generation] = (await space.keys()).generations
  const { seq, entries } = space.state
  const { last, now: pass } = space.store.passes()
  const hasEnded = pass === null && last.generation === generation && last.form === FORM
  if (seq === NOTHING || (hasEnded && last.unreadable === 0)) return { generation, done: true, entries }
  if (hasEnded && now - last.at < RESEAL_AGAIN_MS)
    return { generation, done: false, unreadable: last.unreadable, entries }
  if (hasEnded) space.store.putPasses({ last, now: newPass(space, generation) })
  await space.alarm.wakeBy(now)
  return { generation, done: false, entries }
}

/** Drops everything that is past its time, a bounded piece of each kind. Whether there may be more. */
function dropAged(space: Space, now: number): boolean {
  const { historyDays, tombstoneDays } = space.config
  const [kept, remembered] = [now - historyDays * DAY_MS, now - tombstoneDays * DAY_MS]
  space.store.forgetRevoked(now)
  // Versions go after the conflicts that speak of them, never before.
  const conflicts = space.store.dropConflicts(kept, DROP_ROWS) === DROP_ROWS
  const archives = !conflicts && dropArchives(space, kept, now)
  const tombstones = dropTombstones(space, remembered) === DROP_ROWS
  if (conflicts || archives || tombstones) return true
  // Reads every client, so it waits until nothing else is left to drop.
  return space.store.dropVerdicts(remembered, DROP_ROWS) === DROP_ROWS
}

/** Whether there may be more. A row that a conflict speaks of is dated anew, so that the next step meets other rows. */
function dropArchives({ store }: Space, before: number, now: number): boolean {
  const rows = store.archivedBefore(before, { rows: DROP_ROWS, bytes: SLICE_BYTES })
  const kept = new Set(rows.filter((row) => isContested(store, row)).map(({ first }) => first))
  if (kept.size > 0) store.keepArchives([...kept], now)
  if (kept.size < rows.length)
    store.dropArchives(rows.map(({ first }) => first).filter((first) => !kept.has(first)))
  return rows.length === DROP_ROWS || sizeOf(rows) >= SLICE_BYTES
}

function sizeOf(rows: readonly ArchiveRow[]): number {
  return rows.reduce((sum, { body }) => sum + body.length, 0)
}

function isContested(store: Space['store'], { first, last, body }: ArchiveRow): boolean {
  if (!store.isRangeContested(first, last)) return false
  const chunks = tryChunks(body)
  return chunks === null || chunks.some(({ header }) => store.isContested(header.slots.map(({ seq }) => seq)))
}

/** A deletion that is forgotten is a version like any replaced one; who has not seen it must start over. */
function dropTombstones(space: Space, before: number): number {
  const { store, state } = space
  const seqs = space.transaction(() => {
    const dropped = store.dropTombstones(store.lastBefore(before), DROP_ROWS)
    if (dropped.length > 0) {
      store.putFloor(Math.max(state.floor, ...dropped))
      store.putCounts({ ...state, superseded: state.superseded + dropped.length })
    }
    return dropped
  })
  const floor = Math.max(state.floor, ...seqs)
  space.state = { ...state, floor, superseded: state.superseded + seqs.length }
  return seqs.length
}
