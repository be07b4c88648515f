import { expect, test, vi } from 'vitest'
import { chooseWorkersName } from '../../../infra/setup/workers-name.ts'
import { ACCOUNT, REFUSED, serveApi, TOKEN } from '../fake-api.ts'

const PATH = `PUT accounts/${ACCOUNT}/workers/subdomain`

/** Registers a name with a person who gives these answers. */
async function register(reply: unknown, ...answers: readonly string[]): Promise<object> {
  const waiting = [...answers]
  const person = { isAbsent: false, confirm: async () => true, ask: async () => waiting.shift() }
  const api = {
    baseUrl: await serveApi({ [PATH]: reply }),
    token: TOKEN,
    signal: AbortSignal.timeout(10_000),
  }
  return chooseWorkersName({
    root: '',
    stack: 'dev',
    env: {},
    person,
    account: { api, id: ACCOUNT },
  } as never)
}

test('registers the name that a person gives, once it is a name', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  expect(await register({ subdomain: 'acme' }, 'Acme Inc.', 'acme')).toEqual({})
  expect(log.mock.calls).toEqual([['"Acme Inc." is not a name: use a-z, 0-9 and -, at most 63 characters']])
  log.mockRestore()
})

test('asks again for a name that another account has, and gives up without an answer', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const taken = { status: 409, code: 10031, message: 'Subdomain is unavailable' }
  await expect(register(taken, 'acme')).rejects.toThrow(
    /^the account has no workers\.dev name\. Choose one at https:/,
  )
  expect(log.mock.calls).toEqual([['acme belongs to another account: choose another name']])
  log.mockRestore()
})

test('says why a name was refused', async () => {
  await expect(register(REFUSED, 'acme')).rejects.toThrow(
    /^the name acme was refused \(Authentication error, code 10000\)\. Choose one at https:/,
  )
})
