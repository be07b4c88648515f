import {
  DEVICES_QUERY_WORDS,
  DevicesQuery,
  ENTRY_QUERY_WORDS,
  EntryQuery,
  HISTORY_QUERY_WORDS,
  HistoryQuery,
} from '../../src/schema/request/query.ts'
import { ENTRY, NOW } from './examples.ts'
import type { Operations } from './operation.ts'

const DEVICE = {
  clientId: 'phone',
  subject: 'ann',
  version: 'notes/1.4.2',
  lastBatch: 17,
  batchAt: NOW - 60_000,
  skew: 0,
  position: 'k3x9q2.1036',
  behind: 1,
  behindSince: NOW - 1_200,
  seenAt: NOW - 60_000,
  connected: false,
}

export const READING = {
  'GET /api/entries': {
    id: 'getEntry',
    tag: 'Reading',
    access: 'session',
    summary: 'Read one entry, or list entries by prefix',
    description:
      'With `key`: the current value of a key, without its history. With `prefix`: a page of the entries whose keys begin with it. Needs the scope `sync:read`.',
    query: { schema: EntryQuery, words: ENTRY_QUERY_WORDS },
    reply: { status: 200, schema: 'EntryOrPage', example: ENTRY },
    faults: ['forbidden-scope', 'not-found'],
  },
  'GET /api/clients': {
    id: 'listClients',
    tag: 'Reading',
    access: 'session',
    summary: 'List the clients of a space',
    description:
      'Lists who has read or written, up to where each has read, and how much it lacks. Needs the scope `space:read` and a token of all collections. The space stores where a client stands at most once an hour, so after the space has slept a client may have read more than is shown. At most 1,000 clients that only read are remembered.',
    query: { schema: DevicesQuery, words: DEVICES_QUERY_WORDS },
    reply: { status: 200, schema: 'DevicesReply', example: { clients: [DEVICE], next: null } },
    faults: ['forbidden-scope', 'forbidden-collection'],
  },
  'GET /api/history': {
    id: 'getHistory',
    tag: 'Reading',
    access: 'session',
    summary: 'List the versions of a key',
    description: 'Goes back as far as the retention. To restore a version, write its value.',
    query: { schema: HistoryQuery, words: HISTORY_QUERY_WORDS },
    reply: {
      status: 200,
      schema: 'HistoryReply',
      example: { key: 'notes/2', versions: [ENTRY], next: null },
    },
    faults: ['forbidden-scope', 'not-found'],
  },
} as const satisfies Partial<Operations>
