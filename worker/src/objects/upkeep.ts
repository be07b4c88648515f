import { decodeChunks, seqsOf } from '../core/chunk.ts'
import { DAY_MS, DROP_ROWS, RESEAL_AGAIN_MS, UPKEEP_INTERVAL_MS } from '../core/limits.ts'
import { isPassDue, type LastPass, upkeepBy } from '../core/upkeep.ts'
import { NOTHING } from '../core/version.ts'
import { compactSlice, resealArchive } from './compact.ts'
import type { Space } from './space.ts'
import type { Pass, Passes } from './upkeep-rows.ts'

/** Sees to it that a space that has just changed wakes in time. */
export async function arrangeUpkeep(space: Space, now: number): Promise<void> {
  const by = upkeepBy(space.standing, now)
  if (by !== null) await space.alarm.wakeBy(by)
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
  await arrangeUpkeep(space, now)
  if (space.store.ages()) await space.alarm.wakeBy(now + UPKEEP_INTERVAL_MS)
}

/** Whether nothing is left for today. */
async function proceed(space: Space, now: number): Promise<boolean> {
  const passes = space.store.passes()
  if (passes.now !== null) return proceedWith(space, { ...passes, now: passes.now }, now)
  if (dropAged(space, now)) return false
  const { generations } = await space.keys()
  const occasion = { now, generation: generations[0], historyDays: space.config.historyDays }
  if (!isPassDue(space.standing, passes.last, occasion)) return true
  return proceedWith(space, { ...passes, now: newPass(space, occasion.generation) }, now)
}

function newPass({ standing: { seq } }: Space, generation: number): Pass {
  return { after: 0, to: seq, generation, unreadable: 0 }
}

async function proceedWith(
  space: Space,
  { last, now: pass }: Passes & { now: Pass },
  now: number,
): Promise<boolean> {
  const { epoch } = space.standing
  const { generation } = pass
  const step = await (pass.of === 'archive' ? resealArchive(space, pass) : compactSlice(space, pass, now))
  if (space.standing.epoch !== epoch) return true
  // A pass that began without counting has no count at its end either.
  const met = pass.unreadable === undefined ? {} : { unreadable: pass.unreadable + step.unreadable }
  const rest = step.rest ?? archivePass(pass, last)
  space.store.putPasses(
    rest === null ? { last: { at: now, generation, ...met }, now: null } : { last, now: { ...rest, ...met } },
  )
  return rest === null
}

/** What comes after the log: nothing, if the last pass left all of the archive under the same master key. */
function archivePass({ of, generation }: Pass, last: LastPass): Pass | null {
  const isSealed = last.generation === generation && last.unreadable === 0
  if (of === 'archive' || last.generation === 0 || isSealed) return null
  return { after: 0, to: Number.MAX_SAFE_INTEGER, generation, of: 'archive' }
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
  const { seq, entries } = space.standing
  const { last, now: pass } = space.store.passes()
  const hasEnded = pass === null && last.generation === generation
  const { unreadable } = hasEnded ? last : {}
  if (seq === NOTHING || unreadable === 0) return { generation, done: true, entries }
  if (unreadable !== undefined && now - last.at < RESEAL_AGAIN_MS)
    return { generation, done: false, unreadable, entries }
  if (hasEnded) space.store.putPasses({ last, now: newPass(space, generation) })
  await space.alarm.wakeBy(now)
  return { generation, done: false, entries }
}

/** Drops what is past its time. Whether there may be more of it. */
function dropAged(space: Space, now: number): boolean {
  const { historyDays, tombstoneDays } = space.config
  space.store.forgetRevoked(now)
  // Versions go after the conflicts that speak of them, never before.
  const conflicts = space.store.dropConflicts(now - historyDays * DAY_MS, DROP_ROWS)
  const archives = conflicts < DROP_ROWS ? dropArchives(space, now - historyDays * DAY_MS) : 0
  const tombstones = dropTombstones(space, now - tombstoneDays * DAY_MS)
  return [conflicts, archives, tombstones].includes(DROP_ROWS)
}

function dropArchives({ store }: Space, before: number): number {
  const contested = store.contested()
  const firsts: number[] = []
  for (const { first, body } of store.archivedBefore(before)) {
    if (decodeChunks(body).some(({ frame }) => seqsOf(frame).some((seq) => contested.has(seq)))) continue
    firsts.push(first)
    if (firsts.length === DROP_ROWS) break
  }
  if (firsts.length > 0) store.dropArchives(firsts)
  return firsts.length
}

/** A deletion that is forgotten is a version like any replaced one; who has not seen it must start over. */
function dropTombstones(space: Space, before: number): number {
  const { store, standing } = space
  const seqs = space.transaction(() => {
    const dropped = store.dropTombstones(store.lastBefore(before), DROP_ROWS)
    if (dropped.length > 0) {
      store.putFloor(Math.max(standing.floor, ...dropped))
      store.putCounts({ ...standing, superseded: standing.superseded + dropped.length })
    }
    return dropped
  })
  const floor = Math.max(standing.floor, ...seqs)
  space.standing = { ...standing, floor, superseded: standing.superseded + seqs.length }
  return seqs.length
}
