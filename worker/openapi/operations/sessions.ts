import { PUBLISHED_LIMITS } from '../../src/core/values/limits.ts'
import { NOW, SESSION, TOKEN } from './examples.ts'
import type { Operations } from './operation.ts'

export const SESSIONS = {
  'POST /api/auth': {
    id: 'openSession',
    tag: 'Sessions',
    access: 'anyone',
    summary: 'Exchange a token for a session',
    description:
      'The token is an API token, or a JWT of a configured identity provider. A session lasts at most an hour, never longer than its token, and is bound to one client, space, scopes and collections.',
    body: { schema: 'AuthRequest', example: { token: TOKEN, clientId: 'phone' } },
    reply: {
      status: 200,
      schema: 'AuthReply',
      example: {
        success: true,
        session: SESSION,
        expiresAt: NOW + 3_600_000,
        clientId: 'phone',
        subject: 'ann',
        space: 'ann',
        scopes: ['sync:read', 'sync:write'],
        collections: null,
        limits: PUBLISHED_LIMITS,
      },
    },
    faults: [
      'unauthorized',
      'revoked',
      'space-erased',
      'forbidden-scope',
      'rate-limited',
      'busy',
      'provider-unavailable',
    ],
  },
  'DELETE /api/auth': {
    id: 'endSession',
    tag: 'Sessions',
    access: 'session',
    summary: 'End the session',
    description: 'Takes effect at once, everywhere.',
    reply: { status: 200, schema: 'Done', example: { success: true } },
    faults: [],
  },
} as const satisfies Partial<Operations>
