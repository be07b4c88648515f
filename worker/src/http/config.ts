import type { Config } from '../core/config.ts'
import { type IdentityProvider, longestGrant } from '../core/identity.ts'
import { ConfigRequest } from '../schema/config.ts'
import { parseBody } from '../schema/parse.ts'
import type { About } from './audit-log.ts'

import { readBody } from './body.ts'
import { readConfig, writeConfig } from './config-store.ts'
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
  await writeConfig(config, env)
  return json({ success: true, ...config })
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
