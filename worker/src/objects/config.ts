import { type Config, DEFAULT_CONFIG } from '../core/config.ts'
import { CONFIG_MAX_AGE_MS } from '../core/limits.ts'
import { CONFIG_KEY, StoredConfig } from '../schema/config.ts'

/**
 * Keeps up with the stack's configuration: reads KV at most every half a minute, and only when asked. What a space
 * has seen outlives its object, so that a place of KV that is behind never takes it back to an older revision.
 */
export function configReader(sql: SqlStorage, kv: KVNamespace): (now: number) => Promise<Config> {
  let config = rememberedConfig(sql)
  let readAt = Number.NEGATIVE_INFINITY
  let reading = Promise.resolve()

  async function read(): Promise<void> {
    const found = await readStored(kv)
    if (found === null || found.revision <= config.revision) return
    config = found
    sql.exec(`INSERT OR REPLACE INTO meta VALUES ('config', ?)`, JSON.stringify(found))
  }

  return async (now) => {
    if (now - readAt >= CONFIG_MAX_AGE_MS) {
      readAt = now
      reading = read()
    }
    await reading
    return config
  }
}

/** Null if there is none, or none that can be used: the space then goes on with what it knows. */
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
