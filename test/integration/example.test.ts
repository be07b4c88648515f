import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { type Example, hasNotesExample, startExample } from '../support/notes-example.ts'

const isInstalled = hasNotesExample('examples/notes')

const data = mkdtempSync(join(tmpdir(), 'chronicle-example-'))
const running: ChildProcess[] = []

afterAll(async () => {
  for (const child of running) if (child.kill()) await once(child, 'exit')
  rmSync(data, { recursive: true, force: true })
})

function start(port: number, servicePort: number): Example {
  const example = startExample(data, port, servicePort)
  running.push(example.child)
  return example
}

test.runIf(isInstalled)('serves the app, and gives its user a token that opens a space', async () => {
  const port = await freePort()
  const { child, printed } = start(port, await freePort())
  const app = `http://127.0.0.1:${port}`
  expect(await printed).toContain(`${app}/\n`)
  expect(await printed).toContain(`${app}/?device=phone\n`)

  const page = await fetch(app)
  const { url, adminToken } = JSON.parse(readFileSync(join(data, 'outputs.json'), 'utf8'))
  const html = await page.text()
  expect(html).toContain(`data-user="ada" data-service="${url}"`)
  for (const [, path] of html.matchAll(/(?:href|src)="(\/[^"]+)"/g))
    expect((await fetch(app + path)).status).toBe(200)
  expect(page.headers.get('content-security-policy')).toContain(`connect-src 'self' ${url} ws:`)
  const { policies } = await getJson(`${url}/api/config`, adminToken)
  expect(policies).toMatchObject({ agreements: 'manual' })

  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? ''
  const given = await fetch(`${app}/my/sync-token`, { headers: { cookie } })
  const token = await given.text()
  expect(await (await fetch(`${app}/my/sync-token`, { headers: { cookie } })).text()).toBe(token)
  const admitted = await fetch(`${url}/api/auth`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: app },
    body: JSON.stringify({ token }),
  })
  expect(admitted.headers.get('access-control-allow-origin')).toBe(app)
  expect(await admitted.json()).toMatchObject({ subject: 'ada', space: 'ada' })

  const other = await fetch(`${app}/?user=ben`)
  expect(await other.text()).toContain('data-user="ben"')
  expect((await fetch(`${app}/my/sync-token`)).status).toBe(401)
  const left = await fetch(`${app}/my/logout`, { method: 'POST', headers: { cookie } })
  expect(left.headers.get('set-cookie')).toContain(
    'notes-user=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0',
  )
  // Node's fetch sets the header itself: the name of a foreign page that leads to this machine.
  const foreign = await fetch(`http://0.0.0.0:${port}/my/sync-token`, { headers: { cookie } })
  expect(foreign.status).toBe(421)

  child.kill('SIGINT')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test.runIf(isInstalled)('says which port is busy, and the option that chooses another', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const busy = (server.address() as { port: number }).port
  const lines = async (port: number, servicePort: number) =>
    (await start(port, servicePort).printed).trimEnd().split('\n').at(-1)
  expect(await lines(busy, await freePort())).toBe(
    `Error: port ${busy} is busy. Choose another: --port ${busy + 1}`,
  )
  expect(await lines(await freePort(), busy)).toBe(
    `Error: port ${busy} is busy. Choose another: --service-port ${busy + 1}`,
  )
  server.close()
})

async function getJson(url: string, bearer: string): Promise<{ policies?: unknown }> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${bearer}` } })
  return (await response.json()) as { policies?: unknown }
}
