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

/** A request that reads a page. */
export const PAGE: Weight = { served: PAGE_IN_FLIGHT_BYTES, waiting: WAITING_BYTES }

/** A push by its text, which is parsed only while it is served. One that may hold a cursor reads a page too. */
export function weightOfPush(text: string): Weight {
  const page = text.includes('"cursor"') ? PAGE.served : 0
  return {
    served: text.length * PUSH_IN_FLIGHT_FACTOR + page,
    waiting: WAITING_BYTES + text.length * PUSH_WAITING_FACTOR,
  }
}

/** A page of an export, which waits as long as it takes: it has begun, and would be torn. */
export const EXPORTED_PAGE: Weight = { served: PAGE_IN_FLIGHT_BYTES, waiting: 0 }

/**
 * Serves a request of a session within the memory of the object; without a weight it has its share already. One that had
 * to wait is asked again for its session; one whose space was erased meanwhile is refused, because what it found is of
 * a space that is no more.
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
    // What it was reading has gone under its hands.
    if (isErased()) return refused({ code: 'revoked', of: 'space' })
    throw thrown
  }
}

/** Lets one more export or import begin, which hold some memory for as long as their client takes. */
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

/** An export or import that goes on; none goes on for longer than its session. */
export interface Transfer {
  end(): void
}
