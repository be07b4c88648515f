import { env } from 'cloudflare:workers'
import type { SignJWT } from 'jose'
import { afterEach, expect, test, vi } from 'vitest'
import {
  MAX_KNOWN_LENGTH,
  MAX_KNOWN_SESSIONS,
  MAX_SESSION_LENGTH,
} from '../../../worker/src/core/values/access-limits.ts'
import { recallSession, rememberSession } from '../../../worker/src/http/auth/known-sessions.ts'
import { claimsOf, verifySession } from '../../../worker/src/http/auth/session-token.ts'
import { sign } from '../../../worker/src/http/auth/signing.ts'
import { handle } from '../../../worker/src/http/edge.ts'
import { bareSession, sessionLike } from '../../support/worker/session.ts'

const TYPE = 'chronicle-session+jwt'

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

function carrying(token: string): Request {
  return new Request('https://sync.example/api/status', { headers: { authorization: `Bearer ${token}` } })
}

/** The status and code of a request with the session, from a Worker with other variables than the test run's. */
async function ask(token: string, changed: Partial<Env> = {}): Promise<string> {
  const response = await handle(carrying(token), { ...env, ...changed })
  const { code } = (await response.json()) as { code?: string }
  return `${response.status} ${code ?? ''}`.trim()
}

test('[AU3] verifies the signature of a session once, and of each other text again', async () => {
  const token = await sessionLike()
  const verify = vi.spyOn(crypto.subtle, 'verify')
  const first = await verifySession(carrying(token), env)
  const second = await verifySession(carrying(token), { ...env })
  expect(second).toEqual(first)
  expect(verify).toHaveBeenCalledTimes(1)
  const [header, claims, signature] = token.split('.')
  const forged = `${header}.${claims}.${signature?.startsWith('A') ? 'B' : 'A'}${signature?.slice(1)}`
  for (const round of [2, 3]) {
    expect(await ask(forged)).toBe('401 unauthorized')
    expect(verify).toHaveBeenCalledTimes(round)
  }
})

test('[AU3] refuses a verified session from the second of its expiry, each time', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const expiresAt = Math.floor(Date.now() / 1000) + 60
  const token = await sessionLike({ expiresAt })
  vi.setSystemTime(expiresAt * 1000 - 1)
  expect([await ask(token), await ask(token)]).toEqual(['200', '200'])
  vi.setSystemTime(expiresAt * 1000)
  expect([await ask(token), await ask(token)]).toEqual(['401 session-expired', '401 session-expired'])
})

test('[AU3] checks the time before which a session is not valid on every request', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const from = Math.floor(Date.now() / 1000)
  const claims: SignJWT = claimsOf(bareSession()).setNotBefore(from)
  const token = await sign(claims, TYPE, env)
  expect(await ask(token)).toBe('200')
  vi.setSystemTime((from - 5) * 1000)
  expect(await ask(token)).toBe('401 unauthorized')
})

test('[KR2] refuses a verified session under another key or environment, and never mixes the two', async () => {
  const token = await sessionLike()
  const others: readonly Partial<Env>[] = [
    { SESSION_KEY: `1:${btoa('u'.repeat(32))}` },
    { SESSION_KEY: `2:${btoa('u'.repeat(32))}` },
    { ENVIRONMENT: 'production', ADMIN_TOKEN: env.ADMIN_TOKEN.replace('_dev_', '_prod_') },
  ]
  for (const other of others) {
    expect(await ask(token)).toBe('200')
    const verifying = verifySession(carrying(token), { ...env, ...other })
    await expect(verifying, JSON.stringify(other)).rejects.toMatchObject({ code: 'unauthorized' })
    // A session of the other Worker is not known here, although it was verified there.
    const theirs = await sessionLike({}, other)
    await verifySession(carrying(theirs), { ...env, ...other })
    expect(await ask(theirs)).toBe('401 unauthorized')
  }
})

test('[AU1] gives the same rights to each request of a session: nobody can change a verified session', async () => {
  const token = await sessionLike({ collections: ['k'] })
  for (let round = 0; round < 2; round++) {
    const session = await verifySession(carrying(token), env)
    expect(Object.isFrozen(session)).toBe(true)
    expect(() => (session.scopes as string[]).push('space:admin')).toThrow(TypeError)
    expect(() => (session.collections as string[]).push('other')).toThrow(TypeError)
  }
})

test('[SC7] remembers a bounded number of sessions, and forgets the least recently used first', () => {
  const session = bareSession()
  const names = Array.from({ length: MAX_KNOWN_SESSIONS }, (_, index) => `many-${index}`)
  for (const name of names) rememberSession(name, session, env)
  expect(names.filter((name) => recallSession(name, env) === undefined)).toEqual([])
  recallSession('many-0', env)
  rememberSession('one-more', session, env)
  expect(recallSession('many-0', env)).toEqual(session)
  expect(recallSession('many-1', env)).toBeUndefined()
  expect(recallSession('one-more', env)).toEqual(session)
})

test('[SC7] remembers a bounded length of tokens, however long each is', () => {
  const session = bareSession()
  const count = Math.floor(MAX_KNOWN_LENGTH / MAX_SESSION_LENGTH)
  const tokens = Array.from({ length: 2 * count }, (_, index) => `${index}`.padEnd(MAX_SESSION_LENGTH, '.'))
  for (const token of tokens) rememberSession(token, session, env)
  for (const token of tokens.slice(-3)) rememberSession(token, session, env)
  const kept = tokens.filter((token) => recallSession(token, env) !== undefined)
  expect(kept).toEqual(tokens.slice(-count))
})
