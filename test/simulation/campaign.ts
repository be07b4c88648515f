import { expect } from 'vitest'
import { runDeviceHistory } from './devices/run-history.ts'
import { type Counts, sumOf } from './history/counts.ts'
import { runHistory } from './run-history.ts'
import { type Invariant, Violation } from './values/violation.ts'
import { alteredClient, alteredFloor, SMALL_LIMITS } from './workshop.ts'

/** A history that failed. `npm run simulate -- --seed 7` repeats the one of seed 7, `-- --devices --seed 7` one of devices. */
export interface Failure {
  readonly seed: number
  /** Null if no invariant is violated, but a request failed or never ended. */
  readonly invariant: Invariant | null
  readonly cause: unknown
}

/** The result of many histories. */
export interface Campaign extends Counts {
  readonly histories: number
  /** The events and checks of devices alone, where there are any. */
  readonly own: Counts
  readonly failures: readonly Failure[]
  readonly seconds: number
}

/** Runs and checks the history of a seed. */
type Run = (seed: number) => Promise<Counts & { readonly own?: Counts }>

/** Histories of hand-made clients. Every second one has small limits, so that all limits matter. */
export async function clientHistories(): Promise<Run> {
  const floors = await Promise.all([alteredFloor(SMALL_LIMITS), alteredFloor([])])
  return async (seed) => {
    const { figures, verdicts } = await runHistory(seed, floors[seed % 2 === 0 ? 0 : 1])
    return { figures, asked: verdicts.asked }
  }
}

/** Histories in which devices run the client of the product beside hand-made ones. */
export async function deviceHistories(): Promise<Run> {
  const floors = await Promise.all([alteredFloor(SMALL_LIMITS), alteredFloor([])])
  const client = await alteredClient([])
  return async (seed) => {
    const world = await runDeviceHistory(seed, { floor: floors[seed % 2 === 0 ? 0 : 1], client })
    return world.totals()
  }
}

/** Runs the histories of consecutive seeds. */
export async function runCampaign(from: number, histories: number, run: Run): Promise<Campaign> {
  const results: Awaited<ReturnType<Run>>[] = []
  const failures: Failure[] = []
  const began = performance.now()
  for (let seed = from; seed < from + histories; seed++) {
    try {
      results.push(await run(seed))
    } catch (cause) {
      failures.push({ seed, invariant: cause instanceof Violation ? cause.invariant : null, cause })
    }
  }
  const own = sumOf(results.flatMap((result) => result.own ?? []))
  return { histories, ...sumOf(results), own, failures, seconds: (performance.now() - began) / 1000 }
}

/** Passes if an invariant was checked and always held. `asked`: the checks that count. A failure names the seeds. */
export function expectHeld(campaign: Campaign, invariant: Invariant, { asked }: Counts = campaign): void {
  expect(campaign.failures.filter((failure) => failure.invariant === invariant)).toEqual([])
  expect(asked.get(invariant)).toBeGreaterThan(100)
}

/** Describes a campaign for a person. */
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
