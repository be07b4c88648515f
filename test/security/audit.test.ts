import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Route } from '../../worker/src/http/router.ts'
import { secretsIn } from '../support/secrets.ts'
import { witnessed } from '../support/setup/witness.ts'
import { nameOf, type RouteName, requestTo, routesFor } from '../support/worker/routes.ts'
import { enrol, stronghold } from '../support/worker/stronghold.ts'
import { talk } from './canaries.ts'

const target = stronghold()
const bearer = env.ADMIN_TOKEN

/** Routes of the admin token that change something. */
const ACTS = routesFor('admin').filter(({ method }) => method !== 'GET')

/** Reads all audit records in KV: names, metadata and values. */
async function kept(): Promise<readonly string[]> {
  const records: string[] = []
  for (let cursor: string | null = null; ; ) {
    const page: KVNamespaceListResult<unknown> = await env.CHRONICLE_KV.list({ prefix: 'audit:', cursor })
    for (const key of page.keys) {
      records.push(`${JSON.stringify(key)} ${await env.CHRONICLE_KV.get(key.name)}`)
    }
    if (page.list_complete) return records
    cursor = page.cursor
  }
}

test('[OP1] keeps one record for every route of the operator that may change something, and for no other', async () => {
  for (const route of routesFor('admin')) {
    const [path, init] = requestTo(route, { bearer })
    for (const url of [path, `${path}?x=1`, `${path}/`, `${path}/x`]) {
      const before = await kept()
      const { status } = await target.ask(url, init)
      const left = (await kept()).filter((record) => !before.includes(record))
      const isAct = ACTS.includes(route) && !url.startsWith(`${path}/`)
      expect(left.length, `${route.method} ${url}`).toBe(isAct ? 1 : 0)
      if (isAct)
        expect(left[0]).toContain(`"act":"${nameOf(route).replace(/:(\w+)/g, '{$1}')}","status":${status},`)
    }
  }
  expect(ACTS.length).toBeGreaterThanOrEqual(5)
})

const ISSUER = 'https://login.example/'
const SCOPES = ['sync:read']

/** Bodies with `text` in every text field, and `name` in those that are recorded. */
const BODIES: { readonly [Name in RouteName]?: (text: string, name: string) => readonly object[] } = {
  'POST /api/tokens': (text, name) => [
    { subject: name, scopes: SCOPES, collections: [text], name: text },
    { subject: 'ann', space: name, scopes: SCOPES },
    { subject: 'ann', space: `${ISSUER}#sub=${name}`, scopes: SCOPES },
    { subject: 'ann', scopes: [text] },
  ],
  'POST /api/tokens/:id/rotate': (text) => [{}, { overlapSeconds: text }, { token: text }],
  'DELETE /api/tokens/:id': () => [],
  'POST /api/spaces/reseal': (text) => [{ spaces: [text] }, { [text]: [] }],
  'POST /api/sessions': (text, name) => [
    { space: name },
    { space: `${ISSUER}#sub=${name}` },
    { space: 'ann', scopes: [text] },
    { space: 'ann', [text]: 1 },
  ],
  'DELETE /api/sessions': (_, name) => [
    { subject: `${ISSUER}#sub=${name}`, space: 'ann' },
    { subject: `${ISSUER}#sub=ann`, space: name },
  ],
  'PUT /api/config': (text) => [
    { revision: 0, policies: { [text]: 'lww' } },
    { revision: 0, identityProviders: [provider(text)] },
  ],
}

function provider(text: string): object {
  return { issuer: `${ISSUER}${text}`, audiences: [text], jwksUrl: `${ISSUER}${text}`, scopes: SCOPES }
}

/** No secret, but also no field of a record. */
const VALUE = 'canary-1-value'

/** Requests to a route with `text` in every field. The token exists. */
function requestsWith(route: Route, text: string, tokenId: string): Sent[] {
  const [pattern, init] = requestTo(route, { bearer })
  const path = pattern.replace('/1', `/${tokenId}`)
  const marked = {
    ...init,
    headers: {
      ...(init.headers as Record<string, string>),
      cookie: text,
      origin: `https://${text}`,
      'user-agent': text,
      'cf-connecting-ip': text,
      // A client may choose any request id, also a value of its own.
      ...(text !== VALUE && { 'x-request-id': text }),
    },
  }
  const encoded = encodeURIComponent(text)
  const rubbish = init.body === undefined ? [] : [`{"${text}":1} ${text}`]
  const name = text === VALUE ? 'ann' : text
  const bodies = (BODIES[nameOf(route)]?.(text, name) ?? []).map((body) => JSON.stringify(body))
  return [
    [pattern.replace('/1', `/${encoded}`), marked],
    [`${path}?${encoded}=${encoded}`, marked],
    ...[...rubbish, ...bodies].map((body): Sent => [path, { ...marked, body }]),
    [path, marked],
  ]
}

type Sent = [path: string, init: RequestInit]

test('[OP2] keeps credentials, keys and values out of records and their lines, wherever an operator puts them', async () => {
  const { token, session } = await enrol(talk, {})
  const credentials = [token, session, session.slice(0, 120), bearer, env.MASTER_KEY, env.SESSION_KEY]
  const before = await kept()
  let asked = 0
  for (const route of ACTS) {
    expect(Object.keys(BODIES)).toContain(nameOf(route))
    for (const text of [...credentials, VALUE]) {
      const { tokenId } = await enrol(talk, {})
      const sent = requestsWith(route, text, tokenId)
      for (const [path, init] of sent) {
        const { status } = await target.ask(path, init)
        expect(status, `${route.method} ${path} ${init.body}`).toBeLessThan(500)
      }
      // Minting the token was an act as well.
      asked += sent.length + 1
    }
  }
  const left = (await kept()).filter((record) => !before.includes(record))
  expect(left).toHaveLength(asked)
  for (const record of left) {
    expect(secretsIn(record), record).toEqual([])
    for (const secret of credentials) expect(record).not.toContain(secret)
  }
  expect(witnessed().leaks).toEqual([])
  console.info(`OP2: ${asked} acts, most with a secret somewhere; none in their records`)
})

test('[OP2] lists only the named fields of a record, whatever else KV holds', async () => {
  const { tokenId } = await enrol(talk, { name: 'canary-1-name' })
  const { body } = await talk('GET', '/api/audit', { bearer })
  const fields = ['at', 'act', 'status', 'requestId', 'admin', 'address', 'target']
  const names = ['tokenId', 'replacedBy', 'subject', 'space', 'scopes', 'revision']
  for (const record of body.records) {
    expect(Object.keys(record)).toEqual(fields)
    for (const name of Object.keys(record.target)) expect(names).toContain(name)
  }
  expect(body.records).toContainEqual(
    expect.objectContaining({
      target: {
        tokenId,
        subject: 'ann',
        space: 'ann',
        scopes: ['sync:read', 'sync:write', 'space:read', 'space:admin'],
      },
    }),
  )
})
