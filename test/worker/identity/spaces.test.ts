import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { device, mint, send } from '../../support/worker/client.ts'
import { newProvider } from '../../support/worker/provider.ts'
import { open, outcome, pass, trust, trusted } from '../../support/worker/trust.ts'

test('[ID5] separates the subjects of two issuers, and both from tokens of the operator', async () => {
  const [one, two] = [await newProvider(), await newProvider()]
  await trust(one, two)
  const ann = await open(await one.token({ sub: 'ann' }))
  const change = { changes: [{ key: 'k', value: 'canary', timestamp: 1 }] }
  await send('POST', '/api/sync', { bearer: ann.body.session, body: change })
  const others = [
    await open(await two.token({ sub: 'ann' })),
    await open(await one.token({ sub: 'Ann' })),
    await open(await one.token({ sub: `${one.entry.issuer}#sub=ann` })),
    await send('POST', '/api/auth', { body: { token: (await mint({ subject: 'ann' })).token } }),
    await send('POST', '/api/auth', { body: { token: (await mint({ subject: '#sub=ann' })).token } }),
  ]
  expect(new Set(others.map(({ body }) => body.space)).size).toBe(5)
  for (const { body } of others) {
    expect((await send('GET', '/api/changes', { bearer: body.session })).body.changes, body.space).toEqual([])
  }
})

test('[ID5] lets the operator share the space of a subject', async () => {
  const provider = await trusted()
  const ann = await open(await provider.token({ sub: 'auth0|ann #=/ "' }))
  const change = { changes: [{ key: 'k', value: 1, timestamp: 1 }] }
  await send('POST', '/api/sync', { bearer: ann.body.session, body: change })
  const { space } = ann.body
  expect(space).toBe(`${provider.entry.issuer}#sub=auth0|ann #=/ "`)
  const support = await device(await mint({ subject: 'support', space }))
  expect((await support.get('/api/changes')).body.changes).toMatchObject([{ key: 'k', value: 1 }])
  const wrong = { subject: space, scopes: ['sync:read'] }
  expect((await send('POST', '/api/tokens', { bearer: env.ADMIN_TOKEN, body: wrong })).status).toBe(422)
  const bad = { subject: 'x', space: 'a/b', scopes: ['sync:read'] }
  expect((await send('POST', '/api/tokens', { bearer: env.ADMIN_TOKEN, body: bad })).status).toBe(422)
})

test('[ID5] lets a subject erase its space', async () => {
  const provider = await trusted({ scopes: ['sync:read', 'space:admin'] })
  const token = await provider.token({ iat: Math.floor(Date.now() / 1000) - 1 })
  const { body } = await open(token)
  const erased = await send('DELETE', '/api/space', { bearer: body.session, body: { confirm: body.space } })
  expect(erased.body).toEqual({ success: true })
  expect((await send('GET', '/api/status', { bearer: body.session })).body.code).toBe('space-erased')
  expect((await open(token)).body.code).toBe('space-erased')
  pass(2000)
  expect(await outcome(await provider.token({ iat: Math.floor(Date.now() / 1000) }))).toBe('session')
})

test('[ID6] opens the space that a claim names to several subjects, and refuses a token without the claim', async () => {
  const provider = await trusted({ spaceClaim: 'org_id' })
  const ann = await open(await provider.token({ sub: 'ann', org_id: 'acme' }), 'a')
  const bob = await open(await provider.token({ sub: 'bob', org_id: 'acme' }), 'b')
  const eve = await open(await provider.token({ sub: 'eve', org_id: 'acme ' }), 'e')
  expect(ann.body.space).toBe(`${provider.entry.issuer}#org_id=acme`)
  expect(bob.body.space).toBe(ann.body.space)
  expect(eve.body.space).not.toBe(ann.body.space)
  const numbered = { batch: 1, changes: [{ key: 'k', value: 1, timestamp: 1 }] }
  await send('POST', '/api/sync', { bearer: ann.body.session, body: numbered })
  const read = await send('GET', '/api/changes', { bearer: bob.body.session })
  expect(read.body.changes).toMatchObject([{ key: 'k' }])
  // Another subject of the space cannot use ann's client.
  const taken = await open(await provider.token({ sub: 'bob', org_id: 'acme' }), 'a')
  const impostor = await send('POST', '/api/sync', {
    bearer: taken.body.session,
    body: { ...numbered, batch: 2 },
  })
  expect(impostor.body).toMatchObject({ status: 403, code: 'foreign-client' })
  for (const org_id of [undefined, null, ['acme'], { acme: 1 }, 7, true, '']) {
    expect(await outcome(await provider.token({ org_id })), String(org_id)).toBe('401 unauthorized')
  }
  const inherited = await trusted({ spaceClaim: 'constructor' })
  expect(await outcome(await inherited.token())).toBe('401 unauthorized')
})

test('[ID7] narrows the configured scopes by the claim, and never widens them', async () => {
  const provider = await trusted({ scopesClaim: 'scope' })
  const cases: [unknown, unknown][] = [
    ['sync:read', ['sync:read']],
    ['openid sync:write  sync:read profile', ['sync:read', 'sync:write']],
    [['sync:write', 7, null], ['sync:write']],
    ['sync:read space:admin', ['sync:read']],
  ]
  for (const [scope, scopes] of cases) {
    expect((await open(await provider.token({ scope }))).body.scopes, String(scope)).toEqual(scopes)
  }
  for (const scope of [
    undefined,
    '',
    'openid',
    'sync:readx',
    'SYNC:READ',
    ['space:admin'],
    7,
    { 'sync:read': 1 },
  ]) {
    expect(await outcome(await provider.token({ scope })), String(scope)).toBe('403 forbidden-scope')
  }
})
