import type { Keyring } from '../../../worker/src/objects/seal.ts'
import type { Stored } from '../checks/journal.ts'
import type { Floor } from './floor.ts'

/** The rows of a log, and what opens them. */
export interface Log {
  readonly segments: readonly Uint8Array[]
  readonly keys: Keyring
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
    .filter(({ frame }) => (frame.slots.at(-1)?.seq ?? 0) > after)
  const read = chunks.map(async (chunk) => {
    const versions = floor.versionsOf(chunk.frame, await keys.open(chunk))
    return versions.map((version) => ({ ...version, batch: chunk.frame.b, arrived: chunk.frame.t }))
  })
  return (await Promise.all(read)).flat().filter(({ seq }) => seq > after)
}
