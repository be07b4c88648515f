import * as z from 'zod/mini'
import { Scopes, SpaceName } from '../atoms.ts'
import type { Words } from '../words.ts'

/** The body of `POST /api/sessions`. The default scopes only read. */
export const OperatorSessionRequest = z.strictObject({
  space: SpaceName,
  scopes: z._default(Scopes, ['sync:read', 'space:read']),
})

export const OPERATOR_SESSION_REQUEST_WORDS: Words<typeof OperatorSessionRequest> = {
  description: 'The space that the operator looks into.',
  fields: {
    space: 'The name of the space, as `GET /api/spaces` lists it.',
    scopes: 'The scopes of the session. Defaults to those that only read.',
  },
}
