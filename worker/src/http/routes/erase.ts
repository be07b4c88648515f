import type { Session } from '../../core/access/session.ts'
import { parseBody } from '../../schema/parse.ts'
import { EraseRequest } from '../../schema/space.ts'
import { readBody } from '../exchange/body.ts'
import { type Exchange, json, spaceOf } from '../exchange/exchange.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'

/** `DELETE /api/space`: erases everything in the space, and ends its token and every session. */
export async function erase({ request, env }: Exchange, session: Session): Promise<Response> {
  const { confirm } = unwrap(parseBody(EraseRequest, await readBody(request, session.expiresAt * 1000)))
  if (confirm !== session.space) {
    throw refusal({ code: 'invalid-request', detail: 'confirm: expected the name of the space' })
  }
  unwrap(await spaceOf(env, session).erase(session))
  return json({ success: true })
}
