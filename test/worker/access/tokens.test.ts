import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { device, mint, send } from '../../support/worker/client.ts'

test('[TK1] shows a token once, and neither stores nor lists it', async () => {
  const { token, id } = await mint({ name: 'laptop' })
  expect(token).toMatch(/^chr_dev_[A-Za-z0-9_-]{43}[a-z0-9]{7}$/)
  const { body } = await send('GET', '/api/tokens', { bearer: env.ADMIN_TOKEN })
  expect(body.tokens).toContainEqual(expect.objectContaining({ id, name: 'laptop' }))
  expect(JSON.stringify(body)).not.toContain(token)
  const names = await env.CHRONICLE_KV.list()
  const stored = await Promise.all(names.keys.map(({ name }) => env.CHRONICLE_KV.get(name)))
  expect(JSON.stringify([names, stored])).not.toContain(token)
})

test('[TK2] ends a revoked token and every session that it opened at once', async () => {
  const { token, id } = await mint()
  const a = await device({ token })
  const gone = await send('DELETE', `/api/tokens/${id}`, { bearer: env.ADMIN_TOKEN })
  expect(gone.body).toEqual({ success: true, id })
  expect((await a.get('/api/status')).body).toMatchObject({ status: 401, code: 'revoked' })
  expect((await send('POST', '/api/auth', { body: { token } })).status).toBe(401)
  const again = await send('DELETE', `/api/tokens/${id}`, { bearer: env.ADMIN_TOKEN })
  expect(again.body).toMatchObject({ status: 404, code: 'not-found' })
})

test('[TK2] refuses a revoked token even where KV still holds it', async () => {
  const { token, id } = await mint()
  const record = await env.CHRONICLE_KV.get(`token:${id}`)
  await send('DELETE', `/api/tokens/${id}`, { bearer: env.ADMIN_TOKEN })
  await env.CHRONICLE_KV.put(`token:${id}`, record ?? '')
  expect((await send('POST', '/api/auth', { body: { token } })).body).toMatchObject({
    status: 401,
    code: 'revoked',
  })
})

test('[TK10] names the object of its space in every reply about a token', async () => {
  const space = crypto.randomUUID()
  const spaceId = env.CHRONICLE.idFromName(space).toString()
  const minted = await mint({ space })
  expect(minted).toMatchObject({ spaceId })
  const rotate = `/api/tokens/${minted.id}/rotate`
  const rotated = await send('POST', rotate, { bearer: env.ADMIN_TOKEN, body: {} })
  expect(rotated.body).toMatchObject({ spaceId, replaces: minted.id })
  const { body } = await send('GET', '/api/tokens', { bearer: env.ADMIN_TOKEN })
  expect(body.tokens).toContainEqual(expect.objectContaining({ id: rotated.body.id, spaceId }))
  const listed = { bearer: env.ADMIN_TOKEN, body: { spaces: [spaceId] } }
  expect((await send('POST', '/api/spaces/reseal', listed)).body.spaces).toMatchObject([{ entries: 0 }])
})

test("[TK3] lets only the stack's admin token manage tokens", async () => {
  const { token } = await mint()
  const a = await device({ token })
  const requests: [string, string, unknown?][] = [
    ['POST', '/api/tokens', { subject: 'x', scopes: ['sync:read'] }],
    ['GET', '/api/tokens'],
    ['DELETE', '/api/tokens/x'],
  ]
  for (const [method, path, body] of requests) {
    for (const bearer of [undefined, token, a.session, `${env.ADMIN_TOKEN}x`, env.ADMIN_TOKEN.slice(0, -1)]) {
      const reply = await send(method, path, {
        ...(body !== undefined && { body }),
        ...(bearer && { bearer }),
      })
      expect(`${reply.status} ${reply.body.code}`).toBe('401 unauthorized')
    }
  }
})

test('[TK4] refuses to mint an invalid token and names the path', async () => {
  const wrong: [object, string][] = [
    [{ scopes: ['sync:read'] }, 'subject'],
    [{ subject: 'x' }, 'scopes'],
    [{ subject: 'x', scopes: [] }, 'scopes'],
    [{ subject: 'x', scopes: ['sync:everything'] }, 'scopes[0]'],
    [{ subject: 'a/b', scopes: ['sync:read'] }, 'subject'],
    [{ subject: '', scopes: ['sync:read'] }, 'subject'],
    [{ subject: 'x', scopes: ['sync:read'], expiresAt: 1 }, 'expiresAt'],
    [{ subject: 'x', scopes: ['sync:read'], collections: ['a/b'] }, 'collections[0]'],
    [{ subject: 'x', scopes: ['sync:read'], admin: true }, 'admin'],
  ]
  for (const [body, place] of wrong) {
    const reply = await send('POST', '/api/tokens', { body, bearer: env.ADMIN_TOKEN })
    expect(reply.body, place).toMatchObject({ status: 422, code: 'invalid-request' })
    expect(reply.body.detail).toContain(place)
  }
})

test('[TK4] mints only tokens whose sessions are short enough to be used', async () => {
  const refused: string[] = []
  for (const letter of ['x', '"', '\u{ffee}']) {
    for (let count = 8; count <= 64; count++) {
      const collections = Array.from({ length: count }, (_, index) => `${index}${letter.repeat(126)}`)
      const body = { subject: crypto.randomUUID(), scopes: ['sync:read'], collections }
      const minted = await send('POST', '/api/tokens', { body, bearer: env.ADMIN_TOKEN })
      if (minted.status === 201) {
        const a = await device({ token: minted.body.token, clientId: 'x'.repeat(64) })
        expect((await a.get('/api/status')).status, `${count} of ${letter}`).toBe(200)
      } else {
        expect(minted.body).toMatchObject({ status: 422, code: 'invalid-request' })
        expect(minted.body.detail).toContain('collections: ')
        refused.push(letter)
      }
    }
  }
  expect(new Set(refused).size).toBe(3)
  expect(refused.length).toBeLessThan(150)
})

test('[TK4] mints a token that never expires, or nearly never', async () => {
  for (const expiresAt of [(2 ** 31 - 1) * 1000, 2 ** 31 * 1000, Number.MAX_SAFE_INTEGER]) {
    const { token } = await mint({ expiresAt })
    await device({ token })
  }
})

test('[TK2] returns 404 for an invalid id, however long', async () => {
  for (const id of ['x', 'x'.repeat(507), 'x'.repeat(5_000), '%00', '..%2f']) {
    const { body } = await send('DELETE', `/api/tokens/${id}`, { bearer: env.ADMIN_TOKEN })
    expect(body, id).toMatchObject({ status: 404, code: 'not-found' })
  }
})
