import type { Exchange } from '../exchange/exchange.ts'
import { refusal } from '../exchange/refusal.ts'
import { toBase64Url } from '../kv/api-token.ts'
import { bearer } from './session-token.ts'

/** 48 bits of a digest of 256: enough to tell a few apart. */
const FINGERPRINT_LENGTH = 8

/**
 * Lets the operator pass, who has the stack's admin token, and gives the fingerprint of the one that was shown; compared
 * in constant time.
 */
export async function checkAdmin({ request, env: { ADMIN_TOKEN } }: Exchange): Promise<string> {
  const given = await digest(bearer(request))
  // While the token is being replaced there are two; all are compared, so that time tells nothing.
  const expected = await Promise.all(ADMIN_TOKEN.split(' ').map(digest))
  const matches = expected.filter((digest) => crypto.subtle.timingSafeEqual(given, digest))
  if (matches.length === 0) {
    throw refusal({
      code: 'unauthorized',
      detail: "This takes the stack's admin token (the output adminToken), not a session or an API token.",
    })
  }
  return toBase64Url(new Uint8Array(given)).slice(0, FINGERPRINT_LENGTH)
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
}
