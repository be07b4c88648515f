import { IMPORT_QUERY_WORDS, ImportQuery } from '../../src/schema/request/query.ts'
import { ENTRY, NOW } from './examples.ts'
import type { Operations } from './operation.ts'

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

export const TRANSFER = {
  'GET /api/export': {
    id: 'exportSpace',
    tag: 'Transfer',
    access: 'session',
    summary: 'Export the space',
    description:
      'A header line, the entries in their order, and an end line. Without the end line the file is incomplete. Needs the scopes `space:admin` and `sync:read`, and a token of all collections.',
    reply: {
      status: 200,
      lines: 'An export: a header line, a line per entry, an end line.',
      example: EXPORT,
    },
    faults: ['forbidden-scope', 'forbidden-collection'],
  },
  'POST /api/import': {
    id: 'importSpace',
    tag: 'Transfer',
    access: 'session',
    summary: 'Fill the space from an export',
    description:
      'Fills an empty space, with new versions. After an interruption send the export again, whole or from `line` on: lines that were already imported are skipped. Until the end line is imported, other requests to the space get 503. Needs the scope `space:admin`, and a token of all collections.',
    query: { schema: ImportQuery, words: IMPORT_QUERY_WORDS },
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
      'Erases all data of the space, and ends every session and token issued before. Needs the scope `space:admin`, and a token of all collections.',
    body: { schema: 'EraseRequest', example: { confirm: 'ann' } },
    reply: { status: 200, schema: 'Done', example: { success: true } },
    faults: ['forbidden-scope', 'forbidden-collection'],
  },
} as const satisfies Partial<Operations>
