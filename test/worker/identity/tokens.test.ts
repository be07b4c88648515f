import { base64url, exportSPKI, generateKeyPair, type JWTHeaderParameters, SignJWT, UnsecuredJWT } from 'jose'
import { expect, test, vi } from 'vitest'
import { ALGORITHMS } from '../../../worker/src/core/access/identity.ts'
import { device, send } from '../../support/worker/client.ts'
import { claims, newProvider } from '../../support/worker/provider.ts'
import { MINUTE, open, outcome, pass, trusted } from '../../support/worker/trust.ts'

test.each(ALGORITHMS)('[ID1] opens a working session for a valid token signed with %s', async (algorithm) => {
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

test('[ID1] accepts the types of bearer tokens, one of several audiences, and a token without a kid', async () => {
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
  // Either key could have signed the token now.
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

test('[ID2] refuses every algorithm except those of the issuer, and other types', async () => {
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

test('[ID3] takes keys from the configured provider only, whatever a header says', async () => {
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

test('[ID3] refuses a token with an unknown critical header (RFC 7515, 4.1.11)', async () => {
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

test('[ID3] refuses a token with any character changed', async () => {
  const provider = await trusted()
  const token = await provider.token()
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  for (let index = 0; index < token.length; index++) {
    // The highest bit of a character: the lowest bits at the end of a part may be padding.
    const character = token.charAt(index)
    const flipped = character === '.' ? 'A' : ALPHABET.charAt(ALPHABET.indexOf(character) ^ 32)
    const { status } = await open(`${token.slice(0, index)}${flipped}${token.slice(index + 1)}`)
    expect(status, String(index)).toBe(401)
  }
  expect(await outcome(token)).toBe('session')
})

test('[ID4] accepts times up to 10 s ahead, and no token that is expired or older than a day', async () => {
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

test('[ID4] ends a session with its token, at the latest after an hour', async () => {
  const provider = await trusted()
  const now = Math.floor(Date.now() / 1000)
  const short = (await open(await provider.token({ exp: now + 90.7 }))).body
  expect(short.expiresAt).toBe((now + 90) * 1000)
  expect((await open(await provider.token({ exp: now + 90_000 }))).body.expiresAt).toBe((now + 3600) * 1000)
  pass(91_000)
  const after = await send('GET', '/api/status', { bearer: short.session })
  expect(after.body).toMatchObject({ status: 401, code: 'session-expired' })
})
