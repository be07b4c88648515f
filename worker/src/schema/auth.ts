import * as z from 'zod/mini'
import { MAX_CREDENTIAL_LENGTH } from '../core/values/limits.ts'
import { ClientId } from './name.ts'

/** The body of `POST /api/auth`. Without `clientId` the session gets a new one: a replica of its own. */
export const AuthRequest = z.strictObject({
  token: z.string().check(z.minLength(1), z.maxLength(MAX_CREDENTIAL_LENGTH)),
  clientId: z.optional(ClientId),
})
