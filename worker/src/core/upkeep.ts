import { DAY_MS, PASS_DELAY_MS, PASS_SUPERSEDED, UPKEEP_INTERVAL_MS } from './limits.ts'

/** How much of the log is current, and how much is not. */
export interface Weight {
  /** Live entries. */
  readonly entries: number
  /** Versions in the log that no key stands at any more. */
  readonly superseded: number
}

/** The last whole pass over the log. */
export interface LastPass {
  /** When it ended, ms; 0 before the first. */
  readonly at: number
  /** Of the master key that it sealed with; 0 before the first. */
  readonly generation: number
  /** How many chunks it could not read. Absent: a release that did not count them made the pass. */
  readonly unreadable?: number
}

/** What a pass over the log would be for. */
export interface Occasion {
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
 * Whether the log is to be written anew: where half of it is superseded, where what is superseded has waited for
 * half of its retention (so it lives between once and about twice the retention), or under a new master key.
 */
export function isPassDue(
  weight: Weight,
  last: LastPass,
  { now, generation, historyDays }: Occasion,
): boolean {
  if (isHeavy(weight) || last.generation !== generation) return true
  return weight.superseded > 0 && now - last.at >= (historyDays * DAY_MS) / 2
}

function isHeavy({ entries, superseded }: Weight): boolean {
  return superseded >= Math.max(PASS_SUPERSEDED, entries / 2)
}
