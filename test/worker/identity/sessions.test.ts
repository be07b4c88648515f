import { env } from 'cloudflare:workers'
import { UnsecuredJWT } from 'jose'
import { expect, test } from 'vitest'
import { handle } from '../../../worker/src/http/edge.ts'
import { device, mint, send } from '../../support/worker/client.ts'
import { follow } from '../../support/worker/follower.ts'
import { claims, newProvider } from '../../support/worker/provider.ts'
import { MINUTE, open, outcome, pass, trust, trusted } from '../../support/worker/trust.ts'

test('[ID10] opens no more sessions for a provider removed from the configuration', async () => {
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

test('[ID10] applies the configuration of a provider within half a minute in an isolate', async () => {
  const provider = await trusted()
  const token = await provider.token()
  expect(await outcome(token)).toBe('session')
  await env.CHRONICLE_KV.delete('config')
  pass(29_999)
  expect(await outcome(token)).toBe('session')
  pass(1)
  expect(await outcome(token)).toBe('401 unauthorized')
})

test("[ID11] ends a subject's sessions at once for the operator, and opens new ones for the provider's next token", async () => {
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

test('[ID11] ends the sessions of one subject in a shared space, for the operator only', async () => {
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

test('[ID11] asks for the space where the subject has no space of its own, and ends nothing', async () => {
  const provider = await trusted({ spaceClaim: 'org' })
  const ann = await open(await provider.token({ sub: 'ann', org: 'acme' }))
  const subject = `${provider.entry.issuer}#sub=ann`
  const end = (body: object) => send('DELETE', '/api/sessions', { bearer: env.ADMIN_TOKEN, body })
  const refused = await end({ subject })
  expect(refused.body).toMatchObject({ status: 422, code: 'invalid-request' })
  expect(refused.body.detail).toMatch(/^space: required, because .* claim org.* Name the space/)
  expect((await send('GET', '/api/status', { bearer: ann.body.session })).status).toBe(200)
  const unknown = await end({ subject: 'https://nobody.example/#sub=ann' })
  expect(unknown.body).toMatchObject({
    status: 422,
    detail: expect.stringMatching(/^space: required, because the configuration has no provider/),
  })
  expect((await end({ subject, space: ann.body.space })).status).toBe(200)
  expect((await send('GET', '/api/status', { bearer: ann.body.session })).body.code).toBe('revoked')
})

test('[ID11] closes the sockets of ended sessions, however long the name of the subject is', async () => {
  const provider = await trusted({ issuer: `https://${'i'.repeat(239)}.example/` })
  const sub = '"'.repeat(255)
  const ann = await open(await provider.token({ sub }))
  const socket = await follow(ann.body)
  const subject = `${provider.entry.issuer}#sub=${sub}`
  await send('DELETE', '/api/sessions', { bearer: env.ADMIN_TOKEN, body: { subject } })
  expect(await socket.closed()).toMatchObject({ code: 4403 })
})

test('[ID11] refuses a subject that is named by a claim other than sub, because no session could have it', async () => {
  const body = { subject: 'https://login.example/#email=ann@example.com', space: 'any' }
  const { status, body: told } = await send('DELETE', '/api/sessions', { bearer: env.ADMIN_TOKEN, body })
  expect([status, told.detail]).toEqual([422, expect.stringContaining('#sub=')])
})

test('[ID11] ends one session on DELETE /api/auth, and opens another with the same token', async () => {
  const provider = await trusted()
  const token = await provider.token()
  const [first, second] = [await open(token), await open(token)]
  await send('DELETE', '/api/auth', { bearer: first.body.session })
  expect((await send('GET', '/api/status', { bearer: first.body.session })).body.code).toBe('session-ended')
  expect((await send('GET', '/api/status', { bearer: second.body.session })).status).toBe(200)
})

test('[ID13] wakes no object for a forged token, and reads nothing for one that no provider could have made', async () => {
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
