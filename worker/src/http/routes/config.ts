import { type IdentityProvider, longestGrant } from '../../core/access/identity.ts'
import type { Config } from '../../core/space/config.ts'
import { parseBody } from '../../schema/parse.ts'
import { ConfigRequest } from '../../schema/request/config.ts'
import { checkSendable, subjectGrant } from '../auth/grant.ts'

import { readBody } from '../exchange/body.ts'
import { type Exchange, json } from '../exchange/exchange.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'
import type { AddTarget } from '../kv/audit-log.ts'
import { readConfig, writeConfig } from '../kv/config-store.ts'

/** `GET /api/config`: the configuration of all spaces of the stack, as this location of KV has it. */
export async function showConfig({ env }: Exchange): Promise<Response> {
  return json({ stack: env.STACK, ...(await readConfig(env)) })
}

/**
 * `PUT /api/config`: replaces the whole configuration. KV has no compare-and-set, so two operators in two locations
 * could both succeed within a minute. Revisions come from the clock, so even then every space ends up with the same
 * one.
 */
export async function putConfig({ request, env }: Exchange, addTarget: AddTarget): Promise<Response> {
  const { stack = env.STACK, ...wanted } = unwrap(parseBody(ConfigRequest, await readBody(request)))
  addTarget({ revision: wanted.revision })
  if (stack !== env.STACK) {
    throw refusal({ code: 'invalid-request', detail: `stack: this service is the stack "${env.STACK}"` })
  }
  await checkProviders(wanted.identityProviders, env)
  const { revision } = await readConfig(env)
  if (wanted.revision !== revision) throw refusal({ code: 'config-changed', revision })
  const config: Config = { ...wanted, revision: Math.max(revision + 1, Date.now()) }
  addTarget({ revision: config.revision })
  await writeConfig(config, env)
  return json({ success: true, stack: env.STACK, ...config })
}

async function checkProviders(providers: readonly IdentityProvider[], env: Env): Promise<void> {
  for (const [index, provider] of providers.entries()) {
    const field = `identityProviders[${index}]`
    for (const url of ['issuer', 'jwksUrl'] as const) {
      if (provider[url].startsWith('https:') || env.ENVIRONMENT === 'development') continue
      throw refusal({ code: 'invalid-request', detail: `${field}.${url}: expected an https:// URL` })
    }
    await checkSendable(await subjectGrant(longestGrant(provider)), env, `${field}.collections`)
  }
}
