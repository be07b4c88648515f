import { DEFAULT_CONFIG } from '../src/core/space/config.ts'
import { PUBLISHED_LIMITS } from '../src/core/values/limits.ts'
import {
  AuditQuery,
  ChangesQuery,
  ConflictsQuery,
  EntryQuery,
  HistoryQuery,
  ImportQuery,
  LiveQuery,
  StatusQuery,
  TokensQuery,
} from '../src/schema/query.ts'
import { described } from './described.ts'
import { FRAME_EXAMPLES, SOCKET } from './live.ts'
import type { Operations } from './operation.ts'
import { BATCH_FAULTS } from './problems.ts'

const NOW = 1_795_347_000_200
const TOKEN = `chr_dev_${'Q'.repeat(43)}1b2c3d4`
const ID = 'Tw7sNQyHUhp8oVY3hwsTzf8iSvB4sHIWvM3Ru5QnI-M'
const OLD_ID = 'bJ8z1uVhZ4cQ2mYpX0tLr7eKsWgD9nFaO3iB5vHxUjE'
/** The id of an object. */
const OBJECT = '4f'.repeat(32)
const SUBJECT = 'https://login.example.com/#sub=auth0|5f7c8ec7c33c6c004bbafe82'
const SESSION = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl'
const COLLECTIONS =
  'Only these collections: the part of a key before its first slash, or `default`. A list with commas is the same.'

const RECORD = {
  id: ID,
  subject: 'ann',
  space: 'ann',
  scopes: ['sync:read', 'sync:write'],
  collections: null,
  expiresAt: null,
  name: 'ann at acme',
  createdAt: NOW,
  spaceId: OBJECT,
}

const WINNER = { value: { t: 1 }, version: 'k3x9q2.1039', timestamp: 1_795_346_999_000, by: 'tablet' }
const LOSER = { deleted: true, version: 'k3x9q2.1042', timestamp: 1_795_346_998_001, by: 'phone' }
const CONFLICT = {
  id: 1042,
  key: 'notes/2',
  policy: 'lww',
  resolution: 'kept-server',
  winner: WINNER,
  loser: LOSER,
  paths: [],
}
const ENTRY = { key: 'notes/2', ...WINNER }
const PAGE = { changes: [ENTRY], cursor: 'k3x9q2.1043', more: false, reset: false, head: 'k3x9q2.1043' }

const PROVIDER = {
  issuer: 'https://login.example.com/',
  audiences: ['chronicle'],
  jwksUrl: 'https://login.example.com/.well-known/jwks.json',
  algorithms: ['RS256'],
  scopes: ['sync:read', 'sync:write'],
  spaceClaim: 'sub',
}

const CONFIG = {
  ...DEFAULT_CONFIG,
  revision: NOW,
  policies: { notes: 'merge' },
  identityProviders: [PROVIDER],
}

const ACT = {
  at: NOW,
  act: 'POST /api/tokens/{id}/rotate',
  status: 201,
  requestId: '5f0c1d7e',
  admin: 'n4bQgYhM',
  address: '203.0.113.7',
  target: {
    tokenId: OLD_ID,
    replacedBy: ID,
    subject: 'ann',
    space: 'ann',
    scopes: ['sync:read', 'sync:write'],
  },
}

