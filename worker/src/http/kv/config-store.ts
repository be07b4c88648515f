import { waitUntil } from 'cloudflare:workers'
import { type Config, DEFAULT_CONFIG } from '../../core/space/config.ts'
import { CONFIG_MAX_AGE_MS } from '../../core/values/limits.ts'
import { CONFIG_KEY, StoredConfig } from '../../schema/config.ts'

/** The configuration that this isolate last read or wrote. An isolate serves one stack. */
let cached: { readonly config: Config; readonly readAt: number } | undefined
/** When it was last requested from KV, with any outcome. */
let requestedAt = Number.NEGATIVE_INFINITY

/** The configuration, at most half a minute (and KV's minute) old. Throws if it cannot be read. */
export async function currentConfig(env: Env): Promise<Config> {
  const now = Date.now()
  if (cached === undefined || now - cached.readAt >= CONFIG_MAX_AGE_MS) {
    requestedAt = now
    cached = { config: await readConfig(env), readAt: now }
  }
  return cached.config
}

/**
 * The revision that this isolate has read recently, for the spaces that it calls. If it is undefined, the space reads
 * KV itself. The revision is refreshed in the background: no request waits for it or fails by it.
 */
export function knownRevision(env: Env): number | undefined {
  const now = Date.now()
  if (now - Math.max(requestedAt, cached?.readAt ?? requestedAt) >= CONFIG_MAX_AGE_MS) {
    requestedAt = now
    waitUntil(currentConfig(env).catch(logUnreadable))
  }
  const isFresh = cached !== undefined && now - cached.readAt < CONFIG_MAX_AGE_MS
  return isFresh ? cached?.config.revision : undefined
}

function logUnreadable(cause: unknown): void {
  console.error(JSON.stringify({ level: 'error', message: 'config unreadable', error: String(cause) }))
}

/** The configuration as KV has it now, in this location. */
export async function readConfig({ CHRONICLE_KV }: Env): Promise<Config> {
  const stored = await CHRONICLE_KV.get(CONFIG_KEY, 'json')
  return stored === null ? DEFAULT_CONFIG : StoredConfig.parse(stored)
}

export async function writeConfig(config: Config, { CHRONICLE_KV }: Env): Promise<void> {
  await CHRONICLE_KV.put(CONFIG_KEY, JSON.stringify(config))
  cached = { config, readAt: Date.now() }
}
