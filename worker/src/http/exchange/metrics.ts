import { keepPoint, type RequestOutcome, requestPoint } from '../../core/log-line.ts'
import type { Exchange } from './exchange.ts'

/** Records a request in the dataset. */
export function recordRequest({ env }: Exchange, ending: RequestOutcome): void {
  keepPoint(env.ANALYTICS, requestPoint(env, ending))
}
