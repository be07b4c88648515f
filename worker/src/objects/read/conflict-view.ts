import type { Conflict } from '../../core/batch/conflict.ts'
import { MAX_PAGE_READ_BYTES, MAX_REPORT_BYTES } from '../../core/values/limits.ts'
import { formatVersion, NOTHING, type Version } from '../../core/values/version.ts'
import { CorruptionError, type Meter, openVersions } from '../space/log.ts'
import type { Space } from '../space/space.ts'

/** Gives versions until their values add up to what a reply holds. */
export interface VersionReader {
  /** Null for what is gone, is not to be shown, or no longer fits. Throws where it is not of this key. */
  read(seq: number, key: string): Promise<Version | null>
  isFull(): boolean
}

export const blindReader: VersionReader = { read: async () => null, isFull: () => true }

/** Opens what is not at hand, until it has read much of the log. */
export function versionReader(
  space: Space,
  known: ReadonlyMap<number, Version | null> = new Map(),
): VersionReader {
  const meter: Meter = { read: 0 }
  let length = 0
  const isFull = () => length >= MAX_REPORT_BYTES || meter.read >= MAX_PAGE_READ_BYTES
  return {
    isFull,
    async read(seq, key) {
      if (seq === NOTHING || isFull()) return null
      const version = known.get(seq) ?? (await openVersions(space, [seq], meter)).get(seq) ?? null
      if (version !== null && version.key !== key)
        throw new CorruptionError(`version ${seq} is of another key`)
      length += JSON.stringify([version?.value ?? null, version?.paths]).length
      return version
    },
  }
}

/** A conflict as every reply shows it. */
export async function tell(
  conflict: Conflict,
  { key, epoch, reader }: { readonly key: string; readonly epoch: string; readonly reader: VersionReader },
): Promise<object> {
  const { id, policy, resolution, resolvedBy } = conflict
  const winner = await reader.read(conflict.winner, key)
  const loser = await reader.read(conflict.loser, key)
  const resolved = resolvedBy === NOTHING ? {} : { resolvedBy: formatVersion(epoch, resolvedBy) }
  return {
    id,
    key,
    policy,
    resolution,
    winner: side(conflict.winner, winner, epoch),
    loser: side(conflict.loser, loser, epoch),
    paths: policy === 'merge' ? ((resolution === 'merged' ? winner : loser)?.paths ?? []) : [],
    ...resolved,
  }
}

/** A version that nobody knows any more was a deletion; one that is not shown has its name only. */
function side(seq: number, version: Version | null, epoch: string): object {
  if (seq === NOTHING) return { deleted: true }
  if (version === null) return { version: formatVersion(epoch, seq), omitted: true }
  const { deleted, value, at, by } = version
  const content = { ...(deleted && { deleted }), ...(value !== undefined && { value }) }
  return { ...content, version: formatVersion(epoch, seq), timestamp: at, by }
}
