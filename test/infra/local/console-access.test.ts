import { readdirSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { type ConsoleAccess, newConsoleAccess } from '../../../infra/local/cloud/console-access.ts'
import { serveAccount } from '../../../infra/local/cloud/runtime.ts'
import { testCloud } from '../../support/cloud/cloud.ts'
import { newProject } from '../../support/cloud/project.ts'

/** Deploys a dev stack of a project of its own. */
async function deploy(config: Readonly<Record<string, string>> = {}) {
  const project = newProject()
  const { account } = await project.up('dev', config)
  return { account, folder: join(project.root, '.local/dev') }
}

const deployed = deploy()

/** Serves a stack, or the one of this file. Without access it is served like any stack that is deployed. */
async function serve(consoleAccess?: ConsoleAccess, stack = deployed): Promise<string> {
  const cloud = await serveAccount({
    ...(await stack),
    port: 0,
    onLog() {},
    ...(consoleAccess && { consoleAccess }),
  })
  onTestFinished(() => cloud.stop())
  return `http://127.0.0.1:${cloud.port}`
}

interface Reply {
  readonly status: number
  readonly type: string | undefined
  readonly body: Readonly<Record<string, unknown>>
}

/** Sends a code as the console does, or with other headers. `fetch` would set some of them itself. */
function send(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const own = { origin: url, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  request(`${url}/console/code`, { method: 'POST', headers: { ...own, ...headers } }, (response) => {
    const { statusCode: status = 0, headers } = response
    text(response)
      .then((body) => resolve({ status, type: headers['content-type'], body: JSON.parse(body) }))
      .catch(reject)
  })
    .once('error', reject)
    .end(body)
  return promise
}

function sendCode(url: string, code: string, headers: Readonly<Record<string, string>> = {}) {
  return send(url, JSON.stringify({ code }), headers)
}

const REFUSED = {
  status: 404,
  type: 'application/problem+json',
  body: expect.objectContaining({ code: 'not-found' }),
}

function access(more: Partial<ConsoleAccess> = {}): ConsoleAccess {
  return { ...newConsoleAccess('the admin token'), ...more }
}

test('gives the link of a started stack the admin token once, and keeps its code out of files and logs', async () => {
  const cloud = testCloud()
  onTestFinished(() => cloud.remove())
  const { url, consoleUrl = '', outputs } = await cloud.start()
  const [, code = ''] = /^http:\/\/127\.0\.0\.1:\d+\/console\/#code=([\w-]{32})$/.exec(consoleUrl) ?? []
  expect(consoleUrl).toBe(`${url}/console/#code=${code}`)
  expect(await sendCode(url, `${code}x`)).toEqual(REFUSED)
  const { adminToken } = outputs
  expect(await sendCode(url, code)).toEqual({
    status: 200,
    type: 'application/json',
    body: { adminToken },
  })
  expect(await sendCode(url, code)).toEqual(REFUSED)

  expect(cloud.logged().length).toBeGreaterThan(0)
  expect(cloud.logged().filter((line) => line.includes(code) || line.includes(adminToken))).toEqual([])
  const paths = readdirSync(cloud.folder, { recursive: true, encoding: 'utf8' })
  const files = paths.map((path) => join(cloud.folder, path)).filter((path) => statSync(path).isFile())
  expect(files.length).toBeGreaterThan(5)
  expect(files.filter((file) => readFileSync(file, 'latin1').includes(code))).toEqual([])
})

test('gives one of two requests at once the admin token', async () => {
  const { code, ...others } = access()
  const url = await serve({ code, ...others })
  const replies = await Promise.all([sendCode(url, code), sendCode(url, code)])
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 404])
})

test('refuses a code after its ten minutes, and in a stack that has none', async () => {
  const { expiresAt, code } = access()
  expect(expiresAt - Date.now()).toBeGreaterThan(9.9 * 60_000)
  expect(expiresAt - Date.now()).toBeLessThanOrEqual(10 * 60_000)
  const late = await serve(access({ code, expiresAt: Date.now() }))
  expect(await sendCode(late, code)).toEqual(REFUSED)
  expect(await sendCode(await serve(), code)).toEqual(REFUSED)
})

test('takes the right code after any number of wrong ones, which another website could have made', async () => {
  const { code, ...others } = access()
  const url = await serve({ code, ...others })
  const wrong = ['""', '{', 'null', '{"code":null}', '{"code":"x"}', `{"code":"${code.slice(1)}"}`]
  for (const body of [...wrong, ...wrong]) expect(await send(url, body)).toEqual(REFUSED)
  expect(await sendCode(url, code)).toMatchObject({ status: 200 })
})

test('gives the token to a page of the same host and port only', async () => {
  const { code, ...others } = access()
  const url = await serve({ code, ...others })
  const { port } = new URL(url)
  const foreign = [
    { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'https://elsewhere.example' },
    { origin: 'null' },
    { origin: '' },
    { origin: `http://localhost:${port}` },
    { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'none' },
  ]
  for (const headers of foreign) expect(await sendCode(url, code, headers)).toEqual(REFUSED)
  const own = { host: `localhost:${port}`, origin: `http://localhost:${port}` }
  expect(await sendCode(url, code, own)).toMatchObject({ status: 200 })
})

test('refuses a page of a name that leads to this machine, also if the stack has that name', async () => {
  const { code, ...others } = access()
  const url = await serve({ code, ...others }, deploy({ hostname: 'sync.example.com' }))
  const named = { host: 'sync.example.com', origin: 'http://sync.example.com' }
  expect(await sendCode(url, code, named)).toEqual(REFUSED)
  expect(await sendCode(url, code)).toMatchObject({ status: 200 })
})
