import { type Config, DEFAULT_CONFIG } from '../../core/space/config.ts'
import { CONFIG_MAX_AGE_MS, CONFIG_UNHEARD_MS } from '../../core/values/limits.ts'
import { CONFIG_KEY, StoredConfig } from '../../schema/config.ts'

/**
 * Keeps up with the stack's configuration. A read of KV costs more than a request, so that a space reads only where a
 * Worker has told it of a newer revision, or where none has told it anything for five minutes. A revision that it has seen
 * outlives its object, so that a place of KV that is behind never takes it back to an older revision.
 */
export interface ConfigReader {
  /** Takes note of the revision that the Worker of this request has read lately; undefined if it has not. */
  hear(revision: number | undefined, now: number): void
  /** The configuration, read anew if that is due. */
  read(now: number): Promise<Config>
}

export function configReader(sql: SqlStorage, kv: KVNamespace): ConfigReader {
  let config = rememberedConfig(sql)
  let heard = 0
  let isUntold = false
  let heardAt = Number.NEGATIVE_INFINITY
  let readAt = Number.NEGATIVE_INFINITY
  let reading = Promise.resolve()

  async function renew(): Promise<void> {
    try {
      const found = await readStored(kv)
      if (found === null || found.revision <= config.revision) return
      sql.exec(`INSERT OR REPLACE INTO meta VALUES ('config', ?)`, JSON.stringify(found))
      config = found
    } catch (cause) {
      // Only this request fails: the next one tries again.
      readAt = Number.NEGATIVE_INFINITY
      throw cause
    }
  }

  function isDue(now: number): boolean {
    // KV may be behind what a Worker has read elsewhere, and is asked again then.
    if (heard > config.revision) return now - readAt >= CONFIG_MAX_AGE_MS
    return now - Math.max(readAt, heardAt) >= (isUntold ? CONFIG_MAX_AGE_MS : CONFIG_UNHEARD_MS)
  }

  return {
    hear(revision, now) {
      isUntold = revision === undefined
      if (revision === undefined) return
      heard = revision
      heardAt = now
    },

    async read(now) {
      if (isDue(now)) {
        readAt = now
        reading = renew()
      }
      await reading
      return config
    },
  }
}

/** Null if there is no configuration, or none that can be read: the space keeps the one that it has. */
async function readStored(kv: KVNamespace): Promise<Config | null> {
  try {
    const stored = await kv.get(CONFIG_KEY, 'json')
    return stored === null ? null : StoredConfig.parse(stored)
  } catch (cause) {
    console.error(JSON.stringify({ level: 'error', message: 'config unreadable', error: String(cause) }))
    return null
  }
}

function rememberedConfig(sql: SqlStorage): Config {
  const [row] = sql.exec<{ value: string }>(`SELECT value FROM meta WHERE name = 'config'`).toArray()
  return row === undefined ? DEFAULT_CONFIG : { ...DEFAULT_CONFIG, ...(JSON.parse(row.value) as Config) }
}
