import { expect, test } from 'vitest'
import { documented } from '../../support/documented.ts'
import { keepSecret } from '../../support/secrets.ts'

const TOKEN = `chr_dev_${'a'.repeat(50)}`
const SESSION = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl'
/** Those that the tests run with. */
const { ADMIN_TOKEN = '', MASTER_KEY = '', SESSION_KEY = '' } = process.env

const KINDS = {
  'API token': TOKEN,
  session: SESSION,
  'admin token': ADMIN_TOKEN,
  'master key': MASTER_KEY,
  'session key': SESSION_KEY,
}

/** What the tests say that a reply shows. */
async function shown(operation: string, body: object, headers: Record<string, string> = {}) {
  const [method = '', path = ''] = operation.split(' ')
  const request = new Request(`https://x.test${path}`, { method })
  const message = await documented(request, Response.json(body, { headers })).then(
    () => '',
    (error: Error) => error.message,
  )
  return Array.from(message.matchAll(/^it shows a (.*)$/gm), ([, kind]) => kind)
}

test('[SC8] the tests refuse every response that shows a credential, in its body or a header', async () => {
  for (const [kind, secret] of Object.entries(KINDS)) {
    const value = { deeply: [`in a ${secret}, quoted`] }
    expect(await shown('POST /api/sync', { value })).toEqual([kind])
    expect(await shown('GET /api/nowhere', {}, { 'x-any': secret })).toEqual([kind])
  }
  expect(await shown('POST /api/sync', { value: 'canary-1-value', id: crypto.randomUUID() })).toEqual([])
})

test('[SC8] but for the one that a reply is there to give, and the examples of the description', async () => {
  expect(await shown('POST /api/auth', { session: SESSION, clientId: 'phone' })).toEqual([])
  expect(await shown('POST /api/auth', { session: SESSION, clientId: SESSION })).toEqual(['session'])
  expect(await shown('POST /api/auth', { session: SESSION, clientId: TOKEN })).toEqual(['API token'])
  expect(await shown('DELETE /api/auth', { session: SESSION })).toEqual(['session'])
  expect(await shown('POST /api/tokens', { token: TOKEN })).toEqual([])
  expect(await shown('POST /api/tokens', { token: TOKEN, name: ADMIN_TOKEN })).toEqual(['admin token'])
  expect(await shown('GET /api/tokens', { token: TOKEN })).toEqual(['API token'])
  expect(await shown('GET /api/openapi.json', { example: TOKEN })).toEqual([])
})

test('[SC8] a secret that no pattern tells is told once it is kept', async () => {
  const reply = { value: 'the secret of this test' }
  expect(await shown('POST /api/sync', reply)).toEqual([])
  keepSecret(['secret of this test'])
  expect(await shown('POST /api/sync', reply)).toEqual(['secret of a stack'])
})
