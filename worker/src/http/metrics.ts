import type { Tally } from '../core/tally.ts'
import type { Exchange } from './exchange.ts'
import type { Ending } from './log.ts'

/**
 * Counts a request in the dataset. blob1 is the kind of point, blob2 the version, then route, method, code;
 * double1 the status, double2 the milliseconds. The index is the environment: what is sampled, if anything is.
 */
export function countRequest({ request, env }: Exchange, { route, status, code, ms }: Ending): void {
  env.ANALYTICS.writeDataPoint({
    indexes: [env.ENVIRONMENT],
    blobs: ['request', env.VERSION, route, request.method, code ?? ''],
    doubles: [status, ms],
  })
}

/** Counts what a batch did: changes, conflicts, rejections and replays as double1 to double4. */
export function countSync({ env }: Exchange, { changes, conflicts, rejected, replays }: Tally): void {
  env.ANALYTICS.writeDataPoint({
    indexes: [env.ENVIRONMENT],
    blobs: ['sync', env.VERSION],
    doubles: [changes, conflicts, rejected, replays],
  })
}
