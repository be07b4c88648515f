import type { Figure } from './history/host.ts'
import { runHistory } from './run-history.ts'
import { type Invariant, Violation } from './values/violation.ts'
import { alteredFloor, SMALL_LIMITS } from './workshop.ts'

/** A history that did not hold. Its seed makes it again: `npm run simulate -- --seed 7`. */
export interface Failure {
  readonly seed: number
  /** Null: nothing was promised about it, but a request failed or never ended. */
  readonly invariant: Invariant | null
  readonly cause: unknown
}

/** What many histories came to. */
export interface Campaign {
  readonly histories: number
  readonly figures: ReadonlyMap<Figure, number>
  /** How often each invariant was asked for. */
  readonly asked: ReadonlyMap<Invariant, number>
  readonly failures: readonly Failure[]
  readonly seconds: number
}

/** Runs the histories of seeds one after the other; every second one with limits so small that all of them count. */
export async function runCampaign(from: number, histories: number): Promise<Campaign> {
  const product = await alteredFloor([])
  const small = await alteredFloor(SMALL_LIMITS)
  const figures = new Map<Figure, number>()
  const asked = new Map<Invariant, number>()
  const failures: Failure[] = []
  const began = performance.now()
  for (let seed = from; seed < from + histories; seed++) {
    try {
      const world = await runHistory(seed, seed % 2 === 0 ? small : product)
      add(figures, world.figures)
      add(asked, world.verdicts.asked)
    } catch (cause) {
      failures.push({ seed, invariant: cause instanceof Violation ? cause.invariant : null, cause })
    }
  }
  return { histories, figures, asked, failures, seconds: (performance.now() - began) / 1000 }
}

function add<K>(totals: Map<K, number>, counts: ReadonlyMap<K, number>): void {
  for (const [name, count] of counts) totals.set(name, (totals.get(name) ?? 0) + count)
}

/** What a person wants to know of a campaign. */
export function describeCampaign({ histories, figures, asked, failures, seconds }: Campaign): string {
  const rate = (histories / seconds).toFixed(1)
  const lines = [
    `${histories} histories in ${seconds.toFixed(0)} s (${rate} a second), ${failures.length} failed`,
    list(figures),
    list(asked),
    ...failures.map(({ seed, cause }) => `seed ${seed}: ${cause instanceof Error ? cause.stack : cause}`),
  ]
  return lines.join('\n')
}

function list(counts: ReadonlyMap<string, number>): string {
  return Array.from(counts, ([name, count]) => `${name} ${count}`)
    .sort()
    .join(', ')
}
