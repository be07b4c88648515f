import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import Provider from 'oidc-provider'

const AUDIENCE = 'https://sync.example/api'
const SECRET = 'known to this test only'

/** Third-party OpenID provider on this machine. */
export interface TestIdentityProvider {
  /** Entry of the provider in the configuration, without scopes. */
  readonly entry: { readonly issuer: string; readonly audiences: readonly string[]; readonly jwksUrl: string }
  /** Requests an access token (RFC 9068) by client credentials. The client is the subject. */
  token(client: 'ann' | 'bob', algorithm: string): Promise<string>
  /** Replaces the provider by one with other keys at the same URL. */
  rotate(): Promise<void>
  stop(): Promise<void>
}

export async function identityProvider(algorithms: readonly string[]): Promise<TestIdentityProvider> {
  const server = createServer((request, response) => listener(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let listener = await newProvider(issuer, algorithms)
  return {
    entry: { issuer, audiences: [AUDIENCE], jwksUrl: `${issuer}/jwks` },
    async token(client, algorithm) {
      const resource = `${AUDIENCE}?${algorithm}`
      const form = { grant_type: 'client_credentials', client_id: client, client_secret: SECRET, resource }
      const response = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) })
      const text = await response.text()
      if (!response.ok) throw new Error(`the provider answered ${response.status}: ${text}`)
      return JSON.parse(text).access_token
    },
    async rotate() {
      listener = await newProvider(issuer, algorithms)
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function newProvider(
  issuer: string,
  algorithms: readonly string[],
): Promise<ReturnType<Provider['callback']>> {
  const clients = ['ann', 'bob'].map((client_id) => ({
    client_id,
    client_secret: SECRET,
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }))
  return new Provider(issuer, {
    clients,
    jwks: { keys: await Promise.all(algorithms.map(newKey)) },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_: unknown, resource: string) => ({
          scope: 'sync:read sync:write',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: resource.slice(resource.indexOf('?') + 1) } },
        }),
      },
    },
  }).callback()
}

async function newKey(alg: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: crypto.randomUUID() }
}
