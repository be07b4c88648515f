import type { Exchange } from './exchange.ts'
import { addressOf, countAgainst } from './rate-limit.ts'
import { refusal } from './refusal.ts'
import { bearer } from './session.ts'

/** Lets the operator pass, who has the stack's admin token; compared in constant time, attempts limited. */
export async function checkAdmin({ request, env }: Exchange): Promise<void> {
  await countAgainst(env.AUTH_LIMIT, addressOf(request))
  const given = await digest(bearer(request))
  // While the token is being replaced there are two; all are compared, so that time tells nothing.
  const expected = await Promise.all(env.ADMIN_TOKEN.split(' ').map(digest))
  const matches = expected.filter((digest) => crypto.subtle.timingSafeEqual(given, digest))
  if (matches.length === 0) {
    throw refusal({
      code: 'unauthorized',
      detail: "This takes the stack's admin token (the output adminToken), not a session or an API token.",
    })
  }
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
}
