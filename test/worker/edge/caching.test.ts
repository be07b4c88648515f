import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { handle } from '../../../worker/src/http/edge.ts'
import { call, type Device, device, mint, send, twoDevices } from '../../support/worker/client.ts'

const T = Date.now() - 60_000
const allowed = 'http://localhost:3000'

function put(key: string): object {
  return { key, value: 'x', timestamp: T }
}

/** Sends a conditional request. */
function ask({ session }: Device, path: string, known?: string): Promise<Response> {
  const headers = {
    authorization: `Bearer ${session}`,
    ...(known !== undefined && { 'if-none-match': known }),
  }
  return call(path, { headers })
}

/** Returns the entity tag of a reply. */
async function tagOf(by: Device, path: string): Promise<string> {
  const { headers, status } = await ask(by, path)
  expect(status).toBe(200)
  return headers.get('etag') ?? 'none'
}

const PATHS = ['/api/status', '/api/changes', '/api/changes?limit=1', '/api/status?cursor=x']

test('[CA1] returns 304 and no body to a reader that has the reply already', async () => {
  const a = await device()
  await a.sync({ changes: [put('k/1'), put('k/2')] })
  for (const path of PATHS) {
    const tag = await tagOf(a, path)
    expect(tag, path).toMatch(/^W\/"[!#-~]+"$/)
    for (const known of [tag, tag.slice(2), '*', `"a", ${tag}`]) {
      const response = await ask(a, path, known)
      expect(response.status, known).toBe(304)
      expect(await response.text()).toBe('')
      expect(response.headers.get('etag')).toBe(tag)
      expect(response.headers.get('content-type')).toBeNull()
    }
    for (const known of ['', '"a"', tag.slice(3)]) expect((await ask(a, path, known)).status, known).toBe(200)
  }
})

test('[CA1] decides on 304 before it reads a page', async () => {
  const { token } = await mint({ space: 'unread' })
  const a = await device({ token })
  await a.sync({ changes: [put('k/1')] })
  const tag = await tagOf(a, '/api/changes')
  await runInDurableObject(env.CHRONICLE.getByName('unread'), (_, { storage }) => {
    storage.sql.exec(`UPDATE segment SET body = x'00'`)
  })
  await evictDurableObject(env.CHRONICLE.getByName('unread'))
  expect((await ask(a, '/api/changes', tag)).status).toBe(304)
  expect((await ask(a, '/api/changes')).status).toBe(500)
})

test('[CA1] returns 304 to a conditional HEAD', async () => {
  const a = await device()
  const tag = await tagOf(a, '/api/status')
  const headers = { authorization: `Bearer ${a.session}`, 'if-none-match': tag }
  expect((await call('/api/status', { method: 'HEAD', headers })).status).toBe(304)
  const head = await call('/api/status', {
    method: 'HEAD',
    headers: { authorization: headers.authorization },
  })
  expect(head.headers.get('etag')).toBe(tag)
})

test('[CA2] changes a tag with everything that its reply depends on, and with nothing else', async () => {
  const [a, b] = await twoDevices()
  await a.sync({ changes: [put('k/1')] })
  // The record of the batch and its alarm take bytes, which the status shows.
  await b.sync({ batch: 1, changes: [] })
  for (const path of PATHS) {
    const tag = await tagOf(a, path)
    await new Promise((resolve) => setTimeout(resolve, 2))
    expect(await tagOf(b, path), path).toBe(tag)
    await b.sync({ batch: 2, changes: [put('k/1')] })
    expect(await tagOf(a, path), 'a noop changes no reply').toBe(tag)
    await a.sync({ changes: [put(crypto.randomUUID())] })
    expect((await ask(a, path, tag)).status, 'after a change').toBe(200)
  }
})

test('[CA2] gives each filter and each grant tags of its own', async () => {
  const subject = crypto.randomUUID()
  const all = await device(await mint({ subject }))
  const some = await device(await mint({ subject, collections: ['k'] }))
  for (const path of ['/api/status', '/api/changes', '/api/status?collections=k']) {
    expect((await ask(some, path, await tagOf(all, path))).status, path).toBe(200)
  }
  expect((await ask(all, '/api/changes?collections=k', await tagOf(all, '/api/changes'))).status).toBe(200)
  expect((await ask(all, '/api/status', await tagOf(all, '/api/changes'))).status).toBe(200)
})

