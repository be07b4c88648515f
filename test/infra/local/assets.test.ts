import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import document from '../../../docs/openapi.json' with { type: 'json' }
import { withCloud } from '../../support/cloud/with-cloud.ts'

const cloud = withCloud()

const PAGE_CSP =
  "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const CONSOLE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(cloud.url + path, { redirect: 'manual', ...init })
}

test('serves the page without the Worker, with the version of the stack and the headers of the one text', async () => {
  const response = await ask('/')
  const { headers } = response
  expect(response.status).toBe(200)
  expect(headers.get('content-type')).toMatch(/^text\/html/)
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; /)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('x-request-id')).toBeNull()
  const page = await response.text()
  expect(page).toContain(`<meta name="version" content="${cloud.running.stackOutputs.version}">`)
  expect(page).not.toContain('{{')
  const again = await ask('/', { headers: { 'if-none-match': headers.get('etag') ?? '' } })
  expect(again.status).toBe(304)
  for (const [, link = ''] of page.matchAll(/href="(\/[^"]*)"/g))
    expect((await ask(link)).status, link).toBe(200)
})

test.each([
  ['/console/', 'text/html; charset=utf-8', CONSOLE_CSP],
  ['/console/console.js', 'text/javascript; charset=utf-8', CONSOLE_CSP],
  ['/console/console.css', 'text/css; charset=utf-8', CONSOLE_CSP],
  ['/', 'text/html; charset=utf-8', PAGE_CSP],
  ['/style.css', 'text/css; charset=utf-8', PAGE_CSP],
])(
  'serves %s as %s with one policy for its contents, and the other headers of all assets',
  async (path, type, policy) => {
    const { status, headers } = await ask(path)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe(type)
    // Two headers would be joined by a comma.
    expect(headers.get('content-security-policy')).toBe(policy)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
  },
)

test('serves the console with the version of the stack, and leads to it from its path without a slash', async () => {
  const page = await (await ask('/console/')).text()
  expect(page).toContain(`<meta name="version" content="${cloud.running.stackOutputs.version}">`)
  const { status, headers } = await ask('/console')
  expect([status, headers.get('location')]).toEqual([307, '/console/'])
})

test('serves the description by the Worker, with the headers of every reply, and from the file of the stack', async () => {
  const response = await ask('/api/openapi.json', { headers: { origin: 'http://localhost:3000' } })
  expect(response.status).toBe(200)
  expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:3000')
  expect(response.headers.get('x-request-id')).not.toBeNull()
  expect(await response.json()).toEqual(document)
  const head = await ask('/api/openapi.json', { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test.each([
  ['GET', '/nowhere', 404],
  ['GET', '/_headers', 404],
  ['GET', '/api/openapi.json/', 404],
  ['GET', '/api/', 404],
  ['GET', '/console/nowhere', 404],
  ['GET', '/api/index.html', 404],
  ['POST', '/api/openapi.json', 405],
  ['POST', '/nowhere', 404],
])('leaves every other path to the Worker: %s %s is %i', async (method, path, status) => {
  const response = await ask(path, { method })
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
})

test('keeps the assets of a script where only their owner reads them', () => {
  const folder = join(cloud.folder, 'dev/assets/chronicle-sync-dev')
  expect(readdirSync(folder).sort()).toEqual([
    '_headers',
    'console',
    'index.html',
    'openapi.json',
    'style.css',
  ])
})