const EXPORT = [
  {
    type: 'header',
    format: 'chronicle-export',
    version: 1,
    space: 'ann',
    epoch: 'k3x9q2',
    head: 'k3x9q2.1043',
    exportedAt: NOW,
  },
  ENTRY,
  { type: 'end', entries: 1, cursor: 'k3x9q2.1043' },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('')

/** The one place where a route is described. */
export const OPERATIONS: Operations = {
  'GET /api/health': {
    id: 'getHealth',
    tag: 'Service',
    access: 'anyone',
    summary: 'Whether the service runs',
    description: 'Needs no credential and wakes no space.',
    reply: {
      status: 200,
      schema: 'HealthReply',
      example: { status: 'ok', environment: 'production', version: '0.1.0+6f1c2b3a4d5e', serverTime: NOW },
    },
    faults: [],
  },
  'GET /api/openapi.json': {
    id: 'getDescription',
    tag: 'Service',
    access: 'anyone',
    conditional: true,
    summary: 'This document',
    description: 'OpenAPI 3.1. It describes every route of the version that serves it.',
    reply: {
      status: 200,
      schema: 'OpenApi',
      example: { openapi: '3.1.1', info: {}, paths: {}, components: {} },
    },
    faults: [],
  },
  'POST /api/auth': {
    id: 'openSession',
    tag: 'Sessions',
    access: 'anyone',
    summary: 'Exchange a token for a session',
    description:
      'The token is an API token, or a JWT of an identity provider that the configuration names. A session lasts at most an hour, never longer than its token, and is bound to one client, space, scopes and collections.',
    body: { schema: 'AuthRequest', example: { token: TOKEN, clientId: 'phone' } },
    reply: {
      status: 200,
      schema: 'AuthReply',
      example: {
        success: true,
        session: SESSION,
        expiresAt: NOW + 3_600_000,
        clientId: 'phone',
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
    description: 'At once and everywhere.',
    reply: { status: 200, schema: 'Done', example: { success: true } },
    faults: [],
  },
  'POST /api/tokens': {
    id: 'mintToken',
    tag: 'Tokens',
    access: 'admin',
    summary: 'Mint a token',
    description:
      'The reply shows the token once. Several tokens of one `space` share it; each device exchanges a token for a session of its own.',
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
    description: 'What is known of them, never the tokens.',
    query: described(TokensQuery, 'A page of tokens.', { cursor: 'The `next` of the page before.' }),
    reply: { status: 200, schema: 'TokensReply', example: { tokens: [RECORD], next: null } },
    faults: [],
  },
  'DELETE /api/tokens/:id': {
    id: 'revokeToken',
    tag: 'Tokens',
    access: 'admin',
    summary: 'Revoke a token',
    description: 'It and every session that it opened end at once.',
    parameters: { id: 'The `id` of the token.' },
    reply: { status: 200, schema: 'RevokeReply', example: { success: true, id: ID } },
    faults: ['not-found', 'busy'],
  },
  'POST /api/tokens/:id/rotate': {
    id: 'rotateToken',
    tag: 'Tokens',
    access: 'admin',
    summary: 'Replace a token',
    description:
      'Mints one of the same subject, space, scopes, collections, name and end. The old one and its sessions end at once, or after `overlapSeconds`: until then it opens sessions, and none of them outlives it.',
    parameters: { id: 'The `id` of the old token.' },
    body: { schema: 'RotateRequest', example: { overlapSeconds: 604_800 } },
    reply: {
      status: 201,
      schema: 'RotateReply',
      example: { success: true, token: TOKEN, replaces: OLD_ID, ...RECORD },
    },
    faults: ['not-found', 'busy'],
  },
  'POST /api/sync': {
    id: 'sync',
    tag: 'Sync',
    access: 'session',
    summary: 'Push changes, and pull what others changed',
    description:
      'Changes take effect in one transaction. Pushing needs the scope `sync:write`, a cursor `sync:read`. A request may be sent again after a failure: with a `batch` number it takes effect once.',
    body: {
      schema: 'SyncRequest',
      example: {
        batch: 42,
        clientTime: NOW - 77,
        cursor: 'k3x9q2.1038',
        changes: [
          { key: 'notes/1', value: { title: 'a', n: 3 }, timestamp: 1_795_347_000_000, base: 'k3x9q2.1007' },
          { key: 'notes/2', deleted: true, timestamp: 1_795_346_998_001, base: 'k3x9q2.990' },
          { key: 'notes/3', value: 'new', timestamp: 1_795_347_000_002, base: null },
        ],
      },
    },
    reply: {
      status: 200,
      schema: 'SyncReply',
      example: {
        success: true,
        synced: ['notes/1', 'notes/3'],
        conflicts: [CONFLICT],
        results: [
          { key: 'notes/1', status: 'applied', version: 'k3x9q2.1041' },
          { key: 'notes/2', status: 'superseded', version: 'k3x9q2.1039', conflict: 1042 },
          { key: 'notes/3', status: 'applied', version: 'k3x9q2.1043' },
        ],
        ...PAGE,
        replayed: false,
        serverTime: NOW,
      },
    },
    faults: BATCH_FAULTS,
  },
  'GET /api/changes': {
    id: 'pullChanges',
    tag: 'Sync',
    access: 'session',
    conditional: true,
    summary: 'Pull what others changed',
    description:
      'The page of `POST /api/sync` without a push. Pull on from its `cursor` while `more` is true, even if `changes` is empty. Needs the scope `sync:read`.',
    query: described(ChangesQuery, 'Where to read on.', {
      cursor: 'Where to read on; without it, from the start.',
      limit: 'The most entries of the page.',
      collections: COLLECTIONS,
    }),
    reply: { status: 200, schema: 'ChangesReply', example: PAGE },
    faults: ['forbidden-scope', 'forbidden-collection'],
  },
  'GET /api/live': {
    id: 'openSocket',
    tag: 'Live',
    access: 'session',
    summary: 'Follow the feed on a WebSocket, and push',
    description:
      'Offer the subprotocols `chronicle.v1` and `ticket.<ticket>`, of `POST /api/live/ticket`; a client that is no browser may send `Authorization` instead. The older way, `bearer.<session>`, puts the session where proxies may log it. Frames are JSON texts: the rules LV of docs/spec.md.',
    query: described(LiveQuery, 'Where to begin.', {
      cursor: "Where the client's copy stands; without it only what comes from now on.",
      collections: COLLECTIONS,
    }),
    reply: {
      status: 101,
      description: 'The socket. Each text message on it is a frame.',
      schema: 'Frame',
      examples: FRAME_EXAMPLES,
      socket: SOCKET,
    },
    faults: [
      'forbidden-scope',
      'forbidden-collection',
      'forbidden-origin',
      'upgrade-required',
      'ticket-spent',
    ],
  },
  'POST /api/live/ticket': {
    id: 'issueTicket',
    tag: 'Live',
    access: 'session',
    summary: 'Get a ticket for a socket',
    description: 'It opens one socket of the session, within a minute. Needs the scope `sync:read`.',
    reply: {
      status: 200,
      schema: 'TicketReply',
      example: { success: true, ticket: SESSION, expiresAt: NOW + 60_000 },
    },
    faults: ['forbidden-scope'],
  },
  'GET /api/status': {
    id: 'getStatus',
    tag: 'Sync',
    access: 'session',
    conditional: true,
    summary: 'Where the space stands',
    description:
      'The number of changes that a reader has yet to pull, the entries and open conflicts of the space, its quota, and the limits that a client stays within. Needs the scope `sync:read`.',
    query: described(StatusQuery, 'A reader.', {
      cursor: 'Count what is `pending` from here; without it, from the start.',
      collections: 'The collections that the cursor was made with. A list with commas is the same.',
    }),
    reply: {
      status: 200,
      schema: 'StatusReply',
      example: {
        status: 'ok',
        lastSync: NOW - 200,
        pending: 0,
        head: 'k3x9q2.1043',
        epoch: 'k3x9q2',
        entries: 211,
        openConflicts: 0,
        quota: {
          entries: { used: 211, limit: DEFAULT_CONFIG.quota.entries },
          bytes: { used: 151_552, limit: DEFAULT_CONFIG.quota.bytes },
        },
        serverTime: NOW,
        limits: PUBLISHED_LIMITS,
      },
    },
    faults: ['forbidden-scope', 'forbidden-collection'],
  },
  'GET /api/entries': {
    id: 'getEntry',
    tag: 'Reading',
    access: 'session',
    summary: 'Read one entry',
    description: 'The value of a key now, without its history. Needs the scope `sync:read`.',
    query: described(EntryQuery, 'A key.', {
      key: 'May hold slashes and dots.',
    }),
    reply: { status: 200, schema: 'Entry', example: ENTRY },
    faults: ['forbidden-scope', 'not-found'],
  },
  'GET /api/conflicts': {
    id: 'listConflicts',
    tag: 'Conflicts',
    access: 'session',
    summary: 'List conflicts',
    description:
      'Every conflict that the retention still holds, by ascending id; open ones are held for ever. Needs the scope `sync:read`.',
    query: described(ConflictsQuery, 'A page of conflicts.', {
      after: 'The `next` of the page before.',
      limit: 'The most conflicts of the page.',
      key: 'Only those of this key.',
      open: 'Only those that wait for a decision.',
    }),
    reply: { status: 200, schema: 'ConflictsReply', example: { conflicts: [CONFLICT], next: null } },
    faults: ['forbidden-scope'],
  },
  'POST /api/conflicts/:id/resolve': {
    id: 'resolveConflict',
    tag: 'Conflicts',
    access: 'session',
    summary: 'Decide an open conflict',
    description:
      'Writes the chosen content onto the version that stands, and closes the conflict. Needs the scopes `sync:write` and `sync:read`. May be sent again after a failure.',
    parameters: { id: 'The `id` of the conflict.' },
    body: { schema: 'ResolveRequest', example: { choice: 'loser', base: 'k3x9q2.1039' } },
    reply: {
      status: 200,
      schema: 'ResolveReply',
      example: { success: true, id: 1042, key: 'notes/2', version: 'k3x9q2.1044', replayed: false },
    },
    faults: [
      'forbidden-scope',
      'not-found',
      'foreign-client',
      'stale-base',
      'already-resolved',
      'quota-exceeded',
    ],
  },
  'GET /api/history': {
    id: 'getHistory',
    tag: 'Reading',
    access: 'session',
    summary: 'The versions of a key',
    description: 'As far back as the retention reaches. To bring one back, write its value.',
    query: described(HistoryQuery, 'A page of versions.', {
      key: 'May hold slashes and dots.',
      before: 'The `next` of the page before.',
      limit: 'The most versions of the page.',
    }),
    reply: {
      status: 200,
      schema: 'HistoryReply',
      example: { key: 'notes/2', versions: [ENTRY], next: null },
    },
    faults: ['forbidden-scope', 'not-found'],
  },
  'DELETE /api/sessions': {
    id: 'endSessions',
    tag: 'Tokens',
    access: 'admin',
    summary: "End the sessions of an identity provider's subject",
    description:
      'In one space, at once; tokens that the provider has given the subject by now open no more sessions there. What it gives later does. If subjects of the provider share spaces, `space` is required.',
    body: { schema: 'SessionsRequest', example: { subject: SUBJECT } },
    reply: {
      status: 200,
      schema: 'SessionsReply',
      example: { success: true, subject: SUBJECT, space: SUBJECT },
    },
    faults: ['busy'],
  },
  'POST /api/spaces/reseal': {
    id: 'resealSpaces',
    tag: 'Operation',
    access: 'admin',
    summary: 'Seal spaces by the newest master key',
    description:
      'They see to it by themselves; ask again until they are done. Once every space is, older master keys can be retired.',
    body: { schema: 'ResealRequest', example: { spaces: [OBJECT] } },
    reply: {
      status: 200,
      schema: 'ResealReply',
      example: { success: true, generation: 2, spaces: [{ id: OBJECT, state: 'pending', entries: 12 }] },
    },
    faults: [],
  },
  'GET /api/config': {
    id: 'getConfig',
    tag: 'Operation',
    access: 'admin',
    summary: 'What holds for all spaces',
    description: 'The configuration as it is stored, with its `revision`.',
    reply: { status: 200, schema: 'StoredConfig', example: CONFIG },
    faults: [],
  },
  'PUT /api/config': {
    id: 'replaceConfig',
    tag: 'Operation',
    access: 'admin',
    summary: 'Change what holds for all spaces',
    description: 'Replaces it whole. Spaces follow within about a minute and a half.',
    body: { schema: 'ConfigRequest', example: { revision: 0, policies: { notes: 'merge' } } },
    reply: { status: 200, schema: 'ConfigReply', example: { success: true, ...CONFIG } },
    faults: ['config-changed'],
  },
  'GET /api/audit': {
    id: 'listAudit',
    tag: 'Operation',
    access: 'admin',
    summary: 'What operators did',
    description:
      'Every request with the admin token and another method than `GET`, and every export, import and erasure by a session that may, carried out or refused, the newest first, for 400 days. A new record may take a minute to be listed.',
    query: described(AuditQuery, 'A page of records.', { cursor: 'The `next` of the page before.' }),
    reply: { status: 200, schema: 'AuditReply', example: { records: [ACT], next: null } },
    faults: [],
  },
  'GET /api/export': {
    id: 'exportSpace',
    tag: 'Transfer',
    access: 'session',
    summary: 'Export the space',
    description:
      'A header, the entries in their order, an end; without that the file is torn. Needs the scopes `space:admin` and `sync:read`, and a token of all collections.',
    reply: { status: 200, lines: 'An export: a header, an entry a line, an end.', example: EXPORT },
    faults: ['forbidden-scope', 'forbidden-collection'],
  },
  'POST /api/import': {
    id: 'importSpace',
    tag: 'Transfer',
    access: 'session',
    summary: 'Fill the space from an export',
    description:
      'Into an empty space, with versions of its own. Interrupted, it is sent again, whole or from `line` on: what is in already is left out. Until the end is in, other requests to the space get 503. Needs the scope `space:admin`, and a token of all collections.',
    query: described(ImportQuery, 'A part of an export.', {
      line: 'The number of the first line that is sent, from 1; without it, 1.',
    }),
    body: { lines: 'An export, or the rest of one.', example: EXPORT },
    reply: {
      status: 200,
      schema: 'ImportReply',
      example: { success: true, line: 3, entries: 1, finished: true, edited: false },
    },
    faults: ['forbidden-scope', 'forbidden-collection', 'not-empty', 'import-gap', 'quota-exceeded'],
  },
  'DELETE /api/space': {
    id: 'eraseSpace',
    tag: 'Transfer',
    access: 'session',
    summary: 'Erase the space',
    description:
      'All that it holds, and every session and token from before. Needs the scope `space:admin`, and a token of all collections.',
    body: { schema: 'EraseRequest', example: { confirm: 'ann' } },
    reply: { status: 200, schema: 'Done', example: { success: true } },
    faults: ['forbidden-scope', 'forbidden-collection'],
  },
}