test('[CA2] changes a tag with epoch, floor, count of open conflicts and version of the Worker', async () => {
  const { token } = await mint({ space: 'tagged' })
  const a = await device({ token })
  await a.sync({ changes: [put('k/1')] })
  const space = env.CHRONICLE.getByName('tagged')
  const changes = await tagOf(a, '/api/changes')
  const status = await tagOf(a, '/api/status')
  await runInDurableObject(space, (_, { storage }) => {
    storage.sql.exec(
      `INSERT INTO conflict (id, policy, resolution, winner, loser, open) VALUES (9, 'manual', 'open', 1, 1, 1)`,
    )
  })
  expect((await ask(a, '/api/changes', changes)).status).toBe(304)
  expect((await ask(a, '/api/status', status)).status).toBe(200)
  expect(changes).toContain(env.VERSION)
  expect(status).toContain(env.VERSION)
  await runInDurableObject(space, (_, { storage }) => {
    storage.sql.exec(`UPDATE meta SET value = 1 WHERE name = 'floor'`)
  })
  await evictDurableObject(space)
  expect((await ask(a, '/api/changes', changes)).status).toBe(200)
})

test('[CA2] gives an erased space other tags, even with the same number of changes', async () => {
  const wanted = { space: 'erased-tag', scopes: ['sync:read', 'space:admin'] }
  const a = await device(await mint(wanted))
  const tags = await Promise.all(['/api/status', '/api/changes'].map((path) => tagOf(a, path)))
  await send('DELETE', '/api/space', { body: { confirm: 'erased-tag' }, bearer: a.session })
  await new Promise((resolve) => setTimeout(resolve, 2))
  const b = await device(await mint(wanted))
  expect((await ask(b, '/api/status', tags[0])).status).toBe(200)
  expect((await ask(b, '/api/changes', tags[1])).status).toBe(200)
})

test('[CA3] lets only its reader keep what a session reads, and only with revalidation', async () => {
  const a = await device()
  for (const path of PATHS) {
    for (const known of [undefined, '*']) {
      const { headers } = await ask(a, path, known)
      expect(headers.get('cache-control')).toBe('private, no-cache')
      expect(headers.get('vary')).toBe('Authorization, Origin')
    }
  }
  for (const path of ['/api/conflicts', '/api/entries?key=k', '/api/status?odd=1', '/api/changes?limit=0']) {
    expect((await ask(a, path, '*')).headers.get('cache-control'), path).toBe('no-store')
  }
})

test('[CA3] returns 401 in place of 304 to an ended session', async () => {
  const a = await device()
  const tag = await tagOf(a, '/api/status')
  await send('DELETE', '/api/auth', { bearer: a.session })
  const response = await ask(a, '/api/status', tag)
  expect(response.status).toBe(401)
  expect(response.headers.get('etag')).toBeNull()
  const writer = await device(await mint({ scopes: ['sync:write'] }))
  expect((await ask(writer, '/api/changes', '*')).status).toBe(403)
})

test('[CA4] lets every cache keep the description, without a trace of the first reader', async () => {
  const path = '/api/openapi.json'
  const first = await call(path, { headers: { origin: allowed, 'x-request-id': 'first' } })
  expect(first.headers.get('cache-control')).toBe('public, max-age=3600')
  expect(first.headers.get('vary')).toBe('Origin')
  expect(first.headers.get('access-control-allow-origin')).toBe(allowed)
  const second = await call(path)
  expect(await second.text()).toBe(await first.text())
  expect(second.headers.get('access-control-allow-origin')).toBeNull()
  expect(second.headers.get('x-request-id')).not.toBe('first')
  const third = await call(path, { headers: { origin: 'http://localhost:5173' } })
  expect(third.headers.get('access-control-allow-origin')).toBe('http://localhost:5173')
  const again = await call(path, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })
  expect(again.status).toBe(304)
  const newer = new Request(`https://sync.example${path}`, {
    headers: { 'if-none-match': first.headers.get('etag') ?? '' },
  })
  expect((await handle(newer, { ...env, VERSION: 'newer' })).status).toBe(200)
})

test('[CA4] reads the description only for a reader that lacks it, and reports an upload without it as a defect', async () => {
  const asked: string[] = []
  const ASSETS = {
    ...env.ASSETS,
    fetch: (url: URL) => {
      asked.push(url.pathname)
      return Promise.resolve(new Response('not found', { status: 404 }))
    },
  }
  const ask = (headers: Record<string, string>) =>
    handle(new Request('https://sync.example/api/openapi.json', { headers }), { ...env, ASSETS })
  expect((await ask({ 'if-none-match': '*' })).status).toBe(304)
  expect(asked).toEqual([])
  const { status, headers } = await ask({})
  expect(asked).toEqual(['/openapi.json'])
  expect({ status, cached: headers.get('cache-control') }).toEqual({ status: 500, cached: 'no-store' })
})
