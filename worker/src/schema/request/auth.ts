import * as z from 'zod/mini'
import { OPERATOR_CLIENT } from '../../core/access/session.ts'
import { MAX_CREDENTIAL_LENGTH } from '../../core/values/access-limits.ts'

import { ClientId, ClientVersion } from '../atoms.ts'
import type { Words } from '../words.ts'

const OwnClientId = ClientId.check(
  z.refine((id) => !id.startsWith(OPERATOR_CLIENT), `${OPERATOR_CLIENT} begins the ids of operators`),
)

/** The body of `POST /api/auth`. Without `clientId` the session gets a new one: a replica of its own. */
export const AuthRequest = z.strictObject({
  token: z.string().check(z.minLength(1), z.maxLength(MAX_CREDENTIAL_LENGTH)),
  clientId: z.optional(OwnClientId),
  clientVersion: z.optional(ClientVersion),
})

export const AUTH_REQUEST_WORDS: Words<typeof AuthRequest> = {
  description: 'A token to exchange for a session.',
  fields: {
    token: 'An API token of this environment, or a JWT of an identity provider.',
    clientId:
      'The replica: an installation or a tab. It must not begin with `operator-`. Defaults to a new one.',
    clientVersion: 'The version of the app, which operators see in the list of devices.',
  },
}
