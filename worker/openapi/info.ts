import type { Json } from '../src/core/values/json.ts'
import { ACTIONS } from './codes.ts'

/** Groups of operations, with what a client's developer has to know of all operations of one. */
export const TAGS = {
  Sessions: `A token is exchanged for a session of one \`clientId\`: a replica, that is an installation or a tab, with a copy, a queue and batch numbers of its own. Keep the id with them.

A 401 says nothing about the queue: keep it, open another session, and send the same request again. Only if \`POST /api/auth\` refuses the token as well does the user have to sign in.`,
  Sync: `**A client** keeps its copy, a cursor, and a queue of edits. It sends the queue as a batch under the next number, applies \`results\`, then \`changes\` (under \`replayed: true\` only \`changes\`), keeps the new \`cursor\`, drops the batch from the queue, and pulls on while \`more\` is true. A page may be empty and \`more\` true: the server read much that the filter hides.

**Retries.** Until an answer comes, send the same batch again: same number, same keys, values, times and bases. \`cursor\`, \`clientTime\` and the order of fields may differ. It takes effect once, and a repetition gets the same results with \`replayed: true\`, for as long as the results are kept (\`tombstoneDays\`, at least) and no later batch of the client was taken. Without a number, a write of what stands already is a \`noop\`.

**Numbers** are the client's: 1, 2, 3, without gaps, whatever the session. In another \`epoch\` (the part of a version before the dot: the space was erased, or filled anew) they begin at 1 again.

**Bases.** \`base\` is the \`version\` that an edit was made on; such a write wins whatever the clocks say. \`base: null\`: the key was absent. \`baseValue\`: the value instead, for clients that keep no versions. Without any of them the clock decides. Edits that were made before an earlier one was answered name the base of that one.

**Times** are those of the edit, in milliseconds. With \`clientTime\` the skew of the clock is corrected; a time in the future is taken as now. \`timestamp: 0\` means: lose if anything concurrent stands. A client without a clock leaves it out of its numbered batches: then the time of arrival decides.

**Reading.** Each key comes once, in its latest version, with \`by\`, the client that wrote it; all clients of the space see all writes, as far as their token grants the collection. A deletion comes as \`deleted: true\`. Writes of earlier requests come like those of others; writes of the very request with \`echo: true\`, where they were merged, after a \`reset\`, from \`cursor: null\` and in a replay. Under \`reset: true\` start over as \`resetReason\` says; edits in the queue stay and are sent afterwards. A copy that has moved on since the request was sent, by a frame or another request, takes nothing from the reply: it settles the queue, and the client pulls.

**Values** are any JSON. Compare them as values and not as text: keys of an object come back in the order that \`JSON.parse\` keeps, and have no order that counts. A client may encrypt: a sealed text is a value like others, which \`merge\` takes whole.

**Conflicts** are outcomes, not failures: \`results[i].conflict\` is the id of the entry of \`conflicts\` that has both sides. After \`superseded\` and \`conflict\` the copy, with the page, has what stands, and \`conflicts\` both sides. \`atomic: true\` refuses the whole batch instead.

**Limits** come with the session and the status: changes of a batch, bytes of a body and of a value, depth.`,
  Live: `Frames are JSON texts with a \`type\`: the schema \`Frame\`. A client keeps its own cursor. It applies a frame of \`changes\` that begins there, ignores one that ends there, and pulls at any other and after a \`poke\`. After every frame, and every \`ack\` with a cursor, it says \`seen\` with its cursor. A socket may end at any time: open another one from the cursor.`,
  Reading: 'Single entries and their history. Every read needs the scope `sync:read`.',
  Conflicts: `Losers stay readable for as long as the retention lasts. Under the policy \`manual\` a concurrent edit stays beside what stands, as a conflict whose \`resolution\` is \`open\`, until some client decides: show both sides, then send the choice with the version that stands as \`base\`. The decision is a write, which the feed carries to everybody.`,
  Transfer: 'A whole space: out, in, and away. Needs the scope `space:admin` and a token of all collections.',
  Tokens: 'For the operator, with the admin token: who may open which space.',
  Operation: 'For the operator, with the admin token: the configuration, the keys, the records.',
  Service: 'Needs no credential.',
} as const

export type Tag = keyof typeof TAGS

/** How to read the codes: a line for each action. */
const ACTION_LINES = Object.entries(ACTIONS)
  .map(([action, sentence]) => `- \`${action}\`: ${sentence}`)
  .join('\n')

export const INFO = {
  title: 'ChronicleSync',
  summary: 'Offline-first sync of a space, one writer each, on your own Cloudflare account.',
  description: `Send \`Content-Type: application/json\`; unknown fields and parameters of a request are refused.
Ignore fields of a reply that you do not know: later versions add some.
Versions and cursors are opaque. Times are milliseconds since 1970.
\`HEAD\` is answered as \`GET\` without a body; another method on a path is a 405 \`method-not-allowed\` with \`Allow\`, any other path a 404.
Every reply carries \`X-Request-Id\`, \`Cache-Control\`, \`Vary\` and \`X-Content-Type-Options: nosniff\`.
Every rule of the protocol is in docs/spec.md of the project.

A refusal is a problem with a \`code\`. The schema of that name says what it means, and its \`x-action\` what a client does:

${ACTION_LINES}

docs/codes.md of the project has all codes in one table.`,
  contact: { name: 'The operator of this service' },
  license: { name: 'MIT', identifier: 'MIT' },
}

const text = { schema: { type: 'string' } }

export const HEADERS: Readonly<Record<string, Json>> = {
  ETag: {
    description: 'Weak: `serverTime` may differ.',
    required: true,
    schema: { type: 'string', pattern: '^W/"[!#-~]+"$' },
  },
  'WWW-Authenticate': { description: 'RFC 6750.', required: true, ...text },
  'Retry-After': { description: 'Seconds.', required: true, schema: { type: 'string', pattern: '^\\d+$' } },
  RateLimit: {
    description: 'draft-ietf-httpapi-ratelimit-headers-11: what is left, and for how long (seconds).',
    required: true,
    schema: { type: 'string', pattern: '^"(client|credential|space)";r=0;t=\\d+$|^"place";r=0$' },
  },
  'RateLimit-Policy': {
    description:
      'Of the same draft: the budget that is used up. Not there for `place`, of which it is not known.',
    required: false,
    schema: { type: 'string', pattern: '^"(client|credential|space)";q=\\d+;w=60$' },
  },
  Upgrade: {
    description: 'The protocol to ask for. A header of one hop: what lies between may take it out.',
    required: false,
    ...text,
  },
  'Accept-Post': { description: 'The media type to send.', required: true, ...text },
}

export const PARAMETERS: Json = {
  'If-None-Match': {
    name: 'If-None-Match',
    in: 'header',
    description: 'The `ETag` of the reply that the client has: 304 if it still holds (RFC 9110, 13.1.2).',
    ...text,
  },
}

export const SECURITY: Json = {
  session: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Of `POST /api/auth`.' },
  admin: { type: 'http', scheme: 'bearer', description: "The stack's admin token." },
}
