import { env } from 'cloudflare:workers'
import {
  base64url,
  decodeProtectedHeader,
  exportSPKI,
  generateKeyPair,
  type JWTHeaderParameters,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ALGORITHMS, type IdentityProvider } from '../../worker/src/core/access/identity.ts'
import { KEYS_BURST } from '../../worker/src/core/values/limits.ts'
import { handle } from '../../worker/src/http/edge.ts'
import { hush } from '../support/witness.ts'
import { device, mint, type Reply, send } from './client.ts'
import { follow } from './follower.ts'
import { claims, connect, newProvider, type Provider } from './provider.ts'

// Providers fail here, and keys that cannot be fetched are logged.
hush()

const MINUTE = 60_000
let began = Date.now()

beforeEach(async () => {
  // The date stands still until it is moved, and each test is later than the one before: what an isolate remembers for
  // half a minute or an hour, tests do not wait for.
  began += 5 * 60 * MINUTE
  vi.useFakeTimers({ toFake: ['Date'], now: began })
  connect()
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
}

/** Says whose tokens count from now on. */
async function trust(...entries: readonly (Provider | Partial<IdentityProvider>)[]): Promise<Reply> {
  const bearer = env.ADMIN_TOKEN
  const { revision } = (await send('GET', '/api/config', { bearer })).body
  const identityProviders = entries.map((entry) => ('entry' in entry ? entry.entry : entry))
  const reply = await send('PUT', '/api/config', { bearer, body: { revision, identityProviders } })
  pass(MINUTE)
  return reply
}

async function trusted(changed: Partial<IdentityProvider> = {}): Promise<Provider> {
  const provider = await newProvider(changed)
  expect((await trust(provider)).status).toBe(200)
  return provider
}

function open(token: string, clientId = 'phone'): Promise<Reply> {
  return send('POST', '/api/auth', { body: { token, clientId } })
}

async function outcome(token: string): Promise<string> {
  const { status, body } = await open(token)
  return status === 200 ? 'session' : `${status} ${body.code}`
}

test.each(ALGORITHMS)('[ID1] a right token signed with %s opens a session that works', async (algorithm) => {
  const provider = await trusted({ algorithms: [algorithm], collections: ['k'] })
  const { status, body } = await open(await provider.token())
  expect(status, JSON.stringify(body)).toBe(200)
  const space = `${provider.entry.issuer}#sub=ann`
  expect(body).toMatchObject({
    space,
    scopes: ['sync:read', 'sync:write'],
    collections: ['k'],
    clientId: 'phone',
  })
  const changes = [{ key: 'k/1', value: 1, timestamp: 1 }]
  const synced = await send('POST', '/api/sync', { bearer: body.session, body: { batch: 1, changes } })
  expect(synced.body).toMatchObject({ success: true, synced: ['k/1'] })
  expect(provider.fetches).toBe(1)
})

test('[ID1] takes the types that bearer tokens have, one of several audiences, and a token without a kid', async () => {
  const provider = await trusted({ audiences: ['web', 'mobile'] })
  for (const typ of ['JWT', 'jwt', 'at+jwt', 'application/at+jwt', undefined]) {
    expect(await outcome(await provider.token({}, { typ })), typ).toBe('session')
  }
  for (const aud of ['web', 'mobile', ['other', 'mobile']]) {
    expect(await outcome(await provider.token({ aud }))).toBe('session')
  }
  expect(await outcome(await provider.token({}, { kid: undefined }))).toBe('session')
  await provider.rotate()
  pass(11 * MINUTE)
  // Now it could be either key's.
  expect(await outcome(await provider.token({}, { kid: undefined }))).toBe('401 unauthorized')
})

test('[ID1] refuses wrong and missing claims, and names them', async () => {
  const provider = await trusted()
  const wrong: [string, Record<string, unknown>][] = [
    ['issuer', { iss: 'https://login.example' }],
    ['issuer', { iss: provider.entry.issuer.slice(0, -1) }],
    ['issuer', { iss: undefined }],
    ['issuer', { iss: [provider.entry.issuer] }],
    ['aud', { aud: 'another' }],
    ['aud', { aud: ['another'] }],
    ['aud', { aud: undefined }],
    ['aud', { aud: 'chronicle2' }],
    ['aud', { aud: { chronicle: true } }],
    ['sub', { sub: undefined }],
    ['sub', { sub: '' }],
    ['sub', { sub: 7 }],
    ['sub', { sub: 'x'.repeat(256) }],
    ['sub', { sub: 'ann\u0000' }],
    ['sub', { sub: 'аnn' }],
    ['exp', { exp: undefined }],
    ['exp', { exp: '9999999999' }],
    ['iat', { iat: undefined }],
    ['cnf', { cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } }],
  ]
  for (const [place, changed] of wrong) {
    const { status, body } = await open(await provider.token(changed))
    expect(`${status} ${body.code}`, JSON.stringify(changed)).toBe('401 unauthorized')
    expect(body.detail).toContain(place)
  }
  expect(await outcome(await provider.token({ sub: 'x'.repeat(255) }))).toBe('session')
})

