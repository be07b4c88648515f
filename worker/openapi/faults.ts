import type { Fault, FaultCode } from '../src/core/fault.ts'
import { IMPORT_RETRY_SECONDS } from '../src/core/limits.ts'

/** One of each fault: its status, headers and words in the document are what the edge makes of these. */
export const FAULTS: { readonly [C in FaultCode]: Extract<Fault, { code: C }> } = {
  'not-utf8': { code: 'not-utf8' },
  'not-json': { code: 'not-json', detail: 'Unexpected end of JSON input' },
  'lone-surrogate': { code: 'lone-surrogate' },
  'too-deep': { code: 'too-deep', limit: 32 },
  'number-out-of-range': { code: 'number-out-of-range' },
  'invalid-request': { code: 'invalid-request', detail: 'changes[0].key: is missing' },
  'too-many-changes': { code: 'too-many-changes', limit: 500, found: 501 },
  'body-too-large': { code: 'body-too-large', limit: 1_048_576 },
  'body-timeout': { code: 'body-timeout', afterMs: 10_000 },
  'unsupported-media-type': { code: 'unsupported-media-type', expected: 'application/json' },
  unauthorized: {
    code: 'unauthorized',
    detail: 'The session is not valid here; open a new one with POST /api/auth.',
  },
  'session-expired': { code: 'session-expired' },
  revoked: { code: 'revoked' },
  'forbidden-scope': { code: 'forbidden-scope', needed: 'sync:write' },
  'forbidden-collection': { code: 'forbidden-collection', collection: 'notes' },
  'foreign-client': {
    code: 'foreign-client',
    detail: 'clientId is not the one this session was opened for',
  },
  'forbidden-origin': { code: 'forbidden-origin' },
  'not-found': { code: 'not-found', detail: 'there is no entry "notes/1"' },
  'method-not-allowed': { code: 'method-not-allowed', allow: ['GET', 'HEAD', 'OPTIONS'] },
  'batch-gap': { code: 'batch-gap', expected: 7, found: 9 },
  'batch-too-old': { code: 'batch-too-old', last: 7, found: 6 },
  'batch-mismatch': { code: 'batch-mismatch', batch: 7 },
  'atomic-failed': {
    code: 'atomic-failed',
    results: [{ key: 'notes/2', status: 'superseded', version: 'k3x9q2.1039' }],
  },
  'stale-base': { code: 'stale-base', version: 'k3x9q2.1044' },
  'already-resolved': { code: 'already-resolved', id: 1042 },
  'config-changed': { code: 'config-changed', revision: 1_795_347_000_200 },
  'not-empty': { code: 'not-empty' },
  'import-gap': { code: 'import-gap', expected: 501 },
  'invalid-line': { code: 'invalid-line', line: 7, detail: 'key: is missing' },
  importing: { code: 'importing', retryAfterSeconds: IMPORT_RETRY_SECONDS },
  'rate-limited': { code: 'rate-limited', retryAfterSeconds: 60 },
  misconfigured: { code: 'misconfigured' },
  internal: { code: 'internal' },
}
