import type { Exchange } from '../exchange/exchange.ts'
import { refusal } from '../exchange/refusal.ts'
import { toBase64Url } from '../kv/api-token.ts'
import { bearer } from './session-token.ts'

/** 48 bits of a 256-bit digest: enough to tell a few tokens apart. */
const FINGERPRINT_LENGTH = 8

/** Admits the operator by the stack's admin token, compared in constant time. Returns the fingerprint of that token. */
export async function checkAdmin({ request, env: { ADMIN_TOKEN } }: Exchange): Promise<string> {
  const given = await digest(bearer(request))
  // There are two tokens during a rotation. Both are compared, so that the time taken reveals nothing.
  const expected = await Promise.all(ADMIN_TOKEN.split(' ').map(digest))
  const matches = expected.filter((digest) => crypto.subtle.timingSafeEqual(given, digest))
  if (matches.length === 0) {
    throw refusal({
      code: 'unauthorized',
      detail:
        "This endpoint requires the stack's admin token (the output adminToken), not a session or an API token.",
    })
  }
  return toBase64Url(new Uint8Array(given)).slice(0, FINGERPRINT_LENGTH)
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
}
