import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { handle } from '../../worker/src/http/edge.ts'
import { lateKv } from '../support/unkind-kv.ts'
import { act, listed, recordLike, requestTo } from './audit.ts'
import { mint, send } from './client.ts'

test('[OP4] lists the newest first, a page of a hundred at a time, each record once', async () => {
  // Before all other tests, and where the time gets a digit more.
  vi.useFakeTimers({ toFake: ['Date'], now: 1e12 - 100 })
  const names: string[] = []
  for (let index = 0; index < 205; index++) {
    vi.setSystemTime(Date.now() + 1)
    const headers = { 'x-request-id': `n${index}` }
    expect((await handle(requestTo('DELETE', '/api/tokens/x', headers), env)).status).toBe(404)
    names.push(`n${index}`)
  }
  const found: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const path: string = cursor === '' ? '/api/audit' : `/api/audit?cursor=${encodeURIComponent(cursor)}`
    const { body } = await send('GET', path, { bearer: env.ADMIN_TOKEN })
    expect(body.records.length).toBeLessThanOrEqual(100)
    found.push(...body.records.map(({ requestId }: { requestId: string }) => requestId))
    cursor = body.next
  }
  expect(found.slice(-205)).toEqual(names.reverse())
  expect(new Set(found).size).toBe(found.length)
})

test('[OP4] two acts of one moment under one request id are two records', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  const headers = { 'x-request-id': 'twice' }
  await Promise.all(['x', 'y'].map((id) => handle(requestTo('DELETE', `/api/tokens/${id}`, headers), env)))
  expect((await listed()).filter(({ requestId }) => requestId === 'twice')).toHaveLength(2)
})

test('[OP4] a record is kept for 400 days', async () => {
  const now = Date.now() / 1000
  await act('DELETE', '/api/tokens/x')
  const { keys } = await env.CHRONICLE_KV.list({ prefix: 'audit:' })
  for (const { expiration } of keys) {
    expect(Math.abs((expiration ?? 0) - now - 400 * 86_400)).toBeLessThan(120)
  }
})

test('[OP4] takes the longest names that there are', async () => {
  const issuer = `https://${'x'.repeat(248)}`
  const [subject, space] = ['sub', 'c'.repeat(128)].map((claim) => `${issuer}#${claim}=${'"'.repeat(255)}`)
  const { status, records } = await act('DELETE', '/api/sessions', { body: { subject, space } })
  expect(status).toBe(200)
  expect(records).toEqual([recordLike('DELETE /api/sessions', 200, { subject, space })])
})

test('[OP4] a place whose KV is a minute behind lists a record as soon as it has heard of it', async () => {
  const late = { ...env, CHRONICLE_KV: lateKv(env.CHRONICLE_KV) }
  const list = async () =>
    (await handle(requestTo('GET', '/api/audit'), late)).json() as Promise<{ records: object[] }>
  const before = (await list()).records
  const { records } = await act('DELETE', '/api/tokens/x')
  expect((await list()).records).toEqual([...records, ...before].slice(0, 100))
})

test('[OP7] a list takes no cursor but its own', async () => {
  for (let count = 0; count < 101; count++) await mint()
  const ask = (path: string) => send('GET', path, { bearer: env.ADMIN_TOKEN })
  const [tokens, records] = await Promise.all(
    ['/api/tokens', '/api/audit'].map(async (path) => (await ask(path)).body.next),
  )
  for (const [path, next, foreign] of [
    ['/api/tokens', tokens, records],
    ['/api/audit', records, tokens],
  ]) {
    const list = (cursor: string) => ask(`${path}?cursor=${encodeURIComponent(cursor)}`)
    expect((await list(next)).status).toBe(200)
    for (const wrong of ['nonsense', '', '0', next.slice(1), `${next}x`, next.slice(7), foreign]) {
      expect((await list(wrong)).body, wrong).toMatchObject({ status: 422, code: 'invalid-request' })
    }
  }
})
