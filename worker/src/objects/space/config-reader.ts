import { type Config, DEFAULT_CONFIG } from '../../core/space/config.ts'
import { CONFIG_MAX_AGE_MS, CONFIG_UNHEARD_MS } from '../../core/values/limits.ts'
import { CONFIG_KEY, StoredConfig } from '../../schema/stored/config.ts'

/**
 * Keeps the stack's configuration up to date. Reading KV costs more than a request, so a space reads only when a Worker
 * has announced a newer revision, or when no Worker has announced any for five minutes. The newest revision seen is
 * stored, so a KV location that is behind never takes the space back to an older one.
 */
export interface ConfigReader {
  /** Takes the revision that the Worker of a request has read recently; undefined if it has read none. */
  hear(revision: number | undefined, now: number): void
  /** Returns the configuration, re-read from KV if that is due. */
  read(now: number): Promise<Config>
}

export function configReader(sql: SqlStorage, kv: KVNamespace): ConfigReader {
  let config = rememberedConfig(sql)
  let announced = 0
  let isUnannounced = false
  let announcedAt = Number.NEGATIVE_INFINITY
  let readAt = Number.NEGATIVE_INFINITY
  let reading = Promise.resolve()

  async function renew(): Promise<void> {
    try {
      const found = await readStored(kv)
      if (found === null || found.revision <= config.revision) return
      sql.exec(`INSERT OR REPLACE INTO meta VALUES ('config', ?)`, JSON.stringify(found))
      config = found
    } catch (cause) {
      // Only this request fails: the next one retries.
      readAt = Number.NEGATIVE_INFINITY
      throw cause
    }
  }

  function isDue(now: number): boolean {
    // KV may be behind what a Worker has read at another location. Retry until it catches up.
    if (announced > config.revision) return now - readAt >= CONFIG_MAX_AGE_MS
    return now - Math.max(readAt, announcedAt) >= (isUnannounced ? CONFIG_MAX_AGE_MS : CONFIG_UNHEARD_MS)
  }

  return {
    hear(revision, now) {
      isUnannounced = revision === undefined
      if (revision === undefined) return
      announced = revision
      announcedAt = now
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

/** Returns null if the configuration is missing or invalid: the space then keeps the one it has. */
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
