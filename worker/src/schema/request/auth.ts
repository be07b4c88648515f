import * as z from 'zod/mini'
import { MAX_CREDENTIAL_LENGTH } from '../../core/values/access-limits.ts'

import { ClientId, ClientVersion } from '../atoms.ts'
import type { Words } from '../words.ts'

/** The body of `POST /api/auth`. Without `clientId` the session gets a new one: a replica of its own. */
export const AuthRequest = z.strictObject({
  token: z.string().check(z.minLength(1), z.maxLength(MAX_CREDENTIAL_LENGTH)),
  clientId: z.optional(ClientId),
  clientVersion: z.optional(ClientVersion),
})

export const AUTH_REQUEST_WORDS: Words<typeof AuthRequest> = {
  description: 'A token to exchange for a session.',
  fields: {
    token: 'An API token of this environment, or a JWT of an identity provider.',
    clientId: 'The replica: an installation or a tab. Defaults to a new one.',
    clientVersion: 'The version of the app, which operators see in the list of devices.',
  },
}
