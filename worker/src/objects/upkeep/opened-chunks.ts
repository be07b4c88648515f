import { type Chunk, versionsOf } from '../../core/log/chunk.ts'
import { FORM, firstSeq } from '../../core/log/chunk-header.ts'
import { partOf } from '../../core/log/rows.ts'
import type { Version } from '../../core/values/version.ts'
import { openText } from '../space/log.ts'
import type { Space } from '../space/space.ts'
import type { SegmentRow } from '../store/pass-rows.ts'
import type { SpaceKeys } from '../store/seal.ts'

export interface OpenedChunk {
  readonly chunk: Chunk
  /** Null for an unreadable chunk, which is kept as it is. */
  readonly text: string | null
  readonly versions: readonly Version[]
  /** The row that holds the chunk. */
  readonly row: Pick<SegmentRow, 'first' | 'last' | 'at'>
}

/** Opens a chunk. An unreadable chunk is logged and kept, so that it can be repaired. */
export async function openOne(space: Space, chunk: Chunk, row: OpenedChunk['row']): Promise<OpenedChunk> {
  // Fails by itself if the keys cannot be derived now, because the chunk is not at fault.
  await space.keys()
  try {
    const text = await openText(space, chunk)
    const versions = versionsOf(chunk.header, text)
    if (isWithin(chunk, row)) return { chunk, text, versions, row }
  } catch {
    // Logged below.
  }
  return unreadable(chunk, row)
}

/** Whether the sequence numbers of a chunk lie within its row. The header of form 1 has no tag that ensures it. */
function isWithin({ header }: Chunk, { first, last }: OpenedChunk['row']): boolean {
  return header.slots.every(({ seq }) => seq >= first && seq <= last)
}

export function unreadable(chunk: Chunk, row: OpenedChunk['row']): OpenedChunk {
  logUnreadable({ message: 'chunk unreadable', generation: chunk.header.g, seq: firstSeq(chunk.header) })
  return { chunk, text: null, versions: [], row }
}

export function logUnreadable(fields: Readonly<Record<string, string | number>>): void {
  console.error(JSON.stringify({ level: 'error', ...fields }))
}

export function countUnreadable(chunks: readonly OpenedChunk[]): number {
  return chunks.filter(({ text }) => text === null).length
}

export function isNewest({ header }: Chunk, generation: number): boolean {
  return header.g === generation && header.form === FORM
}

/** Seals the wanted versions of each chunk as a chunk of the same origin. A chunk that stays whole is not sealed again. */
export async function resealWanted(
  keys: SpaceKeys,
  chunks: readonly OpenedChunk[],
  isWanted: (seq: number) => boolean,
): Promise<readonly Chunk[]> {
  const [g] = keys.generations
  const parts = chunks.map(async ({ chunk, text }) => {
    if (text === null) return [chunk]
    const part = partOf(chunk.header, text, isWanted)
    if (part === null) return []
    if (isNewest(chunk, g) && part.slots.length === chunk.header.slots.length) return [chunk]
    const { c, b, t, k } = chunk.header
    const origin = { g, c, b, t, k }
    return [keys.chunk(origin, part.slots, await keys.seal(part.text, origin))]
  })
  return (await Promise.all(parts)).flat()
}
