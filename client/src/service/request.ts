import { changeOf } from '../replica/batch.ts'
import { seenIn } from '../replica/queue.ts'
import type { Reply } from '../replica/reply.ts'
import type { QueuedEdit, ReplicaState } from '../store/store.ts'
import type { SyncRequest } from '../values/wire.ts'
import type { ChangesFrame } from './live.ts'

/** The most entries of a page after a request that did not come through: a slow network must get on. */
const SLOW_PAGE = 50

interface RequestOptions {
  readonly now: number
  readonly collections: readonly string[] | undefined
  readonly isSlow: boolean
}

/** Makes the request that sends a batch and pulls on from the cursor. */
export function requestOf(
  sent: readonly QueuedEdit[],
  { outgoing, cursor }: ReplicaState,
  { now, collections, isSlow }: RequestOptions,
): SyncRequest {
  return {
    ...(outgoing && sent.length > 0 && { batch: outgoing.number }),
    // Times of the space are not corrected by the clock of this device (RE3).
    ...(!sent[0]?.repeats && { clientTime: now }),
    cursor,
    ...(collections && { collections: [...collections] }),
    ...(isSlow && { limit: SLOW_PAGE }),
    changes: sent.map(changeOf),
  }
}

/** A frame is a page without results. */
export function replyOf({ changes, cursor }: ChangesFrame): Reply {
  return { results: [], conflicts: [], changes, cursor, replayed: false }
}

/** Makes the request that decides a conflict, on the version that the user saw. */
export function decisionOf({ value, base, resolves }: QueuedEdit): {
  readonly path: string
  readonly body: object
} {
  const { conflict, choice = 'value' } = resolves ?? {}
  const body = { choice, base: seenIn(base), ...(choice === 'value' && { value }) }
  return { path: `/api/conflicts/${conflict?.id}/resolve`, body }
}
