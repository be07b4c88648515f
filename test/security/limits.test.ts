import { expect, test } from 'vitest'
import * as accessLimits from '../../worker/src/core/values/access-limits.ts'
import * as generalLimits from '../../worker/src/core/values/limits.ts'
import * as socketLimits from '../../worker/src/core/values/socket-limits.ts'
import { enrol } from '../support/worker/stronghold.ts'
import { talk } from './canaries.ts'
import {
  bodies,
  configures,
  credential,
  gets,
  mints,
  names,
  nested,
  type Probe,
  providers,
  push,
  pushes,
  rotates,
  session,
} from './probes.ts'

const limits = { ...generalLimits, ...accessLimits, ...socketLimits }

const T = Date.now() - 60_000

const {
  MAX_KEY_BYTES: KEY,
  MAX_VALUE_BYTES: VALUE,
  MAX_CHANGES: CHANGES,
  MAX_BODY_BYTES: BODY,
  MAX_DEPTH: DEPTH,
  MAX_PAGE_ENTRIES: PAGE,
  MAX_LISTED_ENTRIES: LIST,
  MAX_HISTORY_VERSIONS: HISTORY,
  MAX_COLLECTIONS: COLLECTIONS,
  MAX_NAME_LENGTH: NAME,
  MAX_OVERLAP_SECONDS: OVERLAP,
  MAX_CREDENTIAL_LENGTH: CREDENTIAL,
  MAX_POLICIES: POLICIES,
  MAX_RETENTION_DAYS: DAYS,
  MAX_REQUESTS_PER_MINUTE: REQUESTS,
  MAX_QUOTA_ENTRIES: ENTRIES,
  MAX_QUOTA_BYTES: BYTES,
  MAX_IDENTITY_PROVIDERS: PROVIDERS,
  MAX_AUDIENCES: AUDIENCES,
  MAX_PROVIDER_URL_LENGTH: URLS,
  MAX_CLAIM_NAME_LENGTH: CLAIMS,
} = limits

