import { env } from 'cloudflare:workers'
import { parseGenerations } from '../../worker/src/core/values/generations.ts'
import { sessionLike } from './stronghold.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** A text that passes for a credential with nobody, and what was done to it. */
export interface Forgery {
  readonly how: string
  readonly text: string
}

/** Each byte of a text with each of its bits turned, as far as a header can hold it. */
export function flips(text: string): readonly Forgery[] {
  return Array.from(text).flatMap((character, place) =>
    Array.from({ length: 8 }, (_, bit) => ({
      how: `bit ${bit} of byte ${place}`,
      text: replaceAt(text, place, String.fromCharCode(character.charCodeAt(0) ^ (1 << bit))),
    })),
  )
}

/** Each character of a text in the place of which each other one of base64url stands. */
export function substitutions(text: string, places: readonly number[]): readonly Forgery[] {
  return places.flatMap((place) =>
    Array.from(ALPHABET)
      .filter((character) => character !== text[place])
      .map((character) => ({ how: `${character} at ${place}`, text: replaceAt(text, place, character) })),
  )
}

export function replaceAt(text: string, place: number, character: string): string {
  return text.slice(0, place) + character + text.slice(place + 1)
}

/** A text cut off, doubled, padded, and with white space and signs that look like its own. */
export function damages(text: string): readonly Forgery[] {
  const cuts = Array.from({ length: text.length }, (_, length) => ({
    how: `its first ${length}`,
    text: text.slice(0, length),
  }))
  const odd = [
    '\t',
    ' ',
    '=',
    '==',
    '%3D',
    '.',
    ',',
    ';',
    '"',
    '\u00a0',
    '\u00ad',
    '\u00b5',
    'a',
    'A',
    '-',
    '_',
    '+',
    '/',
  ]
  const insertions = odd.flatMap((sign) =>
    [0, 1, Math.floor(text.length / 2), text.length - 1, text.length].map((place) => ({
      how: `${JSON.stringify(sign)} at ${place}`,
      text: text.slice(0, place) + sign + text.slice(place),
    })),
  )
  const parts = text.split('.')
  const reordered = [
    [...parts, ...parts],
    [...parts].reverse(),
    [parts[0], ...parts],
    [...parts, parts.at(-1)],
  ]
  return [
    ...cuts,
    ...insertions,
    ...reordered.map((list, index) => ({ how: `parts in order ${index}`, text: list.join('.') })),
    { how: 'in capitals', text: text.toUpperCase() },
    { how: 'in small letters', text: text.toLowerCase() },
    { how: 'reversed', text: Array.from(text).reverse().join('') },
    { how: 'a scheme more', text: `Bearer ${text}` },
    { how: 'as JSON', text: JSON.stringify(text) },
    { how: 'as a URL', text: encodeURIComponent(text).replaceAll('.', '%2E') },
  ].filter((forgery) => forgery.text !== text)
}

