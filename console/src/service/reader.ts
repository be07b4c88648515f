import { withQuery } from '../base/query.ts'
import type { ChangesReply, Entry, FeedFrame } from '../base/wire.ts'
import { askSpace } from './space-session.ts'

/** Position of a page that follows a space, by the rules LV of docs/spec.md. */
export interface Reader {
  /** Where the next socket begins; null for now. */
  readonly cursor: string | null
  /** Handles a frame, and gives the cursor to confirm. Null if the position is lost, and another socket is needed. */
  take(frame: FeedFrame): Promise<string | null>
  /** Prepares for the frames of another socket. */
  rejoin(): void
}

export function readerOf(space: string, onEntries: (entries: readonly Entry[]) => void): Reader {
  let cursor: string | null = null
  // After a pull, frames that were sent before it may still arrive, until one begins at the cursor.
  let isSkipping = false

  async function pull(): Promise<void> {
    for (let more = true; more; ) {
      const page: ChangesReply = await askSpace(space, withQuery('/api/changes', { cursor }))
      // After an erasure the page begins at the start of the feed. This reader wants what comes from now on.
      cursor = page.reset ? null : page.cursor
      if (cursor === null) return
      more = page.more
      onEntries(page.changes)
    }
    isSkipping = true
  }

  return {
    get cursor() {
      return cursor
    },
    async take(frame) {
      if (frame.type === 'poke') await pull()
      else if (frame.from === cursor) {
        isSkipping = false
        cursor = frame.cursor
        onEntries(frame.changes)
      } else if (frame.cursor !== cursor && !isSkipping) await pull()
      return cursor
    },
    rejoin() {
      isSkipping = false
    },
  }
}