test('[ID2] refuses every algorithm but those of the issuer, and other types', async () => {
  const provider = await trusted({ algorithms: ['RS256'] })
  const right = claims(provider.entry)
  const key = provider.keys[0]
  if (key === undefined) throw new Error('a provider has a key')
  const { publicKey } = await generateKeyPair('RS256', { extractable: true })
  const spki = new TextEncoder().encode(await exportSPKI(publicKey))
  const modulus = new TextEncoder().encode(String(key.jwk.n))
  const hmac = (secret: Uint8Array) =>
    new SignJWT(right).setProtectedHeader({ alg: 'HS256', kid: key.kid }).sign(secret)
  const elliptic = await generateKeyPair('ES256')
  const forged = [
    new UnsecuredJWT(right).encode(),
    `${btoa('{"alg":"none"}').replace(/=+$/, '')}.${(await provider.token()).split('.')[1]}.AA`,
    await hmac(spki),
    await hmac(modulus),
    await new SignJWT(right).setProtectedHeader({ alg: 'ES256', kid: key.kid }).sign(elliptic.privateKey),
    await new SignJWT(right)
      .setProtectedHeader({ alg: 'PS256', kid: key.kid })
      .sign((await generateKeyPair('PS256')).privateKey),
    await provider.token({}, { typ: 'chronicle-session+jwt' }),
    await provider.token({}, { typ: 'logout+jwt' }),
    await provider.token({}, { typ: 'dpop+jwt' }),
    (await device()).session,
    `${await provider.token()}.`,
    `${await provider.token()}.a.b`,
    'a.b.c',
    `${btoa('{}')}.${btoa('{}')}.AA`.replaceAll('=', ''),
    `${btoa('[]')}.${btoa('null')}.AA`.replaceAll('=', ''),
    `${btoa('{"alg":"RS256","typ":7}')}.${btoa('{}')}.AA`.replaceAll('=', ''),
  ]
  for (const token of forged) expect(await outcome(token), token.slice(0, 40)).toBe('401 unauthorized')
  expect(provider.fetches).toBe(0)
})

test('[ID3] keys come from the configuration only, whatever a header says', async () => {
  const provider = await trusted()
  const attacker = await newProvider()
  const [theirs] = attacker.keys
  if (theirs === undefined) throw new Error('a provider has a key')
  const { kid, jwk, sign } = theirs
  const right = claims(provider.entry)
  const headers = [
    { kid, jku: attacker.entry.jwksUrl },
    { kid: provider.keys[0]?.kid, jku: attacker.entry.jwksUrl },
    { kid: attacker.entry.jwksUrl },
    { kid, x5u: attacker.entry.jwksUrl },
    { kid, jwk },
    { kid: provider.keys[0]?.kid, jwk },
    { kid, x5c: ['MIIB'] },
    { kid: 7 },
    { kid: '__proto__' },
    { kid: '../../keys' },
  ]
  for (const header of headers) {
    const token = await new SignJWT(right)
      .setProtectedHeader({ alg: 'ES256', ...header } as JWTHeaderParameters)
      .sign(sign)
    expect(await outcome(token), JSON.stringify(header)).toBe('401 unauthorized')
  }
  expect(attacker.fetches).toBe(0)
  expect(await outcome(await provider.token({}, { jku: attacker.entry.jwksUrl, jwk }))).toBe('session')
})

