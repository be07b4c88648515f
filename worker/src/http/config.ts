import { waitUntil } from 'cloudflare:workers'
import { type Config, DEFAULT_CONFIG } from '../core/config.ts'
import { type IdentityProvider, longestGrant } from '../core/identity.ts'
import { CONFIG_MAX_AGE_MS } from '../core/limits.ts'
import { CONFIG_KEY, ConfigRequest, StoredConfig } from '../schema/config.ts'
import { parseBody } from '../schema/parse.ts'
import type { About } from './audit.ts'
import { readBody } from './body.ts'
import { type Exchange, json } from './exchange.ts'
import { checkSendable, grantTo } from './grant.ts'
import { refusal, unwrap } from './refusal.ts'

/** `GET /api/config`: what holds for all spaces of the stack, as this place of KV knows it. */
export async function showConfig({ env }: Exchange): Promise<Response> {
  return json(await readConfig(env))
}

/**
 * `PUT /api/config`: replaces the whole. KV cannot compare and set, so two operators at two places within a minute
 * could both pass; revisions come from the clock, so that even then every space ends with the same one.
 */
export async function putConfig({ request, env }: Exchange, about: About): Promise<Response> {
  const wanted = unwrap(parseBody(ConfigRequest, await readBody(request)))
  about({ revision: wanted.revision })
  await checkProviders(wanted.identityProviders, env)
  const { revision } = await readConfig(env)
  if (wanted.revision !== revision) throw refusal({ code: 'config-changed', revision })
  const config: Config = { ...wanted, revision: Math.max(revision + 1, Date.now()) }
  about({ revision: config.revision })
  await env.CHRONICLE_KV.put(CONFIG_KEY, JSON.stringify(config))
  known = { config, readAt: Date.now() }
  return json({ success: true, ...config })
}

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

async function checkProviders(providers: readonly IdentityProvider[], env: Env): Promise<void> {
  for (const [index, provider] of providers.entries()) {
    const place = `identityProviders[${index}]`
    for (const field of ['issuer', 'jwksUrl'] as const) {
      if (provider[field].startsWith('https:') || env.ENVIRONMENT === 'development') continue
      throw refusal({ code: 'invalid-request', detail: `${place}.${field}: expected an https:// URL` })
    }
    await checkSendable(await grantTo(longestGrant(provider)), env, `${place}.collections`)
  }
}

async function readConfig({ CHRONICLE_KV }: Env): Promise<Config> {
  const stored = await CHRONICLE_KV.get(CONFIG_KEY, 'json')
  return stored === null ? DEFAULT_CONFIG : StoredConfig.parse(stored)
}
