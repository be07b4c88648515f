import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Session } from '../../../worker/src/core/access/session.ts'
import { handle } from '../../../worker/src/http/edge.ts'
import { openSpace } from '../../../worker/src/objects/space/space.ts'
import { sync } from '../../../worker/src/objects/write/sync.ts'
import { overhear } from '../../support/setup/witness.ts'
import { mint } from '../../support/worker/client.ts'

const SESSION_KEYS = `2:${btoa('t'.repeat(32))} ${env.SESSION_KEY}`
const MASTER_KEYS = `2:${btoa('n'.repeat(32))} ${env.MASTER_KEY}`

/** Sends a request to a Worker with other secrets than the test run's. */
async function ask(changed: Partial<Env>, path: string, init: RequestInit): Promise<Response> {
  return handle(new Request(`https://sync.example${path}`, init), { ...env, ...changed })
}

function withBearer(bearer: string): RequestInit {
  return { headers: { authorization: `Bearer ${bearer}` } }
}

async function openSession(changed: Partial<Env>): Promise<string> {
  const { token } = await mint()
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ token })
  const response = await ask(changed, '/api/auth', { method: 'POST', headers, body })
  return ((await response.json()) as { session: string }).session
}

test('[KR2] accepts a session after a newer key replaced its own, until that generation is removed', async () => {
  const rotated = { SESSION_KEY: SESSION_KEYS }
  const last = { SESSION_KEY: SESSION_KEYS.split(' ')[0] as string }
  const [before, after] = [await openSession({}), await openSession(rotated)]
  const statuses = [before, after].map(async (session) => [
    (await ask(rotated, '/api/status', withBearer(session))).status,
    (await ask(last, '/api/status', withBearer(session))).status,
    (await ask({}, '/api/status', withBearer(session))).status,
  ])
  expect(await Promise.all(statuses)).toEqual([
    [200, 401, 200],
    [200, 200, 401],
  ])
})

test('[KR3] accepts two admin tokens while one replaces the other', async () => {
  const added = `adm_dev_${'b'.repeat(64)}`
  const both = { ADMIN_TOKEN: `${added} ${env.ADMIN_TOKEN}` }
  for (const [bearer, status] of [
    [added, 200],
    [env.ADMIN_TOKEN, 200],
    [both.ADMIN_TOKEN, 401],
    ['', 401],
  ] as const) {
    expect((await ask(both, '/api/tokens', withBearer(bearer))).status, bearer).toBe(status)
  }
})

/** Secrets made in each run: a secret in the source would be refused. */
const KEY = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
const UNIQUE = {
  ADMIN_TOKEN: `adm_prod_${KEY.replaceAll(/[+/=]/g, '_')}`,
  MASTER_KEY: `1:${KEY}`,
  SESSION_KEY: `1:${KEY}`,
  ENVIRONMENT: 'production',
} as const

/** Secrets that are long enough, and that anybody could guess. */
const SAMPLES = { ADMIN_TOKEN: `adm_dev_${'a'.repeat(64)}`, KEY: `1:${btoa('m'.repeat(32))}` }

test.each<[secret: string, changed: Partial<Env>]>([
  ['MASTER_KEY', { MASTER_KEY: '' }],
  ['MASTER_KEY', { MASTER_KEY: 'x' }],
  ['MASTER_KEY', { MASTER_KEY: KEY }],
  ['MASTER_KEY', { MASTER_KEY: `2:${KEY} 1:${btoa('m'.repeat(31))}` }],
  ['MASTER_KEY', { MASTER_KEY: `1:${btoa('m'.repeat(33))}` }],
  ['MASTER_KEY', { MASTER_KEY: undefined as never }],
  ['SESSION_KEY', { SESSION_KEY: 'x' }],
  ['SESSION_KEY', { SESSION_KEY: '1:another-key' }],
  ['SESSION_KEY', { SESSION_KEY: `2:${KEY} 1:` }],
  ['ADMIN_TOKEN', { ADMIN_TOKEN: '' }],
  ['ADMIN_TOKEN', { ADMIN_TOKEN: `adm_dev_${'a'.repeat(42)}` }],
  ['ADMIN_TOKEN', { ADMIN_TOKEN: `${env.ADMIN_TOKEN} ` }],
  ['ADMIN_TOKEN', { ADMIN_TOKEN: `${env.ADMIN_TOKEN} adm_dev_old` }],
  ['ADMIN_TOKEN', { ADMIN_TOKEN: UNIQUE.ADMIN_TOKEN }],
  ['ADMIN_TOKEN', { ...UNIQUE, ADMIN_TOKEN: SAMPLES.ADMIN_TOKEN }],
  ['ADMIN_TOKEN', { ...UNIQUE, ADMIN_TOKEN: SAMPLES.ADMIN_TOKEN.replace('_dev_', '_prod_') }],
  ['ADMIN_TOKEN', { ...UNIQUE, ADMIN_TOKEN: `adm_prod_${'change-me'.repeat(7)}` }],
  ['MASTER_KEY', { ...UNIQUE, MASTER_KEY: SAMPLES.KEY }],
  ['SESSION_KEY', { ...UNIQUE, SESSION_KEY: `3:${KEY} ${SAMPLES.KEY}` }],
])('[KR5] refuses every request with a missing, short or sample %s, case %#', async (secret, changed) => {
  let response = new Response()
  const logged = await overhear(async () => {
    response = await ask(changed, '/api/health', {})
  })
  expect(response.status).toBe(503)
  const text = await response.text()
  expect(JSON.parse(text)).toMatchObject({ code: 'misconfigured' })
  for (const name of ['ADMIN_TOKEN', 'MASTER_KEY', 'SESSION_KEY']) expect(text).not.toContain(name)
  const line = { level: 'error', message: 'misconfigured', requestId: response.headers.get('x-request-id') }
  const environment = changed.ENVIRONMENT ?? 'development'
  const others = logged.map((text) => JSON.parse(text)).filter(({ message }) => message !== 'request')
  expect(others).toEqual([{ ...line, environment, secrets: [secret] }])
})