test('[ID3] a token that asks for what is not understood is refused (RFC 7515, 4.1.11)', async () => {
  const provider = await trusted()
  const [key] = provider.keys
  const signed = async (header: object) => {
    const content = [{ alg: 'ES256', kid: key?.kid, ...header }, claims(provider.entry)]
    const input = content.map((part) => base64url.encode(JSON.stringify(part))).join('.')
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
    const bytes = await crypto.subtle.sign(algorithm, key?.sign as CryptoKey, new TextEncoder().encode(input))
    return `${input}.${base64url.encode(new Uint8Array(bytes))}`
  }
  expect(await outcome(await signed({}))).toBe('session')
  for (const header of [
    { crit: ['x'], x: 1 },
    { crit: ['b64'], b64: false },
    { crit: [] },
    { crit: 'x' },
    { crit: ['kid'] },
  ]) {
    expect(await outcome(await signed(header)), JSON.stringify(header)).toBe('401 unauthorized')
  }
})

test('[ID3] a token that is damaged at any place is refused', async () => {
  const provider = await trusted()
  const token = await provider.token()
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  for (let index = 0; index < token.length; index++) {
    // The first bit of a character: those at the end of a part may mean nothing.
    const character = token.charAt(index)
    const flipped = character === '.' ? 'A' : ALPHABET.charAt(ALPHABET.indexOf(character) ^ 32)
    const { status } = await open(`${token.slice(0, index)}${flipped}${token.slice(index + 1)}`)
    expect(status, String(index)).toBe(401)
  }
  expect(await outcome(token)).toBe('session')
})

test('[ID4] times are what they say: 10 s ahead at most, nothing expired, nothing older than a day', async () => {
  const provider = await trusted()
  vi.setSystemTime(Math.ceil(Date.now() / 1000) * 1000)
  const now = Date.now() / 1000
  const cases: [string, Record<string, number>][] = [
    ['session', { exp: now + 1 }],
    ['401 unauthorized', { exp: now }],
    ['401 unauthorized', { exp: now - 1 }],
    ['session', { nbf: now + 10 }],
    ['401 unauthorized', { nbf: now + 11 }],
    ['session', { iat: now + 10 }],
    ['401 unauthorized', { iat: now + 11 }],
    ['session', { iat: now - 86_400 }],
    ['401 unauthorized', { iat: now - 86_411 }],
    ['session', { exp: 1e300 }],
  ]
  for (const [expected, changed] of cases) {
    expect(await outcome(await provider.token(changed)), JSON.stringify(changed)).toBe(expected)
  }
})

test('[ID4] a session does not outlive its token, nor an hour', async () => {
  const provider = await trusted()
  const now = Math.floor(Date.now() / 1000)
  const short = (await open(await provider.token({ exp: now + 90.7 }))).body
  expect(short.expiresAt).toBe((now + 90) * 1000)
  expect((await open(await provider.token({ exp: now + 90_000 }))).body.expiresAt).toBe((now + 3600) * 1000)
  pass(91_000)
  const after = await send('GET', '/api/status', { bearer: short.session })
  expect(after.body).toMatchObject({ status: 401, code: 'session-expired' })
})

test('[ID5] subjects of two issuers never meet, nor do they meet the tokens of the operator', async () => {
  const [one, two] = [await newProvider(), await newProvider()]
  await trust(one, two)
  const ann = await open(await one.token({ sub: 'ann' }))
  const change = { changes: [{ key: 'k', value: 'canary', timestamp: 1 }] }
  await send('POST', '/api/sync', { bearer: ann.body.session, body: change })
  const others = [
    await open(await two.token({ sub: 'ann' })),
    await open(await one.token({ sub: 'Ann' })),
    await open(await one.token({ sub: `${one.entry.issuer}#sub=ann` })),
    await send('POST', '/api/auth', { body: { token: (await mint({ subject: 'ann' })).token } }),
    await send('POST', '/api/auth', { body: { token: (await mint({ subject: '#sub=ann' })).token } }),
  ]
  expect(new Set(others.map(({ body }) => body.space)).size).toBe(5)
  for (const { body } of others) {
    expect((await send('GET', '/api/changes', { bearer: body.session })).body.changes, body.space).toEqual([])
  }
})

test('[ID5] an operator who means it shares the space of a subject', async () => {
  const provider = await trusted()
  const ann = await open(await provider.token({ sub: 'auth0|ann #=/ "' }))
  const change = { changes: [{ key: 'k', value: 1, timestamp: 1 }] }
  await send('POST', '/api/sync', { bearer: ann.body.session, body: change })
  const { space } = ann.body
  expect(space).toBe(`${provider.entry.issuer}#sub=auth0|ann #=/ "`)
  const support = await device(await mint({ subject: 'support', space }))
  expect((await support.get('/api/changes')).body.changes).toMatchObject([{ key: 'k', value: 1 }])
  const wrong = { subject: space, scopes: ['sync:read'] }
  expect((await send('POST', '/api/tokens', { bearer: env.ADMIN_TOKEN, body: wrong })).status).toBe(422)
  const bad = { subject: 'x', space: 'a/b', scopes: ['sync:read'] }
  expect((await send('POST', '/api/tokens', { bearer: env.ADMIN_TOKEN, body: bad })).status).toBe(422)
})

