import type { Json } from '../src/core/json.ts'

export const INFO = {
  title: 'ChronicleSync',
  summary: 'Offline-first sync of a space, one writer each, on your own Cloudflare account.',
  description: `Send \`Content-Type: application/json\`; unknown fields and parameters of a request are refused.
Ignore fields of a reply that you do not know: later versions add some.
Versions and cursors are opaque. Times are milliseconds since 1970.
\`HEAD\` is answered as \`GET\` without a body; another method on a path is a 405, any other path a 404.
Every reply carries \`X-Request-Id\`, \`Cache-Control\`, \`Vary\` and \`X-Content-Type-Options: nosniff\`.
Every rule of the protocol is in docs/spec.md of the project.`,
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
  Allow: { description: 'The methods of the path.', required: true, ...text },
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
