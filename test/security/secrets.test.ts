import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { ROUTES } from '../../worker/src/http/router.ts'
import { secretsIn } from '../support/secrets.ts'
import { overhear, witnessed } from '../support/setup/witness.ts'
import { requestTo } from '../support/worker/routes.ts'
import { enrol, stronghold } from '../support/worker/stronghold.ts'
import { talk, tenant } from './canaries.ts'

const target = stronghold()

test('[SC8] finds every kind of secret in a text, wherever it stands', async () => {
  const { token, session } = await enrol(talk, {})
  const secrets = [token, session, env.ADMIN_TOKEN, env.MASTER_KEY, env.SESSION_KEY, 'canary-1-value']
  for (const secret of secrets) expect(secretsIn(`some ${secret} text`), secret).toHaveLength(1)
  expect(secretsIn(crypto.randomUUID())).toEqual([])
})

test('[SC8] keeps credentials, keys and values out of the log, wherever a client puts them', async () => {
  const { token, session } = await enrol(talk, {})
  const began = witnessed().lines
  // A client may choose any request id, also a value of its own.
  const value = 'canary-1-value'
  for (const secret of [token, session, env.ADMIN_TOKEN, value]) {
    for (const route of ROUTES) {
      const [path, init] = requestTo(route, { bearer: secret })
      const headers = { ...(init.headers as Record<string, string>), cookie: secret, 'user-agent': secret }
      const marked = {
        ...init,
        headers: {
          ...headers,
          ...(secret !== value && { 'x-request-id': secret }),
          origin: `https://${secret}`,
        },
      }
      await target.ask(path, marked)
      await target.ask(`${path}${path.includes('?') ? '&' : '?'}${secret}=${secret}`, marked)
      await target.ask(`/api/${secret}/${secret}`, marked)
      if (init.body !== undefined)
        await target.ask(path, { ...marked, body: `{"${secret}":"${secret}"} ${secret}` })
    }
  }
  const { lines, leaks } = witnessed()
  expect(leaks.slice(0, 5)).toEqual([])
  expect(lines - began).toBeGreaterThan(ROUTES.length * 12)
})

test('[SC8] logs a defect without its content', async () => {
  const { session, space, key } = await tenant(7)
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
    storage.sql.exec('UPDATE segment SET body = substr(body, 1, length(body) - 1)')
  })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  const lines = await overhear(async () => {
    for (const path of ['/api/changes', '/api/conflicts', `/api/entries?key=${encodeURIComponent(key)}`]) {
      const { status, body } = await talk('GET', path, { bearer: session })
      expect(status, path).toBe(500)
      expect(secretsIn(JSON.stringify(body))).toEqual([])
    }
  })
  expect(lines.length).toBeGreaterThanOrEqual(6)
  expect(witnessed().leaks).toEqual([])
})

test('[SC8] returns each credential, readable, in the reply that issues it', async () => {
  const scopes = ['sync:read', 'sync:write', 'space:admin']
  const sent = { bearer: env.ADMIN_TOKEN, body: { subject: 'ann', scopes } }
  const minted = await talk('POST', '/api/tokens', sent)
  const opened = await talk('POST', '/api/auth', { body: { token: minted.body.token } })
  const ticket = await talk('POST', '/api/live/ticket', { bearer: opened.body.session, body: {} })
  const rotated = await talk('POST', `/api/tokens/${minted.body.id}/rotate`, { ...sent, body: {} })
  const issued = [minted.body.token, opened.body.session, ticket.body.ticket, rotated.body.token]
  expect([minted, opened, ticket, rotated].map(({ body }) => secretsIn(JSON.stringify(body)).length)).toEqual(
    [1, 1, 1, 1],
  )
  expect(new Set(issued).size).toBe(4)
  // Each works, but for the token and the session that the rotation has ended.
  expect((await talk('POST', '/api/auth', { body: { token: rotated.body.token } })).status).toBe(200)
  expect((await talk('GET', '/api/status', { bearer: opened.body.session })).body.code).toBe('revoked')
})

test('[SC8] returns a credential in no reply but the one that issues it', async () => {
  const { session, token, tokenId } = await enrol(talk, {})
  const sent = { bearer: session }
  const replies = [
    await talk('GET', '/api/tokens', { bearer: env.ADMIN_TOKEN }),
    await talk('GET', '/api/config', { bearer: env.ADMIN_TOKEN }),
    await talk('GET', '/api/health'),
    await talk('GET', '/api/status', sent),
    await talk('GET', '/api/changes', sent),
    await talk('POST', '/api/auth', { body: { token: `${token}x` } }),
    await talk('GET', `/api/status?${token}`, { bearer: token }),
    await talk('DELETE', `/api/tokens/${tokenId}`, { bearer: env.ADMIN_TOKEN }),
    await talk('GET', '/api/status', sent),
  ]
  for (const { body } of replies) {
    const text = JSON.stringify(body)
    for (const secret of [session, env.ADMIN_TOKEN, env.MASTER_KEY.slice(2), env.SESSION_KEY.slice(2)]) {
      expect(text).not.toContain(secret)
    }
  }
})