/** Any bytes as base64url. */
export function toBase64Url(bytes: Uint8Array | string): string {
  const binary = typeof bytes === 'string' ? bytes : String.fromCharCode(...bytes)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Sessions that are well made, of the wrong stuff. */
export async function imitations(): Promise<readonly Forgery[]> {
  const valid = await sessionLike()
  const [, payload = ''] = valid.split('.')
  const claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as Record<
    string,
    unknown
  >
  const [{ secret }] = parseGenerations(env.SESSION_KEY) ?? [{ secret: '' }]
  const header = { alg: 'HS256', typ: 'chronicle-session+jwt', kid: '1' }
  const others = await Promise.all([
    ...HEADERS.map(async (changed) => ({
      how: `header ${JSON.stringify(changed)}`,
      text: await sign({ ...header, ...changed }, claims, secret),
    })),
    ...CLAIMS.map(async (changed) => ({
      how: `claims ${JSON.stringify(changed)}`,
      text: await sign(header, { ...claims, ...changed }, secret),
    })),
    ...KEYS.map(async (key) => ({ how: `key ${key}`, text: await sign(header, claims, key) })),
    ...[{ ENVIRONMENT: 'production' }, { SESSION_KEY: '1:another' }, { SESSION_KEY: `2:${secret}` }].map(
      async (changed) => ({ how: JSON.stringify(changed), text: await sessionLike({}, changed) }),
    ),
  ])
  const none = toBase64Url(JSON.stringify({ alg: 'none', typ: header.typ }))
  return [
    ...others,
    { how: 'unsigned', text: `${none}.${payload}.` },
    { how: 'unsigned, two parts', text: `${none}.${payload}` },
    { how: 'no payload', text: valid.replace(payload, '') },
    { how: 'as JSON', text: toBase64Url(JSON.stringify(claims)) },
    { how: 'encrypted', text: `${valid}.AAAA.AAAA` },
  ]
}

/** Signs whatever it is given with an HMAC, as a forger would who mistakes one thing for another. */
async function sign(header: object, claims: object, secret: string): Promise<string> {
  const { hash = 'SHA-256' } = { hash: HASHES[String((header as { alg?: unknown }).alg)] }
  const key = await crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(secret),
    { name: 'HMAC', hash },
    false,
    ['sign'],
  )
  const text = [header, claims].map((part) => toBase64Url(JSON.stringify(part))).join('.')
  const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text))
  return `${text}.${toBase64Url(new Uint8Array(mac))}`
}

const HASHES: Readonly<Record<string, string>> = { HS384: 'SHA-384', HS512: 'SHA-512' }

const ALGORITHMS = ['none', 'None', 'NONE', 'nOnE', '', 'HS384', 'HS512', 'hs256', 'RS256', 'RS512', 'PS256']
const MORE = ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'A256GCM', 'dir', 'RSA-OAEP', 256, null, ['HS256'], {}]

const HEADERS: readonly object[] = [
  ...[...ALGORITHMS, ...MORE].map((alg) => ({ alg })),
  ...[
    '0',
    '2',
    '1 ',
    ' 1',
    '01',
    1,
    null,
    ['1'],
    '../1',
    '__proto__',
    'constructor',
    '',
    "1' OR '1",
    undefined,
  ].map((kid) => ({ kid })),
  ...['JWT', 'jwt', 'at+jwt', 'chronicle-session', 'application/jwt', '', null, 1, undefined].map((typ) => ({
    typ,
  })),
  { crit: ['exp'], exp: 1 },
  { crit: ['b64'], b64: false },
  { crit: [] },
  { alg: undefined },
  { zip: 'DEF', crit: ['zip'] },
  { jku: 'https://evil.example/jwks', kid: 'evil' },
  { x5u: 'https://evil.example/x5u', kid: 'evil' },
  { jwk: { kty: 'oct', k: 'ZXZpbA' }, kid: 'evil' },
]

const LATER = Math.floor(Date.now() / 1000) + 3600

const CLAIMS: readonly object[] = [
  ...[
    'chronicle-sync/production',
    'chronicle-sync',
    'CHRONICLE-SYNC/development',
    '',
    null,
    [],
    undefined,
  ].map((iss) => ({ iss })),
  ...[0, 1, LATER - 7200, -1, `${LATER}`, null, {}, [LATER], undefined].map((exp) => ({ exp })),
  ...['now', null, {}, [1], undefined].map((iat) => ({ iat })),
  ...[LATER, 'never', {}].map((nbf) => ({ nbf })),
  ...[undefined, null, 1, ['a'], {}].flatMap((odd) =>
    ['jti', 'tid', 'sub', 'space', 'client'].map((name) => ({ [name]: odd })),
  ),
  ...[undefined, null, 'sync:read', ['sync:everything'], [1], {}].map((scopes) => ({ scopes })),
  ...[undefined, 'a', [1], {}].map((collections) => ({ collections })),
]

const KEYS = [
  's',
  'secret',
  'another',
  '1',
  `1:${'s'.repeat(32)}`,
  env.SESSION_KEY,
  env.ADMIN_TOKEN,
  env.MASTER_KEY,
]
