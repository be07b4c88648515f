import { type Config, DEFAULT_CONFIG } from '../core/config.ts'
import { CONFIG_KEY, ConfigRequest, StoredConfig } from '../schema/config.ts'
import { parseBody } from '../schema/parse.ts'
import { readBody } from './body.ts'
import { type Exchange, json } from './exchange.ts'
import { refusal, unwrap } from './refusal.ts'

/** `GET /api/config`: what holds for all spaces of the stack, as this place of KV knows it. */
export async function showConfig({ env }: Exchange): Promise<Response> {
  return json(await readConfig(env))
}

/**
 * `PUT /api/config`: replaces the whole. KV cannot compare and set, so two operators at two places within a minute
 * could both pass; revisions come from the clock, so that even then every space ends with the same one.
 */
export async function putConfig({ request, env }: Exchange): Promise<Response> {
  const wanted = unwrap(parseBody(ConfigRequest, await readBody(request)))
  const { revision } = await readConfig(env)
  if (wanted.revision !== revision) throw refusal({ code: 'config-changed', revision })
  const config: Config = { ...wanted, revision: Math.max(revision + 1, Date.now()) }
  await env.CHRONICLE_KV.put(CONFIG_KEY, JSON.stringify(config))
  return json({ success: true, ...config })
}

async function readConfig({ CHRONICLE_KV }: Env): Promise<Config> {
  const stored = await CHRONICLE_KV.get(CONFIG_KEY, 'json')
  return stored === null ? DEFAULT_CONFIG : StoredConfig.parse(stored)
}
