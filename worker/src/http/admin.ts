import type { Exchange } from './exchange.ts'
import { addressOf, countAgainst } from './rate-limit.ts'
import { refusal } from './refusal.ts'
import { bearer } from './session.ts'

/** Lets the operator pass, who has the stack's admin token; compared in constant time, attempts limited. */
export async function checkAdmin({ request, env }: Exchange): Promise<void> {
  await countAgainst(env.AUTH_LIMIT, addressOf(request))
  const [given, expected] = await Promise.all([digest(bearer(request)), digest(env.ADMIN_TOKEN)])
  if (!crypto.subtle.timingSafeEqual(given, expected)) {
    throw refusal({
      code: 'unauthorized',
      detail: "This takes the stack's admin token (the output adminToken), not a session or an API token.",
    })
  }
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
}
