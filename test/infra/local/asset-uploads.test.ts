import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { assetsFolder } from '../../../infra/local/cloud/assets.ts'
import { newStandIn, type StandIn } from '../../standin/stand-in.ts'

interface Reply {
  readonly status: number
  readonly code: number | undefined
  readonly result: { readonly jwt?: string; readonly buckets: readonly (readonly string[])[] } | null
}

async function post(standIn: StandIn, path: string, body: object | FormData, bearer = standIn.token) {
  const isForm = body instanceof FormData
  const response = await fetch(`${standIn.url}/accounts/${standIn.accountId}/workers${path}`, {
    method: path.startsWith('/scripts/sync?') ? 'PUT' : 'POST',
    headers: { authorization: `Bearer ${bearer}`, ...(!isForm && { 'content-type': 'application/json' }) },
    body: isForm ? body : JSON.stringify(body),
  })
  const { errors, result } = (await response.json()) as {
    errors: { code: number }[]
    result: Reply['result']
  }
  return { status: response.status, code: errors[0]?.code, result }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

function openSession(standIn: StandIn, texts: Readonly<Record<string, string>>): Promise<Reply> {
  const entries = Object.entries(texts).map(([path, text]) => [
    path,
    { hash: hashOf(text), size: text.length },
  ])
  return post(standIn, '/scripts/sync/assets-upload-session', { manifest: Object.fromEntries(entries) })
}

function sendFile(
  standIn: StandIn,
  text: string,
  { bearer = '', type = 'text/html', query = '?base64=true' } = {},
) {
  const form = new FormData()
  form.set(hashOf(text), new File([btoa(text)], 'a.html', { type }))
  return post(standIn, `/assets/upload${query}`, form, bearer)
}

function putScript(standIn: StandIn, assets: object): Promise<Reply> {
  const form = new FormData()
  const bindings = [{ name: 'ASSETS', type: 'assets' }]
  const metadata = { main_module: 'worker.js', compatibility_date: '2026-10-20', bindings, assets }
  form.set('metadata', JSON.stringify(metadata))
  form.set('worker.js', new File(['export default {}'], 'worker.js'))
  return post(standIn, '/scripts/sync?', form)
}

test('asks only for files that it lacks, and gives the token of completion with the last one', async () => {
  const standIn = await newStandIn()
  const { result } = await openSession(standIn, { '/a.html': 'a', '/b.html': 'b', '/c.html': 'c' })
  expect(result?.buckets).toEqual([[hashOf('a'), hashOf('b')], [hashOf('c')]])
  const bearer = result?.jwt ?? ''
  expect(await sendFile(standIn, 'a', { bearer })).toMatchObject({ status: 202, result: { buckets: [] } })
  await sendFile(standIn, 'b', { bearer })
  const last = await sendFile(standIn, 'c', { bearer })
  expect(last.status).toBe(201)
  const config = { _headers: '/*\n  X-A: b\n', html_handling: 'none', not_found_handling: 'none' }
  expect(await putScript(standIn, { jwt: last.result?.jwt, config })).toMatchObject({ status: 200 })
  expect(readdirSync(assetsFolder(standIn.folder, 'sync')).sort()).toEqual([
    '_headers',
    'a.html',
    'b.html',
    'c.html',
  ])

  const again = await openSession(standIn, { '/a.html': 'a' })
  expect(again.result?.buckets).toEqual([])
  expect(await putScript(standIn, { jwt: again.result?.jwt })).toMatchObject({ status: 200 })
  expect(readdirSync(assetsFolder(standIn.folder, 'sync')).sort()).toEqual(['_headers', 'a.html'])
})

test('refuses files of another session, of another size and without a type, and scripts without their assets', async () => {
  const standIn = await newStandIn()
  const { result } = await openSession(standIn, { '/a.html': 'a' })
  const bearer = result?.jwt ?? ''
  expect(await sendFile(standIn, 'a', { bearer: standIn.token })).toMatchObject({ status: 403, code: 10000 })
  expect(await sendFile(standIn, 'b', { bearer })).toMatchObject({ status: 400 })
  expect(await sendFile(standIn, 'a', { bearer, type: '' })).toMatchObject({ status: 400 })
  expect(await sendFile(standIn, 'a', { bearer, query: '' })).toMatchObject({ status: 400 })
  expect(await putScript(standIn, { jwt: bearer })).toMatchObject({ status: 400, code: 10021 })
  expect(await putScript(standIn, { config: { html_handling: 'none' } })).toMatchObject({
    status: 400,
    code: 10021,
  })
  const manifest = (size: number) => ({ manifest: { '/a.html': { hash: hashOf('a'), size } } })
  const path = '/scripts/sync/assets-upload-session'
  expect(await post(standIn, path, manifest(25 * 1024 * 1024 + 1))).toMatchObject({ status: 400 })
  expect(await post(standIn, path, { manifest: { '/a.html': { hash: 'short', size: 1 } } })).toMatchObject({
    status: 400,
  })
  const other = await post(standIn, path, manifest(2))
  expect(await sendFile(standIn, 'a', { bearer: other.result?.jwt ?? '' })).toMatchObject({ status: 400 })
})
