import { tryChunks } from '../../core/log/chunk.ts'
import { concatenate } from '../../core/log/rows.ts'
import { SLICE_BYTES } from '../../core/values/limits.ts'
import type { Space } from '../space/space.ts'
import type { ArchiveRow } from '../store/archive-rows.ts'
import type { Pass } from '../store/pass-rows.ts'
import type { SpaceKeys } from '../store/seal.ts'
import { countUnreadable, isNewest, logUnreadable, openOne, resealWanted } from './opened-chunks.ts'
import { type PassProgress, progressOf } from './pass-progress.ts'

/** Reseals the next range of the archive with the newest master key. Returns null if the space was erased meanwhile. */
export async function resealArchive(space: Space, pass: Pass): Promise<PassProgress | null> {
  const rows = space.store.archives(pass.after, SLICE_BYTES)
  const last = rows.at(-1)
  if (last === undefined) return { pass, isAtEnd: true }
  const { epoch } = space.state
  const keys = await space.keys()
  const resealed = await Promise.all(rows.map((row) => resealRow(space, keys, row)))
  if (space.state.epoch !== epoch) return null
  space.transaction(() => {
    for (const { row } of resealed) if (row !== null) space.store.replaceArchive(row)
  })
  const unreadable = resealed.reduce((sum, row) => sum + row.unreadable, 0)
  return progressOf(pass, last.first, unreadable)
}

interface Resealed {
  /** Null if the row need not change. */
  readonly row: Pick<ArchiveRow, 'first' | 'body'> | null
  readonly unreadable: number
}

async function resealRow(
  space: Space,
  keys: SpaceKeys,
  { first, last, body }: ArchiveRow,
): Promise<Resealed> {
  const [newest] = keys.generations
  const chunks = tryChunks(body)
  if (chunks === null) {
    logUnreadable({ message: 'archive row unreadable', first, last })
    return { row: null, unreadable: 1 }
  }
  if (chunks.every((chunk) => isNewest(chunk, newest))) return { row: null, unreadable: 0 }
  const row = { first, last, at: 0 }
  const opened = await Promise.all(chunks.map((chunk) => openOne(space, chunk, row)))
  const sealed = await resealWanted(keys, opened, () => true)
  const unreadable = countUnreadable(opened)
  return { row: { first, body: concatenate(sealed.map(({ bytes }) => bytes)) }, unreadable }
}
