import { batchPoint, type Ending, keepPoint, requestPoint } from '../../core/log-line.ts'
import type { Tally } from '../../core/tally.ts'
import type { Exchange } from './exchange.ts'

/** Counts a request in the dataset. */
export function countRequest({ env }: Exchange, ending: Ending): void {
  keepPoint(env.ANALYTICS, requestPoint(env, ending))
}

/** Counts what a batch did. */
export function countSync({ env }: Exchange, tally: Tally): void {
  keepPoint(env.ANALYTICS, batchPoint(env, tally))
}
