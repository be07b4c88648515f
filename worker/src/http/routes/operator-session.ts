import { OPERATOR, OPERATOR_CLIENT } from '../../core/access/session.ts'
import { OPERATOR_SESSION_SECONDS } from '../../core/values/access-limits.ts'
import { parseBody } from '../../schema/parse.ts'
import { OperatorSessionRequest } from '../../schema/request/operator-session.ts'
import { newSession, subjectGrant } from '../auth/grant.ts'
import { signSession } from '../auth/session-token.ts'
import { readBody } from '../exchange/body.ts'
import { json, type OperatorExchange, spaceOf } from '../exchange/exchange.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'
import { isKnownSpace } from '../exchange/registry.ts'
import type { AddTarget } from '../kv/audit-log.ts'

/**
 * `POST /api/sessions`: opens a session of the operator in one space, for looking into it as its users do. The record of
 * this act says who looked where, and each act that writes with the session has a record of its own.
 */
export async function openOperatorSession(
  { request, env, operator }: OperatorExchange,
  addTarget: AddTarget,
): Promise<Response> {
  const { space, scopes } = unwrap(parseBody(OperatorSessionRequest, await readBody(request)))
  addTarget({ space, scopes })
  // A space that nobody has written to would be made by looking at it.
  if (!(await isKnownSpace(space, env))) throw refusal({ code: 'not-found', detail: UNKNOWN })
  const createdAt = Date.now()
  const expiresAt = createdAt + OPERATOR_SESSION_SECONDS * 1000
  const subject = OPERATOR + operator
  const grant = await subjectGrant({ subject, space, scopes, collections: null, createdAt, expiresAt })
  const session = { ...newSession(grant, OPERATOR_CLIENT + operator), operator }
  unwrap(await spaceOf(env, session).admit(session))
  return json({
    success: true,
    session: await signSession(session, env),
    expiresAt: session.expiresAt * 1000,
    clientId: session.client,
    space,
    scopes,
  })
}

const UNKNOWN =
  'no space of this name has reported. GET /api/spaces lists the spaces; a new one appears a few seconds after its first write'
