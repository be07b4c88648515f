import { CONFLICTS_QUERY_WORDS, ConflictsQuery } from '../../src/schema/request/query.ts'
import { CONFLICT } from './examples.ts'
import type { Operations } from './operation.ts'

export const CONFLICTS = {
  'GET /api/conflicts': {
    id: 'listConflicts',
    tag: 'Conflicts',
    access: 'session',
    summary: 'List conflicts',
    description:
      'Every conflict within the retention, by ascending id. Open conflicts are kept for ever. Needs the scope `sync:read`.',
    query: { schema: ConflictsQuery, words: CONFLICTS_QUERY_WORDS },
    reply: { status: 200, schema: 'ConflictsReply', example: { conflicts: [CONFLICT], next: null } },
    faults: ['forbidden-scope'],
  },
  'POST /api/conflicts/:id/resolve': {
    id: 'resolveConflict',
    tag: 'Conflicts',
    access: 'session',
    summary: 'Resolve an open conflict',
    description:
      'Writes the chosen content onto the current version, and closes the conflict. Needs the scopes `sync:write` and `sync:read`. May be sent again after a failure.',
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
} as const satisfies Partial<Operations>
