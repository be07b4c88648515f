import { expect, test } from 'vitest'
import { loadAccount } from '../../../infra/local/cloud/account.ts'
import { newStandIn, type StandIn, writesOf } from '../../standin/stand-in.ts'

interface Reply {
  readonly success: boolean
  readonly errors: readonly { readonly code: number }[]
  readonly result: { readonly id: string }
}

async function ask(standIn: StandIn, method: string, path: string, body?: object, bearer = standIn.token) {
  const response = await fetch(`${standIn.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  const { success, errors, result } = (await response.json()) as Reply
  return { status: response.status, code: errors[0]?.code, success, result, headers: response.headers }
}

test.each([
  ['no token', '', 400, 9106],
  ['a token of the wrong form', 'short', 400, 6003],
  ['an unknown token', 'x'.repeat(40), 403, 9109],
])('refuses %s as the API does', async (_what, bearer, status, code) => {
  const standIn = await newStandIn()
  const path = `/accounts/${standIn.accountId}/workers/scripts`
  const refused = await ask(standIn, 'GET', path, undefined, bearer)
  expect(refused).toMatchObject({ success: false, status, code })
  expect(refused.headers.get('x-should-retry')).toBe('false')
})

test("refuses a token for another's account or zone", async () => {
  const standIn = await newStandIn()
  const other = await ask(standIn, 'GET', `/accounts/${'0'.repeat(32)}/workers/scripts`)
  expect(other).toMatchObject({ status: 403, code: 10000 })
  const zone = await ask(standIn, 'GET', `/zones/${'0'.repeat(32)}`)
  expect(zone).toMatchObject({ status: 403, code: 9109 })
})

test('keeps its state in the embedded account, refuses as the account does, and fails once when told to', async () => {
  const standIn = await newStandIn()
  const namespaces = `/accounts/${standIn.accountId}/storage/kv/namespaces`
  standIn.failNext('POST', /namespaces$/, 500)
  expect(await ask(standIn, 'POST', namespaces, { title: 'a' })).toMatchObject({ status: 500 })
  const { result } = await ask(standIn, 'POST', namespaces, { title: 'a' })
  expect(loadAccount(standIn.folder).namespaces).toEqual([{ id: result.id, title: 'a' }])
  expect(await ask(standIn, 'POST', namespaces, { title: 'a' })).toMatchObject({ status: 400, code: 10014 })
  expect(await ask(standIn, 'DELETE', `${namespaces}/${result.id}`)).toMatchObject({ status: 200 })
  expect(await ask(standIn, 'GET', `${namespaces}/${result.id}`)).toMatchObject({ status: 404 })
  expect(await ask(standIn, 'GET', '/nowhere')).toMatchObject({ status: 404, code: 7003 })
  expect(writesOf(standIn, 2)).toEqual(['POST /storage/kv/namespaces', 'DELETE /storage/kv/namespaces/{id}'])
})
