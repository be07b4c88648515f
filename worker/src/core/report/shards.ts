import { fnv1a } from '../values/fnv1a.ts'

/**
 * The objects that share the registry. A space reports at most 24 times a day unless it is busy, and one object takes
 * some 200 reports a second, so four serve three million spaces that are always active.
 */
export const SHARDS = ['0', '1', '2', '3'] as const

/** The shard of a space. Never changed, because the rows stay where they are. */
export function shardOf(space: string): string {
  return SHARDS[fnv1a(space) % SHARDS.length] ?? SHARDS[0]
}
