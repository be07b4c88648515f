import { versionsOf } from '../../core/log/chunk.ts'
import { type ChunkHeader, lastSeq } from '../../core/log/chunk-header.ts'
import { MAX_RECENT_LENGTH } from '../../core/values/limits.ts'
import type { Version } from '../../core/values/version.ts'

/** A chunk, and the text that was sealed in it. */
export interface ClearChunk {
  readonly header: ChunkHeader
  readonly text: string
}

/** A chunk that was committed a short time ago. */
export interface RecentChunk {
  readonly header: ChunkHeader
  /** Its stored changes. They are parsed when first asked for. */
  readonly versions: readonly Version[]
}

/**
 * The newest chunks of the log, in clear, as the space had them when it stored them. Whoever follows the feed reads them
 * from here and not from the log, where each chunk would have to be opened again for each reader.
 */
export interface RecentChanges {
  /** Takes chunks that were just committed. `after` is the last sequence number before them. */
  add(chunks: readonly ClearChunk[], after: number): void
  /** The chunks that hold all changes after a sequence number, up to the `last` in use; null if some are only in the log. */
  after(seq: number, last: number): readonly RecentChunk[] | null
  /** Forgets everything: call it when sequence numbers begin anew. */
  forget(): void
}

export function recentChanges(): RecentChanges {
  let chunks: readonly ParsedChunk[] = []
  let length = 0
  /** All changes after `from`, up to `to`, are here. */
  let [from, to] = [0, 0]

  /** Drops the oldest chunks until the rest is short enough. */
  function shorten(): void {
    let count = 0
    for (const { header, text } of chunks) {
      if (length <= MAX_RECENT_LENGTH) break
      length -= text.length
      from = lastSeq(header)
      count += 1
    }
    if (count > 0) chunks = chunks.slice(count)
  }

  function forget(): void {
    chunks = []
    length = 0
    from = to = 0
  }

  return {
    add(added, after) {
      if (added.length === 0) return
      // Something else has written to the log, such as an import.
      if (after !== to) {
        forget()
        from = after
      }
      chunks = [...chunks, ...added.map(parsedLater)]
      for (const { header, text } of added) {
        length += text.length
        to = lastSeq(header)
      }
      shorten()
    },

    after(seq, last) {
      if (last !== to || seq < from) return null
      return chunks.filter(({ header }) => lastSeq(header) > seq)
    },

    forget,
  }
}

type ParsedChunk = RecentChunk & ClearChunk

function parsedLater({ header, text }: ClearChunk): ParsedChunk {
  let versions: readonly Version[] | undefined
  return {
    header,
    text,
    get versions() {
      versions ??= versionsOf(header, text)
      return versions
    },
  }
}
