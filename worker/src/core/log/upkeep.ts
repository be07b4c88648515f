import { DAY_MS, PASS_DELAY_MS, PASS_SUPERSEDED, UPKEEP_INTERVAL_MS } from '../values/limits.ts'
import { FORM } from './chunk-header.ts'

/** How much of the log is current, and how much is not. */
export interface Weight {
  /** Live entries. */
  readonly entries: number
  /** Versions in the log that no key stands at any more. */
  readonly superseded: number
  /** How many of these the last pass left behind: those that it could not read, and those of its own time. */
  readonly left: number
}

/** The last whole pass over the log. */
export interface LastPass {
  /** When it ended, ms; 0 before the first. */
  readonly at: number
  /** Of the master key that it sealed with; 0 before the first. */
  readonly generation: number
  /** The form of the chunks that it wrote. */
  readonly form: number
  /** As in `Weight`. */
  readonly left: number
  /** How many chunks and rows it could not read: they hold versions that nobody can read any more. */
  readonly unreadable: number
}

/** Before the first pass. */
export const NO_PASS: LastPass = { at: 0, generation: 0, form: FORM, left: 0, unreadable: 0 }

/** What a pass over the log would be for. */
export interface PassConditions {
  readonly now: number
  /** The newest of the master key. */
  readonly generation: number
  readonly historyDays: number
}

/**
 * When a space that has just changed must wake at the latest, ms; null if nothing in it ages. Waking costs a
 * constant share of a change: the more there is to clear away, the more changes have paid for it.
 */
export function upkeepBy(weight: Weight, now: number): number | null {
  if (isHeavy(weight)) return now + PASS_DELAY_MS
  return weight.superseded > 0 ? now + UPKEEP_INTERVAL_MS : null
}

/**
 * Whether the log is to be rewritten: where half of it is superseded, where superseded versions have waited for half of
 * their retention (so they live between once and about twice the retention), under a new master key, or where chunks
 * of an older form may be left.
 */
export function isPassDue(
  weight: Weight,
  last: LastPass,
  { now, generation, historyDays }: PassConditions,
): boolean {
  if (isHeavy(weight) || last.generation !== generation || last.form !== FORM) return true
  return weight.superseded > 0 && now - last.at >= (historyDays * DAY_MS) / 2
}

/** Counts only versions that came since the last pass: the next one could not take away those that it left. */
function isHeavy({ entries, superseded, left }: Weight): boolean {
  return superseded - left >= Math.max(PASS_SUPERSEDED, entries / 2)
}
