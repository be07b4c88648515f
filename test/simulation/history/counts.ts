import type { Invariant } from '../values/violation.ts'
import type { Figure } from './host.ts'

/** The events of histories, and the checks of each invariant. */
export interface Counts {
  readonly figures: ReadonlyMap<Figure, number>
  readonly asked: ReadonlyMap<Invariant, number>
}

/** Adds counts up. */
export function sumOf(parts: readonly Counts[]): Counts {
  return {
    figures: total(parts.map(({ figures }) => figures)),
    asked: total(parts.map(({ asked }) => asked)),
  }
}

function total<K>(parts: readonly ReadonlyMap<K, number>[]): ReadonlyMap<K, number> {
  const totals = new Map<K, number>()
  for (const counts of parts)
    for (const [name, count] of counts) totals.set(name, (totals.get(name) ?? 0) + count)
  return totals
}