test.each(['ADMIN_TOKEN', 'MASTER_KEY', 'SESSION_KEY'] as const)(
  '[KR5] checks the secrets again if %s or the environment is another than that of the request before',
  async (secret) => {
    const statusWith = async (changed: Partial<Env>) => (await ask(changed, '/api/health', {})).status
    await overhear(async () => {
      for (const changed of [
        { [secret]: '' },
        { [secret]: undefined as never },
        { ENVIRONMENT: 'production' },
      ]) {
        expect(await statusWith({})).toBe(200)
        expect(await statusWith(changed as Partial<Env>)).toBe(503)
        expect(await statusWith(changed as Partial<Env>)).toBe(503)
      }
    })
  },
)

test('[KR5] serves with random secrets, in production too', async () => {
  expect((await ask(UNIQUE, '/api/health', {})).status).toBe(200)
  expect((await ask({}, '/api/health', {})).status).toBe(200)
})

const session: Session = {
  id: 'i',
  token: 't',
  subject: 's',
  space: 'rotated',
  client: 'device-1',
  scopes: ['sync:read', 'sync:write'],
  collections: null,
  issuedAt: Date.now(),
  expiresAt: 0,
}

/** Sends requests to one space, each under the given master keys. */
function exchanges(requests: readonly (readonly [masterKeys: string, body: object])[]) {
  return runInDurableObject(env.CHRONICLE.getByName(crypto.randomUUID()), async (_, state) => {
    const replies = []
    for (const [masterKeys, body] of requests) {
      const opened = openSpace(state, { ...env, MASTER_KEY: masterKeys })
      const result = await sync(opened, session, { text: JSON.stringify(body), now: Date.now() })
      replies.push(result.ok ? JSON.parse(result.value.text) : result.fault)
    }
    return replies
  })
}

test('[KR4] reads what an older master key sealed, and seals new batches by the newest', async () => {
  const change = (n: number) => ({ changes: [{ key: `k/${n}`, value: n, timestamp: n }] })
  const first = { batch: 1, ...change(1) }
  const [, replayed, , read, lost] = await exchanges([
    [env.MASTER_KEY, first],
    [MASTER_KEYS, first],
    [MASTER_KEYS, { batch: 2, ...change(2) }],
    [MASTER_KEYS, { changes: [], cursor: null }],
    [MASTER_KEYS, { batch: 2, ...change(3) }],
  ])
  expect(replayed).toMatchObject({ replayed: true, results: [{ status: 'applied' }] })
  expect(read.changes).toMatchObject([{ value: 1 }, { value: 2 }])
  expect(lost).toMatchObject({ code: 'batch-mismatch' })

  const newestOnly = MASTER_KEYS.split(' ')[0] as string
  const [, stillReplayed, gone] = await exchanges([
    [env.MASTER_KEY, first],
    [newestOnly, first],
    [newestOnly, { changes: [], cursor: null }],
  ]).catch((error: Error) => [null, null, error])
  expect(stillReplayed).toBeNull()
  expect(gone).toMatchObject({ name: 'CorruptionError' })
})

test('[KR4] takes no other batch for one whose recording key is retired', async () => {
  const newestOnly = MASTER_KEYS.split(' ')[0] as string
  const change = (n: number) => ({ batch: 1, changes: [{ key: `k/${n}`, value: n, timestamp: n }] })
  const [, other] = await exchanges([
    [env.MASTER_KEY, change(1)],
    [newestOnly, change(2)],
  ])
  expect(other).toMatchObject({ code: 'batch-mismatch' })
})