test('[ID5] a subject can erase its space', async () => {
  const provider = await trusted({ scopes: ['sync:read', 'space:admin'] })
  const token = await provider.token({ iat: Math.floor(Date.now() / 1000) - 1 })
  const { body } = await open(token)
  const erased = await send('DELETE', '/api/space', { bearer: body.session, body: { confirm: body.space } })
  expect(erased.body).toEqual({ success: true })
  expect((await send('GET', '/api/status', { bearer: body.session })).body.code).toBe('space-erased')
  expect((await open(token)).body.code).toBe('space-erased')
  pass(2000)
  expect(await outcome(await provider.token({ iat: Math.floor(Date.now() / 1000) }))).toBe('session')
})

test('[ID6] a claim names a space that several subjects share; who does not have it gets none', async () => {
  const provider = await trusted({ spaceClaim: 'org_id' })
  const ann = await open(await provider.token({ sub: 'ann', org_id: 'acme' }), 'a')
  const bob = await open(await provider.token({ sub: 'bob', org_id: 'acme' }), 'b')
  const eve = await open(await provider.token({ sub: 'eve', org_id: 'acme ' }), 'e')
  expect(ann.body.space).toBe(`${provider.entry.issuer}#org_id=acme`)
  expect(bob.body.space).toBe(ann.body.space)
  expect(eve.body.space).not.toBe(ann.body.space)
  const numbered = { batch: 1, changes: [{ key: 'k', value: 1, timestamp: 1 }] }
  await send('POST', '/api/sync', { bearer: ann.body.session, body: numbered })
  const read = await send('GET', '/api/changes', { bearer: bob.body.session })
  expect(read.body.changes).toMatchObject([{ key: 'k' }])
  // Another subject of the space cannot take the place of ann's client.
  const taken = await open(await provider.token({ sub: 'bob', org_id: 'acme' }), 'a')
  const impostor = await send('POST', '/api/sync', {
    bearer: taken.body.session,
    body: { ...numbered, batch: 2 },
  })
  expect(impostor.body).toMatchObject({ status: 403, code: 'foreign-client' })
  for (const org_id of [undefined, null, ['acme'], { acme: 1 }, 7, true, '']) {
    expect(await outcome(await provider.token({ org_id })), String(org_id)).toBe('401 unauthorized')
  }
  const inherited = await trusted({ spaceClaim: 'constructor' })
  expect(await outcome(await inherited.token())).toBe('401 unauthorized')
})

test('[ID7] a claim of scopes narrows what the configuration gives, and never widens it', async () => {
  const provider = await trusted({ scopesClaim: 'scope' })
  const cases: [unknown, unknown][] = [
    ['sync:read', ['sync:read']],
    ['openid sync:write  sync:read profile', ['sync:read', 'sync:write']],
    [['sync:write', 7, null], ['sync:write']],
    ['sync:read space:admin', ['sync:read']],
  ]
  for (const [scope, scopes] of cases) {
    expect((await open(await provider.token({ scope }))).body.scopes, String(scope)).toEqual(scopes)
  }
  for (const scope of [
    undefined,
    '',
    'openid',
    'sync:readx',
    'SYNC:READ',
    ['space:admin'],
    7,
    { 'sync:read': 1 },
  ]) {
    expect(await outcome(await provider.token({ scope })), String(scope)).toBe('403 forbidden-scope')
  }
})

test('[ID8] a new key is fetched when a token names it, at most every 30 s, however many ask', async () => {
  const provider = await trusted()
  const before = await provider.token()
  expect(await outcome(before)).toBe('session')
  await provider.rotate()
  const after = await provider.token()
  const many = await Promise.all(Array.from({ length: 20 }, () => outcome(after)))
  expect(new Set(many)).toEqual(new Set(['session']))
  expect(provider.fetches).toBe(2)
  const { token: forge } = await newProvider()
  const forged = await forge({ iss: provider.entry.issuer }, { kid: 'made-up' })
  for (let second = 0; second < 90; second += 5) {
    expect(await outcome(forged)).toBe('401 unauthorized')
    pass(5000)
  }
  expect(provider.fetches).toBe(5)
  expect(await outcome(before)).toBe('session')
})

