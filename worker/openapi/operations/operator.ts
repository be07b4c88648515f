import { DEFAULT_CONFIG } from '../../src/core/space/config.ts'
import {
  AUDIT_QUERY_WORDS,
  AuditQuery,
  SPACES_QUERY_WORDS,
  SpacesQuery,
} from '../../src/schema/request/query.ts'
import { NOW, OBJECT_ID, OLD_TOKEN_ID, TOKEN_ID } from './examples.ts'
import type { Operations } from './operation.ts'

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

const SPACE = {
  space: 'ann',
  entries: 312,
  bytes: 1_327_104,
  quota: DEFAULT_CONFIG.quota,
  openConflicts: 1,
  devices: 3,
  lastSync: NOW,
  upkeepFailures: 0,
  reportedAt: NOW,
}

const METRICS = [
  '# TYPE chronicle_spaces gauge',
  '# HELP chronicle_spaces Spaces that hold or held entries.',
  'chronicle_spaces 1',
  '# EOF\n',
].join('\n')

const RECORD = {
  at: NOW,
  act: 'POST /api/tokens/{id}/rotate',
  status: 201,
  requestId: '5f0c1d7e',
  admin: 'n4bQgYhM',
  address: '203.0.113.7',
  target: {
    tokenId: OLD_TOKEN_ID,
    replacedBy: TOKEN_ID,
    subject: 'ann',
    space: 'ann',
    scopes: ['sync:read', 'sync:write'],
  },
}

export const OPERATOR = {
  'GET /api/spaces': {
    id: 'listSpaces',
    tag: 'Operation',
    access: 'admin',
    summary: 'List spaces',
    description:
      'The spaces of the stack as they last reported: a few seconds after the first write, whenever the number of versions passes a power of two, after a thousand more, when a quota is nearly used up or the first conflict opens, and otherwise at most once an hour, with the next write. A figure may therefore be an hour old. A list wakes no space.',
    query: { schema: SpacesQuery, words: SPACES_QUERY_WORDS },
    reply: { status: 200, schema: 'SpacesReply', example: { spaces: [SPACE], next: null } },
    faults: ['busy'],
  },
  'GET /api/metrics': {
    id: 'readMetrics',
    tag: 'Operation',
    access: 'monitor',
    summary: 'Read the metrics of the stack',
    description:
      'Takes an API token with the scope `metrics:read`, or the admin token. The sums of what the spaces last reported, as OpenMetrics text. It wakes no space. Requests that the edge refuses reach no space, so they are in the analytics dataset of the stack only.',
    reply: {
      status: 200,
      metrics: 'Metrics in the OpenMetrics text format, version 1.0.0.',
      example: METRICS,
    },
    faults: ['busy'],
  },
  'POST /api/spaces/reseal': {
    id: 'resealSpaces',
    tag: 'Operation',
    access: 'admin',
    summary: 'Reseal spaces under the newest master key',
    description:
      'The spaces reseal themselves in the background: ask again until they are done. Once every space is done, older master keys can be retired.',
    body: { schema: 'ResealRequest', example: { spaces: [OBJECT_ID] } },
    reply: {
      status: 200,
      schema: 'ResealReply',
      example: { success: true, generation: 2, spaces: [{ id: OBJECT_ID, state: 'pending', entries: 12 }] },
    },
    faults: [],
  },
  'GET /api/config': {
    id: 'getConfig',
    tag: 'Operation',
    access: 'admin',
    summary: 'Read the configuration of all spaces',
    description: 'The configuration as it is stored, with its `revision` and the name of the stack.',
    reply: { status: 200, schema: 'ShownConfig', example: { stack: 'prod', ...CONFIG } },
    faults: [],
  },
  'PUT /api/config': {
    id: 'replaceConfig',
    tag: 'Operation',
    access: 'admin',
    summary: 'Replace the configuration of all spaces',
    description: 'Replaces the whole configuration. Spaces follow within about a minute and a half.',
    body: { schema: 'ConfigRequest', example: { revision: 0, policies: { notes: 'merge' } } },
    reply: { status: 200, schema: 'ConfigReply', example: { success: true, stack: 'prod', ...CONFIG } },
    faults: ['config-changed'],
  },
  'GET /api/audit': {
    id: 'listAudit',
    tag: 'Operation',
    access: 'admin',
    summary: 'List audit records',
    description:
      "Every request with the admin token and a method other than `GET`, every export, import and erasure by a session with the scope, and every push and resolution by an operator's session, carried out or refused, newest first, for 400 days. A new record may take a minute to be listed.",
    query: { schema: AuditQuery, words: AUDIT_QUERY_WORDS },
    reply: { status: 200, schema: 'AuditReply', example: { records: [RECORD], next: null } },
    faults: [],
  },
} as const satisfies Partial<Operations>
