import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Session } from '../../../worker/src/core/access/session.ts'
import { MAX_ATTACHMENT_LENGTH } from '../../../worker/src/core/values/socket-limits.ts'
import { handle } from '../../../worker/src/http/edge.ts'
import { olderSpaces, withStubs } from '../../support/unkind/spaces.ts'
import { call, newSpace, send } from '../../support/worker/client.ts'
import { askLive, askPlainly } from '../../support/worker/follower.ts'
import { sessionLike } from '../../support/worker/session.ts'

/** Decodes the claims of a session as the object receives them. */
function claimsIn(session: string): Session {
  const claims = JSON.parse(atob((session.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')))
  const { jti: id, tid: token, sub: subject, iat, exp: expiresAt, ...rest } = claims
  return { id, token, subject, issuedAt: iat * 1000, expiresAt, ...rest }
}

test('[LV1] opens with the session among the subprotocols, and selects only its own protocol', async () => {
  const { a } = await newSpace()
  const opened = await askLive(a.session)
  expect(opened.status).toBe(101)
  expect(opened.headers.get('sec-websocket-protocol')).toBe('chronicle.v1')
  expect(opened.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  const headers = { upgrade: 'websocket', authorization: `Bearer ${a.session}` }
  const plain = await call('/api/live', { headers })
  expect(plain.status).toBe(101)
  expect(plain.headers.get('sec-websocket-protocol')).toBeNull()
})

test('[ED11] opens sockets between a Worker and an object one release apart, or says when to retry', async () => {
  const { space, a } = await newSpace()
  const session = { ...claimsIn(a.session), expiresAt: Math.floor(Date.now() / 1000) + 60 }
  const opening = encodeURIComponent(JSON.stringify({ session: { ...session, space }, query: {} }))
  const old = await env.CHRONICLE.getByName(space).fetch('https://space/', {
    headers: { upgrade: 'websocket', opening },
  })
  expect(old.status).toBe(101)
  const CHRONICLE = withStubs(env.CHRONICLE, (method, call) =>
    // The last release parses a header that is absent here, so JSON.parse throws.
    method === 'fetch' ? async () => JSON.parse('') : call,
  )
  const headers = { upgrade: 'websocket', authorization: `Bearer ${a.session}` }
  const refused = await handle(new Request('https://sync.example/api/live', { headers }), {
    ...env,
    CHRONICLE,
  })
  expect(await refused.json()).toMatchObject({ status: 503, code: 'busy' })
  const lacking = { ...env, CHRONICLE: olderSpaces(env.CHRONICLE, ['ticket']) }
  const asked = new Request('https://sync.example/api/live/ticket', { method: 'POST', headers })
  expect(await (await handle(asked, lacking)).json()).toMatchObject({ status: 503, code: 'busy' })
})

test('[LV1] refuses a request without an upgrade, without a session or for another protocol', async () => {
  const session = await sessionLike({})
  const bearer = { authorization: `Bearer ${session}` }
  const protocol = (text: string) => ({ upgrade: 'websocket', 'sec-websocket-protocol': text })
  const refused: [string, RequestInit, string][] = [
    ['', { headers: bearer }, '426 upgrade-required'],
    ['', { headers: { ...bearer, upgrade: 'h2c' } }, '426 upgrade-required'],
    ['', { headers: { upgrade: 'websocket' } }, '401 unauthorized'],
    ['', { headers: protocol('chronicle.v1') }, '401 unauthorized'],
    ['', { headers: protocol('chronicle.v1, bearer.rubbish') }, '401 unauthorized'],
    ['', { headers: protocol('chronicle.v1, bearer.') }, '401 unauthorized'],
    ['', { headers: protocol(`bearer.${session}`) }, '422 invalid-request'],
    ['', { headers: protocol(`chronicle.v2, bearer.${session}`) }, '422 invalid-request'],
    [`?session=${session}`, { headers: { ...bearer, upgrade: 'websocket' } }, '422 invalid-request'],
    ['?cursor=a&cursor=b', { headers: { ...bearer, upgrade: 'websocket' } }, '422 invalid-request'],
  ]
  for (const [query, init, expected] of refused) {
    const response = await call(`/api/live${query}`, init)
    const { status, code } = (await response.json()) as { status: number; code: string }
    expect(`${status} ${code}`, JSON.stringify(init)).toBe(expected)
    if (status === 426) expect(response.headers.get('upgrade')).toBe('websocket')
  }
  // The runtime turns a HEAD with an upgrade into a GET; other servers of the Worker may not.
  const head = new Request('https://sync.example/api/live', {
    method: 'HEAD',
    headers: { ...bearer, upgrade: 'websocket' },
  })
  expect((await handle(head, env)).status).toBe(426)
  expect((await call('/api/live', { method: 'OPTIONS' })).headers.get('allow')).toBe('GET, HEAD, OPTIONS')
})

test('[LV2] refuses pages of other origins, and collections that the token does not grant', async () => {
  const { a } = await newSpace()
  expect((await askLive(a.session, '', { origin: 'http://localhost:3000' })).status).toBe(101)
  for (const origin of ['https://evil.example', 'null', 'http://localhost:30000']) {
    const response = await askLive(a.session, '', { origin })
    expect(response.status, origin).toBe(403)
    expect(response.webSocket).toBeNull()
  }
  const writer = await sessionLike({ scopes: ['sync:write'] })
  expect(await (await askLive(writer)).json()).toMatchObject({ status: 403, code: 'forbidden-scope' })
  const some = await sessionLike({ collections: ['k'] })
  expect(await (await askLive(some, '?collections=k,z')).json()).toMatchObject({
    code: 'forbidden-collection',
  })
  await send('DELETE', '/api/auth', { bearer: a.session })
  expect(await (await askPlainly(a.session)).json()).toMatchObject({ status: 401, code: 'session-ended' })
})

test('[LV14] counts the session beside the filter: a filter that fits alone may still be too long', async () => {
  const session = await sessionLike({})
  // As the object measures it: a list of 64 names, each in quotes and with a comma, in brackets.
  const length = Math.floor((MAX_ATTACHMENT_LENGTH - 2) / 64) - 3
  const names = Array.from({ length: 64 }, (_, n) => `${n}`.padStart(length, 'c'))
  expect(JSON.stringify(names).length).toBeLessThanOrEqual(MAX_ATTACHMENT_LENGTH)
  const refused = await askLive(session, `?collections=${names.join()}`)
  expect(await refused.json()).toMatchObject({ status: 422, code: 'invalid-request' })
})

test('[LV14] refuses a filter that does not fit beside the session', async () => {
  const names = (length: number) =>
    Array.from({ length: 64 }, (_, n) => `${n}`.padStart(length, 'c')).join(',')
  const session = await sessionLike({})
  expect((await askLive(session, `?collections=${names(100)}`)).status).toBe(101)
  const refused = await askLive(session, `?collections=${names(128)}`)
  expect(await refused.json()).toMatchObject({
    status: 422,
    detail: 'collections: too many and too long for a socket.',
  })
})