test('[ID8] a new key does not wait for a key that was made up, unless many are', async () => {
  const provider = await trusted()
  const known = await provider.token()
  expect(await outcome(known)).toBe('session')
  const { token: forge } = await newProvider()
  const madeUp = (kid: string) => forge({ iss: provider.entry.issuer }, { kid })
  pass(30_000)
  expect(await outcome(await madeUp('made-up-0'))).toBe('401 unauthorized')
  await provider.rotate()
  expect(await outcome(await provider.token())).toBe('session')
  for (let n = 1; n <= 20; n++) expect(await outcome(await madeUp(`made-up-${n}`))).toMatch(/^(401|503) /)
  expect(provider.fetches).toBe(1 + KEYS_BURST)
  await provider.rotate()
  const late = await provider.token()
  // Nobody can tell whether the provider has this one.
  expect(await outcome(late)).toBe('503 provider-unavailable')
  expect(await outcome(known)).toBe('session')
  pass(30_000)
  expect(await outcome(late)).toBe('session')
})

test('[ID9] a key that is not among those of the provider, and a signature that does not fit, are told apart', async () => {
  const provider = await trusted()
  const token = await provider.token()
  expect(await outcome(token)).toBe('session')
  const { token: forge } = await newProvider()
  const unknown = await open(await forge({ iss: provider.entry.issuer }, { kid: 'made-up' }))
  expect([unknown.status, unknown.body.detail]).toEqual([401, expect.stringContaining('its key (kid)')])
  const { kid } = decodeProtectedHeader(token)
  const forged = await open(await forge({ iss: provider.entry.issuer }, { kid }))
  expect([forged.status, forged.body.detail]).toEqual([401, expect.stringContaining('its signature')])
})

test('[ID8] a key that the provider withdraws no longer counts ten minutes later', async () => {
  const provider = await trusted()
  const token = await provider.token({ exp: Date.now() / 1000 + 3600 })
  expect(await outcome(token)).toBe('session')
  provider.keys.length = 0
  await provider.rotate()
  pass(10 * MINUTE - 1)
  expect(await outcome(token)).toBe('session')
  pass(1)
  expect(await outcome(token)).toBe('401 unauthorized')
  expect(await outcome(await provider.token())).toBe('session')
})

const huge = JSON.stringify({ keys: [], pad: 'x'.repeat(64 * 1024) })
const broken: [string, (request: Request) => Promise<Response> | Response][] = [
  [
    'slow',
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  ],
  [
    'half sent',
    () => new Response(new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode('{')) })),
  ],
  ['huge', () => new Response(huge)],
  [
    'endless',
    () => new Response(new ReadableStream({ pull: (body) => body.enqueue(new Uint8Array(16_384)) })),
  ],
  [
    'redirecting',
    () => new Response(null, { status: 302, headers: { location: 'https://attacker.example/keys' } }),
  ],
  ['failing', () => new Response('{"keys":[]}', { status: 500 })],
  ['unreachable', () => Promise.reject(new TypeError('connection refused'))],
  ['no JSON', () => new Response('<html>')],
  ['no UTF-8', () => new Response(new Uint8Array([0xff, 0xfe]))],
  ['null', () => Response.json(null)],
  ['no key set', () => Response.json({ keys: 'none' })],
  ['keys that are none', () => Response.json({ keys: [7, null] })],
]

test.each(broken)(
  '[ID9] a provider that is %s: 503 in time without keys, and its known keys go on',
  async (_, answer) => {
    const provider = await trusted()
    provider.answer = answer
    const token = await provider.token()
    const began = performance.now()
    const { status, body, headers } = await open(token)
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(`${status} ${body.code}`).toBe('503 provider-unavailable')
    expect(headers.get('retry-after')).toBe('30')
    pass(3000)
    expect(await outcome(token)).toBe('503 provider-unavailable')
    expect(provider.fetches).toBe(1)
    provider.answer = null
    pass(30_000)
    expect(await outcome(token)).toBe('session')
    provider.answer = answer
    const later = async () => {
      const { iat, exp } = claims(provider.entry)
      return provider.token({ iat, exp })
    }
    pass(11 * MINUTE)
    expect(await outcome(await later())).toBe('session')
    const fetched = provider.fetches
    pass(3000)
    expect(await outcome(await later())).toBe('session')
    expect(provider.fetches).toBe(fetched)
    pass(49 * MINUTE)
    expect(await outcome(await later())).toBe('503 provider-unavailable')
  },
)

