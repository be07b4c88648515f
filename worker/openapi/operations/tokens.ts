import { TOKENS_QUERY_WORDS, TokensQuery } from '../../src/schema/request/query.ts'
import { NOW, OBJECT_ID, OLD_TOKEN_ID, SESSION, TOKEN, TOKEN_ID } from './examples.ts'
import type { Operations } from './operation.ts'

const SUBJECT = 'https://login.example.com/#sub=auth0|5f7c8ec7c33c6c004bbafe82'

const RECORD = {
  id: TOKEN_ID,
  subject: 'ann',
  space: 'ann',
  scopes: ['sync:read', 'sync:write'],
  collections: null,
  expiresAt: null,
  name: 'ann at acme',
  createdAt: NOW,
  spaceId: OBJECT_ID,
}

export const TOKENS = {
  'POST /api/tokens': {
    id: 'mintToken',
    tag: 'Tokens',
    access: 'admin',
    summary: 'Mint a token',
    description:
      'The reply shows the token once. Several tokens of one `space` share it. Each device exchanges a token for a session of its own.',
    body: {
      schema: 'TokenRequest',
      example: { subject: 'ann', scopes: ['sync:read', 'sync:write'], name: 'ann at acme' },
    },
    reply: { status: 201, schema: 'TokenReply', example: { success: true, token: TOKEN, ...RECORD } },
    faults: [],
  },
  'GET /api/tokens': {
    id: 'listTokens',
    tag: 'Tokens',
    access: 'admin',
    summary: 'List tokens',
    description: 'Lists the records of the tokens, never the tokens.',
    query: { schema: TokensQuery, words: TOKENS_QUERY_WORDS },
    reply: { status: 200, schema: 'TokensReply', example: { tokens: [RECORD], next: null } },
    faults: [],
  },
  'DELETE /api/tokens/:id': {
    id: 'revokeToken',
    tag: 'Tokens',
    access: 'admin',
    summary: 'Revoke a token',
    description: 'Ends the token and all its sessions at once.',
    parameters: { id: 'The `id` of the token.' },
    reply: { status: 200, schema: 'RevokeReply', example: { success: true, id: TOKEN_ID } },
    faults: ['not-found', 'busy'],
  },
  'POST /api/tokens/:id/rotate': {
    id: 'rotateToken',
    tag: 'Tokens',
    access: 'admin',
    summary: 'Replace a token',
    description:
      'Mints a token with the same subject, space, scopes, collections, name and expiry. The old token and its sessions end at once, or after `overlapSeconds`. Until then it opens sessions, but no session outlives it.',
    parameters: { id: 'The `id` of the old token.' },
    body: { schema: 'RotateRequest', example: { overlapSeconds: 604_800 } },
    reply: {
      status: 201,
      schema: 'RotateReply',
      example: { success: true, token: TOKEN, replaces: OLD_TOKEN_ID, ...RECORD },
    },
    faults: ['not-found', 'busy'],
  },
  'POST /api/sessions': {
    id: 'openOperatorSession',
    tag: 'Tokens',
    access: 'admin',
    summary: "Open an operator's session in a space",
    description:
      'For looking into a space as its users do. By default the session only reads. It lasts a quarter of an hour. The audit records it with its space and scopes, and every push, resolution, export, import and erasure that is made with it, under the fingerprint of the admin token. It is not among the clients of the space.',
    body: { schema: 'OperatorSessionRequest', example: { space: 'ann' } },
    reply: {
      status: 200,
      schema: 'OperatorSessionReply',
      example: {
        success: true,
        session: SESSION,
        expiresAt: NOW + 900_000,
        clientId: 'operator-n4bQgYhM',
        space: 'ann',
        scopes: ['sync:read', 'space:read'],
      },
    },
    faults: ['not-found', 'revoked', 'busy'],
  },
  'DELETE /api/sessions': {
    id: 'endSessions',
    tag: 'Tokens',
    access: 'admin',
    summary: "End the sessions of an identity provider's subject",
    description:
      'Ends the sessions of the subject in one space at once. Tokens that the provider has issued to the subject so far open no more sessions there; later tokens do. If subjects of the provider share spaces, `space` is required.',
    body: { schema: 'SessionsRequest', example: { subject: SUBJECT } },
    reply: {
      status: 200,
      schema: 'SessionsReply',
      example: { success: true, subject: SUBJECT, space: SUBJECT },
    },
    faults: ['busy'],
  },
} as const satisfies Partial<Operations>
