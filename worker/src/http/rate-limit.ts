import { refusal } from './refusal.ts'

/** The period of the bindings in wrangler.toml: who is refused now may be let in when the next one begins. */
const PERIOD_SECONDS = 60

/** Counts a request against a limit of this place's; a first filter, before any object wakes. */
export async function countAgainst(limiter: RateLimit, key: string): Promise<void> {
  const { success } = await limiter.limit({ key })
  if (!success) throw refusal({ code: 'rate-limited', retryAfterSeconds: PERIOD_SECONDS })
}

/** Whom an attempt to authenticate counts against. The platform sets the header; it is absent on a local machine. */
export function addressOf(request: Request): string {
  return request.headers.get('cf-connecting-ip') ?? 'local'
}