test('[ID9] a key that may be new is not refused for good while the provider does not answer', async () => {
  const provider = await trusted()
  expect(await outcome(await provider.token())).toBe('session')
  provider.answer = () => new Response(null, { status: 500 })
  await provider.rotate()
  const token = await provider.token()
  pass(30_000)
  expect(await outcome(token)).toBe('503 provider-unavailable')
  provider.answer = null
  expect(await outcome(token)).toBe('503 provider-unavailable')
  pass(30_000)
  expect(await outcome(token)).toBe('session')
})

test('[ID9] keys that are of no use are no defect of ours', async () => {
  const provider = await trusted({ algorithms: ['RS256'] })
  const [key] = provider.keys
  const kid = key?.kid
  const weak = await crypto.subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      modulusLength: 1024,
      publicExponent: new Uint8Array([1, 0, 1]),
    },
    true,
    ['sign', 'verify'],
  )
  const { n, e } = (await crypto.subtle.exportKey('jwk', (weak as CryptoKeyPair).publicKey)) as JsonWebKey
  const token = await provider.token()
  const sets = [
    [{ kty: 'RSA', kid, n: 'AQAB', e: 'AQAB' }],
    [{ kty: 'RSA', kid, n: '!', e: '!' }],
    [{ kty: 'RSA', kid, n, e }],
    [{ kty: 'RSA', kid }],
    [{ ...key?.jwk, d: 'AQAB' }],
  ]
  for (const keys of sets) {
    provider.answer = () => Response.json({ keys })
    expect(await outcome(token), JSON.stringify(keys)).toBe('503 provider-unavailable')
    pass(11 * MINUTE)
  }
})

test('[ID10] a provider that is taken out of the configuration opens no more sessions', async () => {
  const [gone, stays] = [await newProvider(), await newProvider()]
  await trust(gone, stays)
  const token = await gone.token()
  expect(await outcome(token)).toBe('session')
  await trust(stays)
  expect(await outcome(token)).toBe('401 unauthorized')
  expect(await outcome(await stays.token())).toBe('session')
  const fetches = gone.fetches
  await outcome(await gone.token({}, { kid: 'other' }))
  expect(gone.fetches).toBe(fetches)
})

test('[ID10] what the configuration says of a provider holds within half a minute in an isolate', async () => {
  const provider = await trusted()
  const token = await provider.token()
  expect(await outcome(token)).toBe('session')
  await env.CHRONICLE_KV.delete('config')
  pass(29_999)
  expect(await outcome(token)).toBe('session')
  pass(1)
  expect(await outcome(token)).toBe('401 unauthorized')
})

test("[ID11] the operator ends a subject's sessions at once, and the provider's next token opens new ones", async () => {
  const provider = await trusted()
  const [early, bobs] = [await provider.token({ sub: 'ann' }), await provider.token({ sub: 'bob' })]
  const [ann, bob] = [await open(early), await open(bobs)]
  const subject = `${provider.entry.issuer}#sub=ann`
  const ended = await send('DELETE', '/api/sessions', { bearer: env.ADMIN_TOKEN, body: { subject } })
  expect(ended.body).toEqual({ success: true, subject, space: subject })
  expect((await send('GET', '/api/status', { bearer: ann.body.session })).body.code).toBe('revoked')
  expect((await open(early)).body.code).toBe('revoked')
  expect((await send('GET', '/api/status', { bearer: bob.body.session })).status).toBe(200)
  pass(10_000)
  expect((await open(early)).body.code).toBe('revoked')
  const next = await open(await provider.token({ sub: 'ann' }))
  expect((await send('GET', '/api/status', { bearer: next.body.session })).status).toBe(200)
})

