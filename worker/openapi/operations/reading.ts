import {
  ENTRY_QUERY_WORDS,
  EntryQuery,
  HISTORY_QUERY_WORDS,
  HistoryQuery,
} from '../../src/schema/request/query.ts'
import { ENTRY } from './examples.ts'
import type { Operations } from './operation.ts'

export const READING = {
  'GET /api/entries': {
    id: 'getEntry',
    tag: 'Reading',
    access: 'session',
    summary: 'Read one entry',
    description: 'The current value of a key, without its history. Needs the scope `sync:read`.',
    query: { schema: EntryQuery, words: ENTRY_QUERY_WORDS },
    reply: { status: 200, schema: 'Entry', example: ENTRY },
    faults: ['forbidden-scope', 'not-found'],
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
