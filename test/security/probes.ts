import { env } from 'cloudflare:workers'
import { enrol, stronghold } from '../support/worker/stronghold.ts'
import { talk } from './canaries.ts'

const target = stronghold()
const T = Date.now() - 60_000

/** Reply to an input of some size: `taken`, or the code of the refusal. */
export type Probe = (size: number, session: string) => Promise<string>

async function said(
  method: string,
  path: string,
  options: { readonly body?: object; readonly bearer?: string } = {},
): Promise<string> {
  const { status, body } = await talk(method, path, options)
  if (status >= 400) return body.code
  const rejected = body.results?.find((result: { status: string }) => result.status === 'rejected')
  return rejected?.code ?? 'taken'
}

export function push(body: object): Probe {
  return (_, bearer) => said('POST', '/api/sync', { body, bearer })
}

export function pushes(changeOf: (size: number) => object): Probe {
  return (size, session) =>
    push({ changes: [{ key: 'k', value: 1, timestamp: T, ...changeOf(size) }] })(size, session)
}

export function gets(pathOf: (size: number) => string): Probe {
  return (size, bearer) => said('GET', pathOf(size), { bearer })
}

export function mints(wantedOf: (size: number) => object): Probe {
  return (size) => {
    const body = { subject: 's', scopes: ['sync:read'], ...wantedOf(size) }
    return said('POST', '/api/tokens', { body, bearer: env.ADMIN_TOKEN })
  }
}

export function rotates(): Probe {
  return async (overlapSeconds) => {
    const { tokenId } = await enrol(talk, { space: crypto.randomUUID() })
    return said('POST', `/api/tokens/${tokenId}/rotate`, {
      body: { overlapSeconds },
      bearer: env.ADMIN_TOKEN,
    })
  }
}

export function configures(configOf: (size: number) => object): Probe {
  return async (size) => {
    const { body } = await talk('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
    return said('PUT', '/api/config', {
      body: { revision: body.revision, ...configOf(size) },
      bearer: env.ADMIN_TOKEN,
    })
  }
}

export function providers(listOf: (size: number) => readonly object[]): Probe {
  const usual = { issuer: 'https://i.example', audiences: ['a'], jwksUrl: 'https://i.example/keys' }
  return configures((size) => ({
    identityProviders: listOf(size).map((provider) => ({ ...usual, scopes: ['sync:read'], ...provider })),
  }))
}

export function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`)
}

export function nested(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth))
}

/** Sends a body of `size` bytes, declared or not. */
export function bodies(isDeclared: boolean): Probe {
  return async (size, session) => {
    const text = '{"changes":[]}'
    const bytes = new TextEncoder().encode(text + ' '.repeat(size - text.length))
    const body = isDeclared ? bytes : new Blob([bytes]).stream()
    const headers = { authorization: `Bearer ${session}`, 'content-type': 'application/json' }
    const response = await target.ask('/api/sync', { method: 'POST', headers, body })
    return response.ok ? 'taken' : ((await response.json()) as { code: string }).code
  }
}

/** Sends a credential of `size` characters, which is read and found invalid, or not read at all. */
export const credential: Probe = (size) =>
  said('POST', '/api/auth', { body: { token: 'x'.repeat(size) } }).then((code) =>
    code === 'unauthorized' ? 'taken' : code,
  )

export const session: Probe = async (size) => {
  const { body } = await talk('GET', '/api/status', { bearer: 'x'.repeat(size) })
  return body.detail.startsWith('The session is not valid') ? 'taken' : body.code
}
