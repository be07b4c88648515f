import type { Entry, HistoryReply, SyncReply, SyncRequest } from '../base/wire.ts'
import { request } from './request.ts'
import { actOn, askSpace } from './space-session.ts'

const PAGE = 50

interface HistoryOptions {
  readonly before?: string
  readonly signal?: AbortSignal
}

/** Reads versions of a key, the newest first. */
export function readHistory(
  space: string,
  key: string,
  { before, signal }: HistoryOptions,
): Promise<HistoryReply> {
  const query = new URLSearchParams({ key, limit: String(PAGE), ...(before !== undefined && { before }) })
  return askSpace(space, `/api/history?${query}`, { signal })
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
  )
}