/** Each limit: its name, its value, the code past it, and its probe. */
const POINTS: readonly (readonly [what: string, limit: number, refused: string, probe: Probe])[] = [
  ['bytes of a key', KEY, 'invalid-key', pushes((size) => ({ key: 'k'.repeat(size) }))],
  [
    'bytes of a key in two-byte letters',
    KEY,
    'invalid-key',
    pushes((size) => ({ key: `${'k'.repeat(size % 2)}${'\u00e9'.repeat(Math.floor(size / 2))}` })),
  ],
  ['bytes of a value', VALUE, 'value-too-large', pushes((size) => ({ value: 'v'.repeat(size - 2) }))],
  ['depth of a value', DEPTH, 'too-deep', pushes((size) => ({ value: nested(size) }))],
  ['depth of a base', DEPTH, 'too-deep', pushes((size) => ({ baseValue: nested(size) }))],
  ['a timestamp', Number.MAX_SAFE_INTEGER, 'invalid-timestamp', pushes((size) => ({ timestamp: size }))],
  [
    'changes',
    CHANGES,
    'too-many-changes',
    (size, bearer) =>
      push({ changes: names(size).map((key) => ({ key, value: 1, timestamp: T })) })(size, bearer),
  ],
  ['bytes of a declared body', BODY, 'body-too-large', bodies(true)],
  ['bytes of a body of unknown length', BODY, 'body-too-large', bodies(false)],
  ['entries of a page', PAGE, 'invalid-request', gets((size) => `/api/changes?limit=${size}`)],
  ['entries of a list', LIST, 'invalid-request', gets((size) => `/api/entries?prefix=&limit=${size}`)],
  ['conflicts of a page', PAGE, 'invalid-request', gets((size) => `/api/conflicts?limit=${size}`)],
  [
    'entries of a pull',
    PAGE,
    'invalid-request',
    (size, bearer) => push({ changes: [], cursor: null, limit: size })(size, bearer),
  ],
  ['versions of a page', HISTORY, 'invalid-request', gets((size) => `/api/history?key=there&limit=${size}`)],
  [
    'digits of a number in a query',
    15,
    'invalid-request',
    gets((size) => `/api/conflicts?after=${'1'.repeat(size)}`),
  ],
  [
    'collections of a filter',
    COLLECTIONS,
    'invalid-request',
    gets((size) => `/api/changes?collections=${names(size)}`),
  ],
  [
    'letters of a collection',
    NAME,
    'invalid-request',
    gets((size) => `/api/changes?collections=${'c'.repeat(size)}`),
  ],
  ['collections of a token', COLLECTIONS, 'invalid-request', mints((size) => ({ collections: names(size) }))],
  ['letters of a subject', NAME, 'invalid-request', mints((size) => ({ subject: 's'.repeat(size) }))],
  ['letters of a space', NAME, 'invalid-request', mints((size) => ({ space: 's'.repeat(size) }))],
  ["letters of a token's name", 128, 'invalid-request', mints((size) => ({ name: 's'.repeat(size) }))],
  ['seconds of an overlap', OVERLAP, 'invalid-request', rotates()],
  ['letters of a token', CREDENTIAL, 'invalid-request', credential],
  ['letters of a session', CREDENTIAL, 'unauthorized', session],
  [
    'collections of the configuration',
    POLICIES,
    'invalid-request',
    configures((size) => ({ policies: Object.fromEntries(names(size).map((name) => [name, 'lww'])) })),
  ],
  [
    'requests a minute',
    REQUESTS,
    'invalid-request',
    configures((size) => ({ requestsPerMinute: { client: size, credential: size, space: size } })),
  ],
  ['entries of a space', ENTRIES, 'invalid-request', configures((size) => ({ quota: { entries: size } }))],
  ['bytes of a space', BYTES, 'invalid-request', configures((size) => ({ quota: { bytes: size } }))],
  ['days of history', DAYS, 'invalid-request', configures((size) => ({ historyDays: size }))],
  [
    'identity providers',
    PROVIDERS,
    'invalid-request',
    providers((size) => names(size).map((name) => ({ issuer: `https://${name}.example` }))),
  ],
  ['audiences', AUDIENCES, 'invalid-request', providers((size) => [{ audiences: names(size) }])],
  [
    'letters of an audience',
    URLS,
    'invalid-request',
    providers((size) => [{ audiences: ['a'.repeat(size)] }]),
  ],
  [
    'letters of an issuer',
    URLS,
    'invalid-request',
    providers((size) => [{ issuer: 'https://i.example/'.padEnd(size, 'x') }]),
  ],
  ['letters of a claim', CLAIMS, 'invalid-request', providers((size) => [{ spaceClaim: 'c'.repeat(size) }])],
  ['days of tombstones', DAYS, 'invalid-request', configures((size) => ({ tombstoneDays: size }))],
]

