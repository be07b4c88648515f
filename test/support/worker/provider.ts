import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose'
import { vi } from 'vitest'
import type { Algorithm, IdentityProvider } from '../../../worker/src/core/access/identity.ts'

type Header = { readonly [Name in keyof JWTHeaderParameters]?: JWTHeaderParameters[Name] | undefined }

interface Key {
  readonly alg: string
  readonly kid: string
  readonly sign: CryptoKey
  readonly jwk: JWK
}

/** Identity provider with keys that rotate and any reply in place of its key set. */
export interface Provider {
  readonly entry: IdentityProvider
  /** Number of fetches of its keys. */
  fetches: number
  /** Replies in place of its key set. */
  answer: ((request: Request) => Promise<Response> | Response) | null
  readonly keys: Key[]
  rotate(alg?: Algorithm): Promise<Key>
  /** Signs a token with valid claims, except those that are changed. A claim of undefined is left out. */
  token(changed?: Readonly<Record<string, unknown>>, header?: Header): Promise<string>
}

const providers = new Map<string, Provider>()

/** Replaces `fetch` by a function that returns the keys of the providers, and throws for any other URL. */
export function connect(): void {
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const request = new Request(input, init)
    const provider = providers.get(request.url)
    if (provider === undefined) throw new TypeError(`unexpected fetch of ${request.url}`)
    provider.fetches += 1
    return provider.answer?.(request) ?? Response.json({ keys: provider.keys.map(({ jwk }) => jwk) })
  })
}

let count = 0

export async function newProvider(changed: Partial<IdentityProvider> = {}): Promise<Provider> {
  count += 1
  const issuer = `https://login-${count}.example/`
  const entry: IdentityProvider = {
    issuer,
    audiences: ['chronicle'],
    jwksUrl: `${issuer}keys`,
    algorithms: ['ES256'],
    scopes: ['sync:read', 'sync:write'],
    spaceClaim: 'sub',
    ...changed,
  }
  const provider: Provider = {
    entry,
    fetches: 0,
    answer: null,
    keys: [],
    async rotate(alg = entry.algorithms[0] ?? 'ES256') {
      count += 1
      const kid = String(count)
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
      const key = {
        alg,
        kid,
        sign: privateKey,
        jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
      }
      provider.keys.push(key)
      return key
    },
    async token(changed = {}, header = {}) {
      const { alg, kid, sign } = provider.keys.at(-1) ?? (await provider.rotate())
      return new SignJWT({ ...claims(entry), ...changed })
        .setProtectedHeader({ alg, kid, typ: 'JWT', ...header } as JWTHeaderParameters)
        .sign(sign)
    },
  }
  await provider.rotate()
  providers.set(entry.jwksUrl, provider)
  return provider
}

/** Makes valid claims. */
export function claims({ issuer, audiences: [aud = ''] }: IdentityProvider): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000)
  return { iss: issuer, aud, sub: 'ann', iat: now - 5, exp: now + 600 }
}
