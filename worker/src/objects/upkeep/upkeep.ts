import { FORM } from '../../core/log/chunk-header.ts'
import { isPassDue, type LastPass, upkeepBy } from '../../core/log/upkeep.ts'
import { DAY_MS, DROP_ROWS, RESEAL_AGAIN_MS, UPKEEP_INTERVAL_MS } from '../../core/values/limits.ts'
import { NOTHING } from '../../core/values/version.ts'
import { settlePending } from '../space/draft.ts'
import type { Space } from '../space/space.ts'
import type { Pass, Passes } from '../store/pass-rows.ts'
import { compactSlice } from './compact.ts'
import { dropAged } from './drop-aged.ts'
import type { PassProgress } from './pass-progress.ts'
import { resealArchive } from './reseal-archive.ts'

/** The rows of a change that need upkeep later, besides superseded versions. */
export interface UpkeepNeeds {
  readonly conflicts: boolean
  /** The verdicts of a numbered batch. */
  readonly verdicts: boolean
}

/** Makes sure that a space wakes for its upkeep after a change. */
export async function arrangeUpkeep(
  space: Space,
  now: number,
  { conflicts, verdicts }: UpkeepNeeds = { conflicts: false, verdicts: false },
): Promise<void> {
  const by = upkeepBy(space.state, now) ?? (conflicts ? now + UPKEEP_INTERVAL_MS : null)
  if (by !== null) return space.alarm.wakeBy(by)
  if (verdicts) await space.alarm.wakeBy(now + space.config.tombstoneDays * DAY_MS)
}

/**
 * Does the next bounded piece of upkeep and arranges for the one after it. Continues the pass under way, or else drops
 * rows past their retention and then begins a pass if one is due. It may be interrupted anywhere and run again.
 */
export async function upkeep(space: Space, now: number): Promise<void> {
  await space.refreshConfig(now)
  const isDone = await doNext(space, now)
  if (!isDone) return space.alarm.wakeBy(now)
  await arrangeUpkeep(space, now, { conflicts: space.store.ages(), verdicts: false })
  const oldest = space.store.oldestVerdicts()
  if (oldest === null) return
  const due = oldest + space.config.tombstoneDays * DAY_MS
  await space.alarm.wakeBy(Math.max(due, now + UPKEEP_INTERVAL_MS))
}

/** Does one piece of upkeep. Returns whether no more is due. */
async function doNext(space: Space, now: number): Promise<boolean> {
  settlePending(space)
  const passes = space.store.passes()
  if (passes.now !== null) return continuePass(space, { ...passes, now: passes.now }, now)
  if (dropAged(space, now)) return false
  const { generations } = await space.keys()
  const occasion = { now, generation: generations[0], historyDays: space.config.historyDays }
  if (!isPassDue(space.state, passes.last, occasion)) return true
  return continuePass(space, { ...passes, now: newPass(space, occasion.generation) }, now)
}

function newPass({ state: { seq } }: Space, generation: number): Pass {
  return { after: 0, to: seq, generation, unreadable: 0 }
}

async function continuePass(
  space: Space,
  { last, now: pass }: Passes & { now: Pass },
  now: number,
): Promise<boolean> {
  const { epoch } = space.state
  const progress = await (pass.of === 'archive' ? resealArchive(space, pass) : compactSlice(space, pass, now))
  if (progress === null || space.state.epoch !== epoch) return true
  const next = remainderOf(progress, last)
  if (next !== null) {
    space.store.putPasses({ last, now: next })
    return false
  }
  endPass(space, progress.pass, now)
  return true
}

/** The rest of a pass: in the log, or in the archive after it. Null at the end. */
function remainderOf({ pass, isAtEnd }: PassProgress, last: LastPass): Pass | null {
  return isAtEnd ? archivePass(pass, last) : pass
}

function endPass(space: Space, { generation, unreadable }: Pass, now: number): void {
  settlePending(space)
  const { superseded: left } = space.state
  space.store.dropClaims(now - space.config.tombstoneDays * DAY_MS, DROP_ROWS)
  space.store.putPasses({ last: { at: now, generation, form: FORM, left, unreadable }, now: null })
  space.state = { ...space.state, left, lastUpkeep: now }
}

/** The part of a pass in the archive; null if the last pass left the whole archive under the same key and form. */
function archivePass({ of, generation, unreadable }: Pass, last: LastPass): Pass | null {
  const isNewest = last.generation === generation && last.form === FORM && last.unreadable === 0
  const isFirst = last.generation === 0 && last.form === FORM
  if (of === 'archive' || isNewest || isFirst) return null
  return { after: 0, to: Number.MAX_SAFE_INTEGER, generation, unreadable, of: 'archive' }
}

/** How far a space has come with resealing its data with the newest master key. */
export interface Resealing {
  /** The newest generation that the object has. After a deployment it may run with the previous secrets for minutes. */
  readonly generation: number
  /** Whether all data was read and is sealed with that generation. */
  readonly done: boolean
  /** How many chunks could not be read. Absent unless a pass with unreadable chunks has just ended. */
  readonly unreadable?: number
  /** The number of live entries. Absent if the object still runs a release without this field. */
  readonly entries?: number
}

/** Reports the progress of resealing, and sets the alarm if work is left. Only the alarm runs passes, so there is one at a time. */
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
