import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { handle } from '../../../worker/src/http/edge.ts'
import { send } from '../../support/worker/client.ts'
import { trust } from '../../support/worker/trust.ts'

const entry = {
  issuer: 'https://login.example/',
  audiences: ['chronicle'],
  jwksUrl: 'https://login.example/keys',
  scopes: ['sync:read'],
}

test('[ID12] shows the defaults of the fields that a provider leaves out', async () => {
  const { body } = await trust(entry as never)
  expect(body.identityProviders).toEqual([{ ...entry, algorithms: ['RS256'], spaceClaim: 'sub' }])
  const shown = await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
  expect(shown.body.identityProviders).toEqual(body.identityProviders)
  expect((await send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body: shown.body })).status).toBe(200)
})

test.each<[string, object]>([
  ['[0].issuer', { ...entry, issuer: 'login.example' }],
  ['[0].issuer', { ...entry, issuer: 'https://login.example/#x' }],
  ['[0].issuer', { ...entry, issuer: `https://${'x'.repeat(249)}` }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'http://login.example/keys' }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'http://localhost.attacker.example/keys' }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'http://localhost@attacker.example/keys' }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'https://user:secret@login.example/keys' }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'data:application/json,{"keys":[]}' }],
  ['[0].jwksUrl', { ...entry, jwksUrl: 'https://[login' }],
  ['[0].audiences', { ...entry, audiences: [] }],
  ['[0].audiences', { ...entry, audiences: 'chronicle' }],
  ['[0].audiences[0]', { ...entry, audiences: [''] }],
  ['[0].audiences', { ...entry, audiences: Array.from({ length: 17 }, String) }],
  ['[0].algorithms', { ...entry, algorithms: [] }],
  ['[0].algorithms[0]', { ...entry, algorithms: ['HS256'] }],
  ['[0].algorithms[1]', { ...entry, algorithms: ['RS256', 'none'] }],
  ['[0].scopes', { ...entry, scopes: [] }],
  ['[0].scopes', { ...entry, scopes: undefined }],
  ['[0].scopes[0]', { ...entry, scopes: ['admin'] }],
  ['[0].spaceClaim', { ...entry, spaceClaim: 'email' }],
  ['[0].spaceClaim', { ...entry, spaceClaim: 'a=b' }],
  ['[0].spaceClaim', { ...entry, spaceClaim: '' }],
  ['[0].scopesClaim', { ...entry, scopesClaim: 'a b' }],
  [
    '[0].collections',
    { ...entry, collections: Array.from({ length: 64 }, (_, n) => `${n}${'x'.repeat(126)}`) },
  ],
  ['secret', { ...entry, secret: 'x' }],
])('[ID12] refuses an invalid provider and names the path: %s %j', async (place, wrong) => {
  const reply = await trust(wrong as never)
  expect(reply.body).toMatchObject({ status: 422, code: 'invalid-request' })
  expect(reply.body.detail).toContain(place.startsWith('[') ? `identityProviders${place}` : place)
})

test('[ID12] refuses an issuer that comes twice, and more than 16', async () => {
  expect((await trust(entry as never, entry as never)).body.detail).toContain('the same issuer')
  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ ...entry, issuer: `https://${n}.example` }) as never)
  expect((await trust(...many(17))).status).toBe(422)
  expect((await trust(...many(16))).status).toBe(200)
})

test('[ID12] accepts http for the local machine only, and only in development', async () => {
  const local = { ...entry, issuer: 'http://localhost:4000', jwksUrl: 'http://127.0.0.1:4000/keys' }
  expect((await trust(local as never)).status).toBe(200)
  const body = JSON.stringify({ revision: 0, identityProviders: [local] })
  const key = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
  const admin = `adm_prod_${key().replaceAll(/[+/=]/g, '_')}`
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${admin}` }
  const request = new Request('https://sync.example/api/config', { method: 'PUT', headers, body })
  const secrets = { ADMIN_TOKEN: admin, MASTER_KEY: `1:${key()}`, SESSION_KEY: `1:${key()}` }
  const reply = await handle(request, { ...env, ...secrets, ENVIRONMENT: 'production' })
  expect(await reply.json()).toMatchObject({
    status: 422,
    detail: expect.stringContaining('[0].issuer: expected an https'),
  })
})
