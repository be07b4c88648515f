import { PLACE_EXHAUSTED } from '../core/budget.ts'
import { refusal } from './refusal.ts'

/** Counts a request against a limit of this place's; a first filter, before any object wakes. */
export async function countAgainst(limiter: RateLimit, key: string): Promise<void> {
  const { success } = await limiter.limit({ key })
  if (!success) throw refusal(PLACE_EXHAUSTED)
}

/** Whom an attempt to authenticate counts against. The platform sets the header; it is absent on a local machine. */
export function addressOf(request: Request): string {
  return request.headers.get('cf-connecting-ip') ?? 'local'
}
