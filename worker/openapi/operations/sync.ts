import { DEFAULT_CONFIG } from '../../src/core/space/config.ts'
import { PUBLISHED_LIMITS } from '../../src/core/values/limits.ts'
import {
  CHANGES_QUERY_WORDS,
  ChangesQuery,
  STATUS_QUERY_WORDS,
  StatusQuery,
} from '../../src/schema/request/query.ts'
import { BATCH_FAULTS } from '../shapes/problems.ts'
import { CONFLICT, ENTRY, NOW } from './examples.ts'
import type { Operations } from './operation.ts'

const PAGE = { changes: [ENTRY], cursor: 'k3x9q2.1043', more: false, reset: false, head: 'k3x9q2.1043' }

export const SYNC = {
  'POST /api/sync': {
    id: 'sync',
    tag: 'Sync',
    access: 'session',
    summary: 'Push changes, and pull the changes of others',
    description:
      'The changes take effect in one transaction. Pushing needs the scope `sync:write`, a cursor `sync:read`. The request may be sent again after a failure: with a `batch` number it takes effect once.',
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
    summary: 'Pull the changes of others',
    description:
      'The page of `POST /api/sync` without a push. Continue from its `cursor` while `more` is true, even if `changes` is empty. Needs the scope `sync:read`.',
    query: { schema: ChangesQuery, words: CHANGES_QUERY_WORDS },
    reply: { status: 200, schema: 'ChangesReply', example: PAGE },
    faults: ['forbidden-scope', 'forbidden-collection'],
  },
  'GET /api/status': {
    id: 'getStatus',
    tag: 'Sync',
    access: 'session',
    conditional: true,
    summary: 'Read the state of the space',
    description:
      'The number of changes that a reader has yet to pull, the entries and open conflicts of the space, its quota, and the limits for clients. Needs the scope `sync:read`.',
    query: { schema: StatusQuery, words: STATUS_QUERY_WORDS },
    reply: {
      status: 200,
      schema: 'StatusReply',
      example: {
        status: 'ok',
        lastSync: NOW - 200,
        pending: 0,
        head: 'k3x9q2.1043',
        floor: 'k3x9q2.0',
        epoch: 'k3x9q2',
        lastUpkeep: NOW - 86_400_000,
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
} as const satisfies Partial<Operations>