/** Limits tested on both sides by the named test. The unnamed ones are no limits of an input. */
const ELSEWHERE: readonly (keyof typeof limits)[] = [
  'MAX_SESSION_LENGTH', // [TK4] mints only tokens whose sessions are short enough to be used
  'MAX_KNOWN_SESSIONS', // [SC7] remembers a bounded number of sessions
  'MAX_KNOWN_LENGTH', // [SC7] remembers a bounded length of tokens
  'SESSION_TTL_SECONDS', // [AU1] exchanges a token for a session
  'BODY_DEADLINE_MS', // [ER10], [IM8]
  'MIN_BODY_BYTES', // [ER10], [IM8]
  'MAX_ARRIVING_BYTES', // [ER10]
  'FAILED_FOR_MS', // [RL9]
  'MAX_FAILED_ADDRESSES',
  'AUDIT_TTL_SECONDS', // [OP4]
  'CLOCK_TOLERANCE_MS', // [CL2]
  'MAX_IDENTITY_AGE_SECONDS', // [ID4]
  'IDENTITY_CLOCK_TOLERANCE_SECONDS', // [ID4]
  'KEYS_COOLDOWN_MS', // [ID8]
  'KEYS_BURST', // [ID8]
  'KEYS_FRESH_MS', // [ID8]
  'KEYS_USABLE_MS', // [ID9]
  'KEYS_DEADLINE_MS', // [ID8]
  'MAX_KEYS_BYTES', // [ID8]
  'MIN_RSA_BITS', // [ID3]
  'MAX_SOCKETS', // [LV14]
  'MAX_MESSAGE_BYTES', // [LV10]
  'MAX_FRAME_BYTES', // [LV6]
  'MAX_FRAME_ENTRIES', // [LV6]
  'MAX_UNSEEN_FRAMES', // [LV7]
  'MAX_UNSEEN_BYTES', // [LV7]
  'MAX_UNSEEN_REPLY_BYTES', // [LV9]
  'SEEN_DEADLINE_MS', // [LV7]
  'MAX_ATTACHMENT_LENGTH', // [LV14]
  'MAX_POINTERS', // [PO4]
  'MAX_POINTERS_LENGTH', // [PO4]
  'MAX_MERGED_LENGTH', // [PO5]
  'MAX_OPENED_LENGTH', // [PO5]
  'OPENED_AT_ONCE',
  'MAX_REPORT_BYTES', // [CF3]
  'MAX_PAGE_BYTES', // [FE2]
  'MAX_PAGE_READ_BYTES', // [FE2]
  'MAX_QUERY_PARAMETERS', // [SC14]
  'MAX_BLANK_LINES', // [IM11]
  'MAX_POINTER_LENGTH', // [JS2]
  'MAX_IN_FLIGHT_BYTES', // [SC15]
  'PAGE_IN_FLIGHT_BYTES',
  'PUSH_IN_FLIGHT_FACTOR',
  'PUSH_WAITING_FACTOR',
  'WAITING_BYTES',
  'MAX_WAITING_BYTES',
  'BUSY_RETRY_SECONDS',
  'MAX_TRANSFERS', // [EX5]
  'TRANSFER_RETRY_SECONDS',
  'MAX_UNSEEN', // [LV7]
  'MAX_NOTE_LENGTH', // [LV10]
  'MAX_REFUSED_MESSAGES', // [LV20]
  'MAX_QUEUED_MESSAGES', // [LV22]
  'MAX_QUEUED_LENGTH',
  'MAX_ALL_QUEUED_LENGTH',
  'MAX_LONE_LENGTH', // [LV22]
  'MAX_LINE_LENGTH', // [IM6]
  'IMPORT_BATCH_LINES', // [IM4]: the split shows only in time
  'IMPORT_BATCH_LENGTH',
  'IMPORT_RETRY_SECONDS',
  'ABSENCE_RETRY_SECONDS', // [ED11]
  'CHUNK_LENGTH', // [SG7]
  'SEGMENT_BYTES',
  'MAX_GROUP_CHANGES', // [SG13]
  'MAX_PENDING_ROWS', // [SG1]
  'LISTED_ENTRIES',
  'ENTRIES_AT_ONCE', // [EN2]
  'MAX_LIST_ROUNDS',
  'OPERATOR_SESSION_SECONDS', // [OS1]
  'MAX_RECENT_ENTRIES',
  'MAX_KNOWN_BLOCKS',
  'MAX_RECENT_LENGTH',
  'MAX_RECENT_CHANGES',
  'RUN_DEPTH',
  'MAX_BUDGETS', // [RL7]
  'BUDGET_WINDOW_SECONDS', // [RL2]
  'CONFIG_MAX_AGE_MS', // [CO5]
  'CONFIG_UNHEARD_MS', // [CO5]
  'TICKET_TTL_SECONDS', // [LV23]
  'SPARE_BYTES', // [QU2]
  'SMALL_VERDICTS', // [QU2]
  'DAY_MS',
  'UPKEEP_INTERVAL_MS',
  'ALARM_RETRY_MS', // [LC11]
  'MAX_ALARM_RETRY_MS',
  'PASS_DELAY_MS',
  'PASS_SUPERSEDED',
  'SLICE_BYTES',
  'RESEAL_AGAIN_MS', // [KR6]
  'ENTRY_STATES_AT_ONCE',
  'DROP_ROWS',
  'PUBLISHED_LIMITS',
]

test.for(POINTS)(
  '[SC7] tests %s: takes %i and one less, and refuses one more with %s',
  async ([, limit, refused, probe]) => {
    const { session } = await enrol(talk, { space: crypto.randomUUID() })
    const there = { key: 'there', value: 1, timestamp: T }
    await talk('POST', '/api/sync', { body: { changes: [there] }, bearer: session })
    expect(await probe(limit - 1, session)).toBe('taken')
    expect(await probe(limit, session)).toBe('taken')
    expect(await probe(limit + 1, session)).toBe(refused)
  },
)

test('[SC7] tests every limit here or in a test of its own', () => {
  const here = Object.entries(limits).filter(([name]) => !ELSEWHERE.includes(name as never))
  const points = POINTS.map(([, point]) => point)
  for (const [name, limit] of here) expect(points, name).toContain(limit)
})
