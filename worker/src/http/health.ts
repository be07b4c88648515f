import { type Exchange, json } from './exchange.ts'

/** `GET /api/health`: whether the Worker runs, for load balancers and smoke tests. Wakes no object. */
export async function health({ env }: Exchange): Promise<Response> {
  return json({ status: 'ok', environment: env.ENVIRONMENT, serverTime: Date.now() })
}
