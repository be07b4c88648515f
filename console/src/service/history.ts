import { withQuery } from '../base/query.ts'
import type { Entry, HistoryReply, SyncReply, SyncRequest } from '../base/wire.ts'
import { Refusal, request } from './request.ts'
import { actOn, askSpace } from './space-session.ts'

const PAGE = 50

/** The refusal of a write on a version that is not current any more. */
const STALE = {
  code: 'stale-base',
  title: 'The entry has changed',
  detail: 'Somebody has written this key since you read it, so nothing was written. Choose “Read again”.',
}

interface HistoryOptions {
  readonly before?: string
  readonly limit?: number
  readonly signal?: AbortSignal
}

/** Reads versions of a key, the newest first. */
export function readHistory(
  space: string,
  key: string,
  { before, limit = PAGE, signal }: HistoryOptions,
): Promise<HistoryReply> {
  return askSpace(space, withQuery('/api/history', { key, before, limit }), { signal })
}

/** Writes an old version again, if the version that the operator saw is still the current one. */
export async function restore(space: string, version: Entry, current: string): Promise<void> {
  const { key, value, deleted } = version
  const now = Date.now()
  const content = deleted ? ({ deleted: true } as const) : { value }
  const body: SyncRequest = {
    atomic: true,
    clientTime: now,
    changes: [{ key, timestamp: now, base: current, ...content }],
  }
  await actOn(space, ['sync:read', 'sync:write'], (credential) =>
    request<SyncReply>('/api/sync', { method: 'POST', credential, body }),
  ).catch((error: unknown) => {
    // The service has taken this content before, so that only another write can be in the way.
    throw error instanceof Refusal && error.code === 'atomic-failed' ? new Refusal(STALE) : error
  })
}
