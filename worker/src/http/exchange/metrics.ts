import { batchPoint, keepPoint, type RequestOutcome, requestPoint } from '../../core/log-line.ts'
import type { Tally } from '../../core/tally.ts'
import type { Exchange } from './exchange.ts'

/** Records a request in the dataset. */
export function recordRequest({ env }: Exchange, ending: RequestOutcome): void {
  keepPoint(env.ANALYTICS, requestPoint(env, ending))
}

/** Records the effects of a batch. */
export function recordSync({ env }: Exchange, tally: Tally): void {
  keepPoint(env.ANALYTICS, batchPoint(env, tally))
}