test('[ID11] in a shared space it ends those of one subject; only the operator may', async () => {
  const provider = await trusted({ spaceClaim: 'org' })
  const [ann, bob] = [
    await open(await provider.token({ sub: 'ann', org: 'acme' })),
    await open(await provider.token({ sub: 'bob', org: 'acme' })),
  ]
  const body = { subject: `${provider.entry.issuer}#sub=ann`, space: ann.body.space }
  for (const bearer of [ann.body.session, await provider.token(), (await mint()).token]) {
    expect((await send('DELETE', '/api/sessions', { bearer, body })).status).toBe(401)
  }
  expect((await send('GET', '/api/status', { bearer: ann.body.session })).status).toBe(200)
  expect((await send('DELETE', '/api/sessions', { bearer: env.ADMIN_TOKEN, body })).status).toBe(200)
  expect((await send('GET', '/api/status', { bearer: ann.body.session })).body.code).toBe('revoked')
  expect((await send('GET', '/api/status', { bearer: bob.body.session })).status).toBe(200)
  for (const wrong of [{}, { subject: 'ann' }, { ...body, space: 'a/b' }, { ...body, all: true }]) {
    const refused = await send('DELETE', '/api/sessions', { bearer: env.ADMIN_TOKEN, body: wrong })
    expect(refused.body).toMatchObject({ status: 422, code: 'invalid-request' })
  }
})

test('[ID11] without a space it ends nothing where the subject has none of its own, and says what is missing', async () => {
  const provider = await trusted({ spaceClaim: 'org' })
  const ann = await open(await provider.token({ sub: 'ann', org: 'acme' }))
  const subject = `${provider.entry.issuer}#sub=ann`
  const end = (body: object) => send('DELETE', '/api/sessions', { bearer: env.ADMIN_TOKEN, body })
  const refused = await end({ subject })
  expect(refused.body).toMatchObject({ status: 422, code: 'invalid-request' })
  expect(refused.body.detail).toMatch(/^space: is missing, .* their claim org; name the space/)
  expect((await send('GET', '/api/status', { bearer: ann.body.session })).status).toBe(200)
  const unknown = await end({ subject: 'https://nobody.example/#sub=ann' })
  expect(unknown.body).toMatchObject({
    status: 422,
    detail: expect.stringMatching(/^space: is missing, .* no provider/),
  })
  expect((await end({ subject, space: ann.body.space })).status).toBe(200)
  expect((await send('GET', '/api/status', { bearer: ann.body.session })).body.code).toBe('revoked')
})

test('[ID11] sockets close with the sessions, however long the name of the subject is', async () => {
  const provider = await trusted({ issuer: `https://${'i'.repeat(239)}.example/` })
  const sub = '"'.repeat(255)
  const ann = await open(await provider.token({ sub }))
  const socket = await follow(ann.body)
  const subject = `${provider.entry.issuer}#sub=${sub}`
  await send('DELETE', '/api/sessions', { bearer: env.ADMIN_TOKEN, body: { subject } })
  expect(await socket.closed()).toMatchObject({ code: 4403 })
})

test('[ID11] a subject that is named by another claim than sub is refused: no session could have it', async () => {
  const body = { subject: 'https://login.example/#email=ann@example.com', space: 'any' }
  const { status, body: told } = await send('DELETE', '/api/sessions', { bearer: env.ADMIN_TOKEN, body })
  expect([status, told.detail]).toEqual([422, expect.stringContaining('#sub=')])
})

test('[ID11] DELETE /api/auth ends the one session; another opens with the same token', async () => {
  const provider = await trusted()
  const token = await provider.token()
  const [first, second] = [await open(token), await open(token)]
  await send('DELETE', '/api/auth', { bearer: first.body.session })
  expect((await send('GET', '/api/status', { bearer: first.body.session })).body.code).toBe('session-ended')
  expect((await send('GET', '/api/status', { bearer: second.body.session })).status).toBe(200)
})

const entry = {
  issuer: 'https://login.example/',
  audiences: ['chronicle'],
  jwksUrl: 'https://login.example/keys',
  scopes: ['sync:read'],
}

test('[ID12] what is left out of a provider is shown as it holds', async () => {
  const { body } = await trust(entry as never)
  expect(body.identityProviders).toEqual([{ ...entry, algorithms: ['RS256'], spaceClaim: 'sub' }])
  const shown = await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
  expect(shown.body.identityProviders).toEqual(body.identityProviders)
  expect((await send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body: shown.body })).status).toBe(200)
})

