import { versionsOf } from '../../core/log/chunk.ts'
import { type ChunkHeader, lastSeq } from '../../core/log/chunk-header.ts'
import { MAX_RECENT_CHANGES, MAX_RECENT_LENGTH } from '../../core/values/limits.ts'
import type { Version } from '../../core/values/version.ts'

/** A chunk, and the text that was sealed in it. */
export interface ClearChunk {
  readonly header: ChunkHeader
  readonly text: string
}

/** A version without its value, and the text that shows it to readers. */
export type RecentVersion = Omit<Version, 'value' | 'paths'> & { readonly text: string }

/** A chunk that was committed a short time ago. */
export interface RecentChunk {
  readonly header: ChunkHeader
  readonly versions: readonly RecentVersion[]
}

type Describe = (version: Version) => string

/**
 * The newest chunks of the log, in clear, as the space had them when it stored them. Whoever follows the feed reads them
 * from here and not from the log, where each chunk would have to be opened again for each reader.
 */
export interface RecentChanges {
  /** Takes chunks that were just committed. `after` is the last sequence number before them. */
  add(chunks: readonly ClearChunk[], after: number): void
  /**
   * The chunks that hold all changes after a sequence number, up to the `last` in use; null if some are only in the log. The
   * versions of a chunk are described when they are first asked for, the same for all readers.
   */
  after(seq: number, last: number, describe: Describe): readonly RecentChunk[] | null
  /** Forgets everything: call it when sequence numbers begin anew. */
  forget(): void
}

export function recentChanges(): RecentChanges {
  const chunks: Kept[] = []
  let [length, changes] = [0, 0]
  /** All changes after `from`, up to `to`, are here. */
  let [from, to] = [0, 0]

  /** Drops the oldest chunks until the rest is short enough. */
  function shorten(): void {
    let count = 0
    for (const { header, size } of chunks) {
      if (length <= MAX_RECENT_LENGTH && changes <= MAX_RECENT_CHANGES) break
      length -= size
      changes -= header.slots.length
      from = lastSeq(header)
      count += 1
    }
    chunks.splice(0, count)
  }

  function forget(): void {
    chunks.length = 0
    length = changes = from = to = 0
  }

  return {
    add(added, after) {
      if (added.length === 0) return
      // Something else has written to the log, such as an import.
      if (after !== to) {
        forget()
        from = after
      }
      for (const chunk of added) {
        chunks.push(keep(chunk))
        length += chunk.text.length
        changes += chunk.header.slots.length
        to = lastSeq(chunk.header)
      }
      shorten()
    },

    after(seq, last, describe) {
      if (last !== to || seq < from) return null
      const first = chunks.findLastIndex(({ header }) => lastSeq(header) <= seq) + 1
      return chunks.slice(first).map(({ header, versions }) => ({ header, versions: versions(describe) }))
    },

    forget,
  }
}

/** A chunk in memory. `size` is the length of its text, which is replaced by what readers are shown. */
interface Kept {
  readonly header: ChunkHeader
  readonly size: number
  readonly versions: (describe: Describe) => readonly RecentVersion[]
}

function keep({ header, text }: ClearChunk): Kept {
  let undescribed: string | null = text
  let described: readonly RecentVersion[] = []
  return {
    header,
    size: text.length,
    versions(describe) {
      if (undescribed !== null) {
        described = versionsOf(header, undescribed).map((version) => withoutValue(version, describe(version)))
        undescribed = null
      }
      return described
    },
  }
}

function withoutValue({ value: _, paths: __, ...version }: Version, text: string): RecentVersion {
  return { ...version, text }
}
