/**
 * The objects that share the registry. A space reports at most 24 times a day unless it is busy, and one object takes
 * some 200 reports a second, so four serve three million spaces that are always active.
 */
export const SHARDS = ['0', '1', '2', '3'] as const

/** The shard of a space: FNV-1a over its name. Never changed, because the rows stay where they are. */
export function shardOf(space: string): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < space.length; index++) {
    hash = Math.imul(hash ^ space.charCodeAt(index), 0x01000193)
  }
  return SHARDS[(hash >>> 0) % SHARDS.length] ?? SHARDS[0]
}