test.each<[string, object]>([
  ['[0].issuer', { ...entry, issuer: 'login.example' }],
  ['[0].issuer', { ...entry, issuer: 'https://login.example/#x' }],
  ['[0].issuer', { ...entry, issuer: `https://${'x'.repeat(249)}` }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'http://login.example/keys' }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'http://localhost.attacker.example/keys' }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'http://localhost@attacker.example/keys' }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'https://user:secret@login.example/keys' }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'data:application/json,{"keys":[]}' }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'https://[login' }],
  ['[0].audiences', { ...entry, audiences: [] }],
  ['[0].audiences', { ...entry, audiences: 'chronicle' }],
  ['[0].audiences[0]', { ...entry, audiences: [''] }],
  ['[0].audiences', { ...entry, audiences: Array.from({ length: 17 }, String) }],
  ['[0].algorithms', { ...entry, algorithms: [] }],
  ['[0].algorithms[0]', { ...entry, algorithms: ['HS256'] }],
  ['[0].algorithms[1]', { ...entry, algorithms: ['RS256', 'none'] }],
  ['[0].scopes', { ...entry, scopes: [] }],
  ['[0].scopes', { ...entry, scopes: undefined }],
  ['[0].scopes[0]', { ...entry, scopes: ['admin'] }],
  ['[0].spaceClaim', { ...entry, spaceClaim: 'email' }],
  ['[0].spaceClaim', { ...entry, spaceClaim: 'a=b' }],
  ['[0].spaceClaim', { ...entry, spaceClaim: '' }],
  ['[0].scopesClaim', { ...entry, scopesClaim: 'a b' }],
  [
    '[0].collections',
    { ...entry, collections: Array.from({ length: 64 }, (_, n) => `${n}${'x'.repeat(126)}`) },
  ],
  ['secret', { ...entry, secret: 'x' }],
])('[ID12] refuses a provider that makes no sense, and names the place: %s %j', async (place, wrong) => {
  const reply = await trust(wrong as never)
  expect(reply.body).toMatchObject({ status: 422, code: 'invalid-request' })
  expect(reply.body.detail).toContain(place.startsWith('[') ? `identityProviders${place}` : place)
})

test('[ID12] refuses an issuer that comes twice, and more than 16', async () => {
  expect((await trust(entry as never, entry as never)).body.detail).toContain('comes twice')
  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ ...entry, issuer: `https://${n}.example` }) as never)
  expect((await trust(...many(17))).status).toBe(422)
  expect((await trust(...many(16))).status).toBe(200)
})

test('[ID12] http is for the machine itself, in development only', async () => {
  const local = { ...entry, issuer: 'http://localhost:4000', jwksUrl: 'http://127.0.0.1:4000/keys' }
  expect((await trust(local as never)).status).toBe(200)
  const body = JSON.stringify({ revision: 0, identityProviders: [local] })
  const key = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
  const admin = `adm_prod_${key().replaceAll(/[+/=]/g, '_')}`
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${admin}` }
  const request = new Request('https://sync.example/api/config', { method: 'PUT', headers, body })
  const secrets = { ADMIN_TOKEN: admin, MASTER_KEY: `1:${key()}`, SESSION_KEY: `1:${key()}` }
  const reply = await handle(request, { ...env, ...secrets, ENVIRONMENT: 'production' })
  expect(await reply.json()).toMatchObject({
    status: 422,
    detail: expect.stringContaining('[0].issuer: expected an https'),
  })
})

test('[ID13] no object wakes for what is forged, and nothing is read for what no provider could have made', async () => {
  const provider = await trusted()
  const attacker = await newProvider()
  const forged = [
    ['none', new UnsecuredJWT(claims(provider.entry)).encode()],
    ['none', 'a.b.c'],
    ['none', (await device()).session],
    ['config', await attacker.token()],
    ['config', await attacker.token({ iss: provider.entry.issuer })],
    ['config', await provider.token({ aud: 'other' })],
    ['config', await provider.token({ exp: 1 })],
  ] as const
  for (const [read, token] of forged) {
    pass(MINUTE)
    const touched: string[] = []
    const noticed = <T extends object>(name: string, target: T): T =>
      new Proxy(target, {
        get(object, property) {
          touched.push(name)
          const value = Reflect.get(object, property)
          return typeof value === 'function' ? value.bind(object) : value
        },
      })
    const watched = {
      CHRONICLE: noticed('object', env.CHRONICLE),
      CHRONICLE_KV: noticed('config', env.CHRONICLE_KV),
    }
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ token })
    const request = new Request('https://sync.example/api/auth', { method: 'POST', headers, body })
    expect((await handle(request, { ...env, ...watched })).status).toBe(401)
    expect(touched).toEqual(read === 'none' ? [] : ['config'])
  }
})
