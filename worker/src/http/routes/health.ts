import { type Exchange, json } from '../exchange/exchange.ts'

/**
 * `GET /api/health`: whether the Worker runs, for load balancers, and which version, for deliveries that wait for it.
 * Wakes no object.
 */
export async function health({ env }: Exchange): Promise<Response> {
  const { ENVIRONMENT: environment, VERSION: version } = env
  return json({ status: 'ok', environment, version, serverTime: Date.now() })
}
