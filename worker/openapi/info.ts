import type { Json } from '../src/core/values/json.ts'
import { ACTIONS } from './codes/actions.ts'

/** One line per action. */
const ACTION_LINES = Object.entries(ACTIONS)
  .map(([action, sentence]) => `- \`${action}\`: ${sentence}`)
  .join('\n')

export const INFO = {
  title: 'ChronicleSync',
  summary: 'Offline-first sync of spaces, with one writer per space, on your own Cloudflare account.',
  description: `Send \`Content-Type: application/json\`. Unknown fields and parameters of a request are refused.
Ignore unknown fields of a reply: later versions add fields.
Versions and cursors are opaque. Times are milliseconds since 1970.
\`HEAD\` gets the reply of \`GET\` without a body. Another method on a path gets a 405 \`method-not-allowed\` with \`Allow\`, any other path a 404.
Every reply carries \`X-Request-Id\`, \`Cache-Control\`, \`Vary\` and \`X-Content-Type-Options: nosniff\`.
Every rule of the protocol is in docs/spec.md of the project.

A refusal is a problem with a \`code\`. The schema of that name describes it, and its \`x-action\` says what a client does:

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
    description: 'draft-ietf-httpapi-ratelimit-headers-11: what remains, and the seconds until it resets.',
    required: true,
    schema: { type: 'string', pattern: '^"(client|credential|space)";r=0;t=\\d+$|^"place";r=0$' },
  },
  'RateLimit-Policy': {
    description: 'From the same draft: the exhausted budget. Absent for `place`, whose limit is not known.',
    required: false,
    schema: { type: 'string', pattern: '^"(client|credential|space)";q=\\d+;w=60$' },
  },
  Upgrade: {
    description: 'The protocol to ask for. A hop-by-hop header: a proxy may remove it.',
    required: false,
    ...text,
  },
  'Accept-Post': { description: 'The media type to send.', required: true, ...text },
}

export const PARAMETERS: Json = {
  'If-None-Match': {
    name: 'If-None-Match',
    in: 'header',
    description: 'The `ETag` of an earlier reply: 304 if nothing has changed (RFC 9110, 13.1.2).',
    ...text,
  },
}

export const SECURITY: Json = {
  session: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A session, from `POST /api/auth`.',
  },
  admin: { type: 'http', scheme: 'bearer', description: "The stack's admin token." },
  monitor: {
    type: 'http',
    scheme: 'bearer',
    description: "An API token with the scope `metrics:read`, or the stack's admin token.",
  },
}
