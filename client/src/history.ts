import type { Edit } from './editor.ts'
import type { HistoryReply, Json } from './values/wire.ts'

/** One version of an entry. */
export interface HistoryVersion {
  readonly version: string
  /** Undefined for a deletion. */
  readonly value: Json | undefined
  /** By the clock of the space, ms since 1970. */
  readonly timestamp: number
  /** The client that wrote it. */
  readonly by: string
}

/** The versions of an entry that the service keeps, the newest first. */
export interface History {
  readonly versions: readonly HistoryVersion[]
  /** Reads older versions; undefined if there are none. */
  readonly older: (() => Promise<History>) | undefined
  /** Writes the value of an old version as an ordinary edit, or deletes the entry if the version is a deletion. */
  restore(version: HistoryVersion): Edit
}

interface HistoryOptions {
  readonly key: string
  readonly request: (path: string) => Promise<unknown>
  readonly open: (value: Json, key: string) => Promise<Json>
  readonly restore: (value: Json | undefined) => Edit
}

/** Reads a page of the history. Needs the network. */
export async function historyOf(options: HistoryOptions, before?: string): Promise<History> {
  const { key, request, open, restore } = options
  const query = new URLSearchParams({ key, ...(before !== undefined && { before }) })
  const { versions, next } = (await request(`/api/history?${query}`)) as HistoryReply
  const opened = versions.map(async (entry): Promise<HistoryVersion> => {
    const isGone = 'deleted' in entry && entry.deleted
    const value = isGone ? undefined : await open(entry.value as Json, key)
    return { version: entry.version, value, timestamp: entry.timestamp, by: entry.by }
  })
  return {
    versions: await Promise.all(opened),
    older: next === null ? undefined : () => historyOf(options, next),
    restore: ({ value }) => restore(value),
  }
}
