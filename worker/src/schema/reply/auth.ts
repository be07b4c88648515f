import * as z from 'zod/mini'
import { SCOPES } from '../../core/access/session.ts'
import { ClientId, Milliseconds } from '../atoms.ts'
import { field, object } from './described.ts'
import { Limits } from './limits.ts'

/** The reply of `POST /api/auth`. */
export const AuthReply = object('A session.', {
  success: z.literal(true),
  session: field('The session, for the header `Authorization: Bearer`.', z.string()),
  expiresAt: field('When the session ends, ms since 1970.', Milliseconds),
  clientId: field('The replica that the session is bound to.', ClientId),
  subject: field('The subject of the token that opened the session.', z.string()),
  space: field('The space that the session opens.', z.string()),
  epoch: field(
    'Identifies the data of the space. A change means that the space was erased or restored. May be absent for some minutes while a release is rolled out.',
    z.optional(z.string()),
  ),
  lastBatch: field(
    'The number of the last batch that the space has of this client, or 0. The next batch has the number after it. Absent if `epoch` is absent.',
    z.optional(z.int()),
  ),
  scopes: field('The scopes of the session.', z.array(z.enum(SCOPES))),
  collections: field('The collections of the session. Null: all.', z.nullable(z.array(z.string()))),
  limits: field('The limits of this service.', Limits),
})

/** The reply of `POST /api/sessions`. */
export const OperatorSessionReply = object("An operator's session in a space.", {
  success: z.literal(true),
  session: field('The session, for the header `Authorization: Bearer`.', z.string()),
  expiresAt: field('When the session ends, ms since 1970: a quarter of an hour later.', Milliseconds),
  clientId: field('The replica that the session is bound to.', ClientId),
  space: field('The space that the session opens.', z.string()),
  scopes: field('The scopes of the session.', z.array(z.enum(SCOPES))),
})

/** The reply of `DELETE /api/sessions`. */
export const SessionsReply = object('The sessions have ended.', {
  success: z.literal(true),
  subject: field('The subject of the sessions.', z.string()),
  space: field('The space of the sessions.', z.string()),
})

/** The reply of `POST /api/live/ticket`. */
export const TicketReply = object('A ticket. It opens one socket.', {
  success: z.literal(true),
  ticket: field('The ticket, for the subprotocol `ticket.<ticket>`.', z.string()),
  expiresAt: field('When the ticket expires, ms since 1970.', Milliseconds),
})
