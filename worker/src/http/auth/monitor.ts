import type { Exchange } from '../exchange/exchange.ts'
import { checkLookUp } from '../exchange/rate-limit.ts'
import { refusal } from '../exchange/refusal.ts'
import { checkForm, findToken } from '../kv/token-store.ts'
import { checkAdmin } from './admin.ts'
import { bearer } from './session-token.ts'

/**
 * Admits the reader of the metrics: an API token with the scope `metrics:read`, so that the configuration of a scraper
 * need not hold the admin token, or the admin token.
 */
export async function checkMonitor(exchange: Exchange): Promise<void> {
  const { request, env } = exchange
  const token = bearer(request)
  if (!token.startsWith('chr_')) {
    await checkAdmin(exchange)
    return
  }
  checkForm(token, env)
  await checkLookUp(exchange)
  const { scopes } = await findToken(token, env)
  if (!scopes.includes('metrics:read')) throw refusal({ code: 'forbidden-scope', needed: 'metrics:read' })
}
