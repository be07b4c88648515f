import type { SpaceKeys } from '../../../worker/src/objects/store/seal.ts'
import type { Stored } from '../checks/journal.ts'
import type { Floor } from './floor.ts'

/** The rows of a log, and what opens them. */
export interface Log {
  readonly segments: readonly Uint8Array[]
  readonly keys: SpaceKeys
  /** What was read before. */
  readonly after: number
}

/** The versions that a log holds, as its frames and sealed contents say. */
export async function readLog(
  floor: Pick<Floor, 'decodeChunks' | 'versionsOf'>,
  { segments, keys, after }: Log,
): Promise<readonly Stored[]> {
  const chunks = segments
    .flatMap((body) => floor.decodeChunks(body))
    .filter(({ header }) => (header.slots.at(-1)?.seq ?? 0) > after)
  const read = chunks.map(async (chunk) => {
    const versions = floor.versionsOf(chunk.header, await keys.open(chunk))
    return versions.map((version) => ({ ...version, batch: chunk.header.b, arrived: chunk.header.t }))
  })
  return (await Promise.all(read)).flat().filter(({ seq }) => seq > after)
}
