import { env } from 'cloudflare:workers'
import { decodeProtectedHeader } from 'jose'
import { expect, test, vi } from 'vitest'
import { KEYS_BURST, KEYS_DEADLINE_MS } from '../../../worker/src/core/values/access-limits.ts'

import { handle } from '../../../worker/src/http/edge.ts'
import { documented } from '../../support/documented.ts'
import { hush, overhear } from '../../support/setup/witness.ts'
import type { Reply } from '../../support/worker/client.ts'
import { claims, newProvider, type Provider } from '../../support/worker/provider.ts'
import { MINUTE, open, outcome, pass, trusted } from '../../support/worker/trust.ts'

// Providers fail in these tests, and failed fetches of keys are logged.
hush()

test('[ID8] fetches a new key when a token names it, at most every 30 s, for any number of requests', async () => {
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

test('[ID8] fetches a new key even after a made-up one, but not after many', async () => {
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
  // Whether the provider has this key is unknown.
  expect(await outcome(late)).toBe('503 provider-unavailable')
  expect(await outcome(known)).toBe('session')
  pass(30_000)
  expect(await outcome(late)).toBe('session')
})

test('[ID9] reports a key that the provider lacks and a wrong signature differently', async () => {
  const provider = await trusted()
  const token = await provider.token()
  expect(await outcome(token)).toBe('session')
  const { token: forge } = await newProvider()
  const unknown = await open(await forge({ iss: provider.entry.issuer }, { kid: 'made-up' }))
  expect([unknown.status, unknown.body.detail]).toEqual([401, expect.stringContaining('no key with its kid')])
  const { kid } = decodeProtectedHeader(token)
  const forged = await open(await forge({ iss: provider.entry.issuer }, { kid }))
  expect([forged.status, forged.body.detail]).toEqual([401, expect.stringContaining('its signature')])
})

test('[ID8] stops accepting a withdrawn key after ten minutes', async () => {
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

/** Lets timers run by the fake clock too: a deadline then passes without waiting for it. */
function fakeDeadlines(): void {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: Date.now() })
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const aborter = new AbortController()
    setTimeout(() => aborter.abort(new DOMException('The operation timed out.', 'TimeoutError')), ms)
    return aborter.signal
  })
}

/** Opens a session in the test's own context, and moves the clock to the deadline once the provider was asked. */
async function openInTime(provider: Provider, token: string): Promise<Reply> {
  const fetched = provider.fetches
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ token, clientId: 'phone' })
  const request = new Request('https://sync.example/api/auth', { method: 'POST', headers, body })
  let isDone = false
  const opening = handle(request, env).finally(() => {
    isDone = true
  })
  for (let passed = 0; !isDone && passed < KEYS_DEADLINE_MS; await scheduler.wait(1)) {
    if (provider.fetches === fetched) continue
    await vi.advanceTimersByTimeAsync(100)
    passed += 100
  }
  const response = await documented(request, await opening)
  return { status: response.status, headers: response.headers, body: await response.json() }
}

test.each(broken)(
  '[ID9] returns 503 in time without keys of a provider that is %s, and keeps using known keys',
  async (_, fail) => {
    const provider = await trusted()
    fakeDeadlines()
    const result = async (token: string) => {
      const { status, body } = await openInTime(provider, token)
      return status === 200 ? 'session' : `${status} ${body.code}`
    }
    provider.answer = fail
    const token = await provider.token()
    const { status, body, headers } = await openInTime(provider, token)
    expect(`${status} ${body.code}`).toBe('503 provider-unavailable')
    expect(headers.get('retry-after')).toBe('30')
    pass(3000)
    expect(await result(token)).toBe('503 provider-unavailable')
    expect(provider.fetches).toBe(1)
    provider.answer = null
    pass(30_000)
    expect(await result(token)).toBe('session')
    provider.answer = fail
    const later = async () => {
      const { iat, exp } = claims(provider.entry)
      return provider.token({ iat, exp })
    }
    pass(11 * MINUTE)
    expect(await result(await later())).toBe('session')
    const fetched = provider.fetches
    pass(3000)
    expect(await result(await later())).toBe('session')
    expect(provider.fetches).toBe(fetched)
    pass(49 * MINUTE)
    expect(await result(await later())).toBe('503 provider-unavailable')
  },
)

test('[ID9] does not refuse a possibly new key for good while the provider does not respond', async () => {
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

test('[ID9] reports unusable keys as an unavailable provider, not as a defect', async () => {
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

test('[ID9] logs an unusable key set under the code of the error, because the bundle renames its class', async () => {
  const provider = await trusted()
  const token = await provider.token()
  provider.answer = () => Response.json({})
  const lines = await overhear(() => outcome(token))
  expect(lines.join()).toContain('"error":"ERR_JWKS_INVALID: JSON Web Key Set malformed"')
})
