import { DAY_MS, PASS_DELAY_MS, PASS_SUPERSEDED, UPKEEP_INTERVAL_MS } from '../values/limits.ts'
import { FORM } from './chunk-header.ts'

/** How much of the log is current, and how much is superseded. */
export interface Weight {
  /** Live entries. */
  readonly entries: number
  /** Versions in the log that are no longer current. */
  readonly superseded: number
  /**
   * The superseded versions that the last pass left behind: those it could not read, and those that arrived while it
   * ran.
   */
  readonly left: number
}

/** The last complete pass over the log. */
export interface LastPass {
  /** When it ended, ms; 0 before the first. */
  readonly at: number
  /** The generation of the master key that it sealed with; 0 before the first. */
  readonly generation: number
  /** The form of the chunks that it wrote. */
  readonly form: number
  /** As in `Weight`. */
  readonly left: number
  /** The number of chunks and rows that it could not read. Their versions are lost. */
  readonly unreadable: number
}

/** The state before the first pass. */
export const NO_PASS: LastPass = { at: 0, generation: 0, form: FORM, left: 0, unreadable: 0 }

/** The conditions under which a pass may be due. */
export interface PassConditions {
  readonly now: number
  /** The newest generation of the master key. */
  readonly generation: number
  readonly historyDays: number
}

/**
 * The latest time at which a space that has just changed must wake, ms; null if nothing in it ages. The cost of waking
 * stays a constant share of the cost of changes: the more there is to remove, the more changes have been paid for.
 */
export function upkeepBy(weight: Weight, now: number): number | null {
  if (isHeavy(weight)) return now + PASS_DELAY_MS
  return weight.superseded > 0 ? now + UPKEEP_INTERVAL_MS : null
}

/**
 * Whether the log is to be rewritten: half of it is superseded; or superseded versions have waited for half of their
 * retention, so that they live between one and about two retentions; or the master key is new; or chunks of an older
 * form may be left.
 */
export function isPassDue(
  weight: Weight,
  last: LastPass,
  { now, generation, historyDays }: PassConditions,
): boolean {
  if (isHeavy(weight) || last.generation !== generation || last.form !== FORM) return true
  return weight.superseded > 0 && now - last.at >= (historyDays * DAY_MS) / 2
}

/**
 * Counts only versions that were superseded since the last pass, because the next pass could not remove those that it
 * left.
 */
function isHeavy({ entries, superseded, left }: Weight): boolean {
  return superseded - left >= Math.max(PASS_SUPERSEDED, entries / 2)
}
