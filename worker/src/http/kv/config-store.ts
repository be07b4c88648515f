import { waitUntil } from 'cloudflare:workers'
import { type Config, DEFAULT_CONFIG } from '../../core/space/config.ts'
import { CONFIG_MAX_AGE_MS } from '../../core/values/limits.ts'
import { CONFIG_KEY, StoredConfig } from '../../schema/config.ts'

/** What was last read or written, for the isolate: it serves one stack. */
let known: { readonly config: Config; readonly readAt: number } | undefined
/** When it was last asked for, with whatever outcome. */
let askedAt = Number.NEGATIVE_INFINITY

/** The configuration, at most half a minute (and KV's minute) old. What cannot be read holds for nobody. */
export async function currentConfig(env: Env): Promise<Config> {
  const now = Date.now()
  if (known === undefined || now - known.readAt >= CONFIG_MAX_AGE_MS) {
    askedAt = now
    known = { config: await readConfig(env), readAt: now }
  }
  return known.config
}

/**
 * The revision that the isolate has read lately, for the spaces that it calls; undefined where that is longer ago, and
 * the space then looks for itself. Renewed beside the request: nobody waits for it, and nobody fails by it.
 */
export function knownRevision(env: Env): number | undefined {
  const now = Date.now()
  if (now - Math.max(askedAt, known?.readAt ?? askedAt) >= CONFIG_MAX_AGE_MS) {
    askedAt = now
    waitUntil(currentConfig(env).catch(logUnreadable))
  }
  const isFresh = known !== undefined && now - known.readAt < CONFIG_MAX_AGE_MS
  return isFresh ? known?.config.revision : undefined
}

function logUnreadable(cause: unknown): void {
  console.error(JSON.stringify({ level: 'error', message: 'config unreadable', error: String(cause) }))
}

/** The configuration as this location of KV has it now. */
export async function readConfig({ CHRONICLE_KV }: Env): Promise<Config> {
  const stored = await CHRONICLE_KV.get(CONFIG_KEY, 'json')
  return stored === null ? DEFAULT_CONFIG : StoredConfig.parse(stored)
}

export async function writeConfig(config: Config, { CHRONICLE_KV }: Env): Promise<void> {
  await CHRONICLE_KV.put(CONFIG_KEY, JSON.stringify(config))
  known = { config, readAt: Date.now() }
}
