import { changeOf } from '../replica/batch.ts'
import type { Reply } from '../replica/reply.ts'
import type { QueuedEdit, ReplicaState } from '../store/store.ts'
import type { SyncRequest } from '../values/wire.ts'
import type { ChangesFrame } from './live.ts'

/** Makes the request that sends a batch and pulls on from the cursor. */
export function requestOf(
  sent: readonly QueuedEdit[],
  { outgoing, cursor }: ReplicaState,
  { now, collections }: { readonly now: number; readonly collections: readonly string[] | undefined },
): SyncRequest {
  return {
    ...(outgoing && { batch: outgoing.number }),
    // Times of the space are not corrected by the clock of this device (RE3).
    ...(!sent[0]?.repeats && { clientTime: now }),
    cursor,
    ...(collections && { collections: [...collections] }),
    changes: sent.map(changeOf),
  }
}

/** A frame is a page without results. */
export function replyOf({ changes, cursor }: ChangesFrame): Reply {
  return { results: [], conflicts: [], changes, cursor, replayed: false }
}

/** Makes the request that decides a conflict, on the version of the entry that this device has. */
export function decisionOf(
  { value, resolves }: QueuedEdit,
  version: string | null,
): { readonly path: string; readonly body: object } {
  const { conflict, choice = 'value' } = resolves ?? {}
  const body = { choice, base: version, ...(choice === 'value' && { value }) }
  return { path: `/api/conflicts/${conflict?.id}/resolve`, body }
}

/** Whether a decision with this refusal cannot be sent again as it is. */
export function isFinal(code: string): boolean {
  return ['stale-base', 'already-resolved', 'not-found', 'invalid-request'].includes(code)
}
