import { type IdentityProvider, longestGrant } from '../../core/access/identity.ts'
import type { Config } from '../../core/space/config.ts'
import { ConfigRequest } from '../../schema/config.ts'
import { parseBody } from '../../schema/parse.ts'
import { checkSendable, grantTo } from '../auth/grant.ts'

import { readBody } from '../exchange/body.ts'
import { type Exchange, json } from '../exchange/exchange.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'
import type { About } from '../kv/audit-log.ts'
import { readConfig, writeConfig } from '../kv/config-store.ts'

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
