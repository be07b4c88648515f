import type { Session } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import {
  MAX_TRANSFERS,
  PAGE_IN_FLIGHT_BYTES,
  PUSH_IN_FLIGHT_FACTOR,
  PUSH_WAITING_FACTOR,
  TRANSFER_RETRY_SECONDS,
  WAITING_BYTES,
} from '../../core/values/limits.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import { checkSession } from './admission.ts'
import type { Weight } from './in-flight.ts'
import type { Space } from './space.ts'

/** The weight of a request that reads a page. */
export const PAGE_WEIGHT: Weight = { served: PAGE_IN_FLIGHT_BYTES, waiting: WAITING_BYTES }

/** The weight of a push by its text, which is parsed only while it is served. A push with a cursor reads a page too. */
export function weightOfPush(text: string): Weight {
  // The first search is fast, because the engine looks for the first letter, and JSON is full of quotes.
  const hasCursor = text.includes('cursor"') && text.includes('"cursor"')
  const page = hasCursor ? PAGE_WEIGHT.served : 0
  return {
    served: text.length * PUSH_IN_FLIGHT_FACTOR + page,
    waiting: WAITING_BYTES + text.length * PUSH_WAITING_FACTOR,
  }
}

/** The weight of a page of an export. It may always wait: refusing it would break off an export that has begun. */
export const EXPORT_PAGE_WEIGHT: Weight = { served: PAGE_IN_FLIGHT_BYTES, waiting: 0 }

/**
 * Serves a request within the memory of the object. A null weight means that its memory is already reserved. The session
 * is checked after any wait. A request is refused if its space was erased while it was served, because its reply would
 * describe data that no longer exists.
 */
export async function serve<T>(
  space: Space,
  {
    session,
    weight,
    now,
  }: { readonly session: Session; readonly weight: Weight | null; readonly now: number },
  work: () => Promise<Result<T, Fault>>,
): Promise<Result<T, Fault>> {
  const { epoch } = space.state
  const isErased = () => space.state.epoch !== epoch
  try {
    const admitted = async () => {
      const known = checkSession(space, session, now)
      return known.ok ? work() : known
    }
    const done = await (weight === null ? admitted() : space.inFlight.serve<T>(weight, admitted))
    return isErased() ? refused({ code: 'revoked', of: 'space' }) : done
  } catch (thrown) {
    // The erasure removed the rows that the request was reading.
    if (isErased()) return refused({ code: 'revoked', of: 'space' })
    throw thrown
  }
}

/** Begins an export or import, if not too many are under way: each holds memory for as long as its client takes. */
export function beginTransfer(space: Space, session: Session, now: number): Result<Transfer, Fault> {
  const { transfers } = space
  for (const other of transfers) if (other.expiresAt * 1000 <= now) transfers.delete(other)
  if (transfers.size >= MAX_TRANSFERS) {
    return refused({ code: 'busy', retryAfterSeconds: TRANSFER_RETRY_SECONDS })
  }
  const transfer = { ...session }
  transfers.add(transfer)
  return accepted({ end: () => void transfers.delete(transfer) })
}

/** An export or import under way. It ends with its session at the latest. */
export interface Transfer {
  end(): void
}
