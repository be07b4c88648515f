import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Files } from './build.ts'

/** The service, and the admin token, which stays in this process. */
export interface Service {
  readonly url: string
  readonly adminToken: string
}

/** Makes the function behind `/my/sync-token`. The service shows a token once, so a real app keeps it with its user. */
export function syncTokens({ url, adminToken }: Service): (user: string) => Promise<string> {
  const tokens = new Map<string, string>()
  return async (user) => {
    const known = tokens.get(user)
    if (known) return known
    const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ subject: user, scopes: ['sync:read', 'sync:write'], name: 'Notes' })
    const response = await fetch(`${url}/api/tokens`, { method: 'POST', headers, body })
    if (!response.ok) throw new Error(`the service gave no token: ${await response.text()}`)
    const { token } = (await response.json()) as { token: string }
    tokens.set(user, token)
    return token
  }
}

/** The user that a page is signed in as, if its address has no `?user=`. A real app asks for a password here. */
const DEMO_USER = 'ada'
const COOKIE = 'notes-user'
/** No space between names and values, so that nothing has to be escaped. */
const USER_NAME = /^[\w-]{1,32}$/

interface ServerOptions {
  readonly service: Service
  readonly files: Files
  readonly port: number
}

/** Serves the app and its backend to this machine. Resolves when the port is open. */
export function serveApp({ service, files, port }: ServerOptions): Promise<void> {
  const tokenOf = syncTokens(service)
  // A foreign page could otherwise reach this server under a name of its own, and read the token.
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]

  async function answer({ url = '/', headers: { host = '', cookie } }: IncomingMessage): Promise<Response> {
    if (!hosts.includes(host)) return new Response('unknown host', { status: 421 })
    const { pathname, searchParams } = new URL(url, `http://${host}`)
    const user = userOf(cookie)
    if (pathname === '/') return page(named(searchParams.get('user')) ?? user ?? DEMO_USER)
    if (pathname === '/my/logout') return new Response(null, { status: 204, headers: signedIn('') })
    if (pathname === '/my/sync-token')
      return user ? new Response(await tokenOf(user)) : new Response('sign in first', { status: 401 })
    const file = files.get(pathname)
    if (!file) return new Response('not found', { status: 404 })
    return new Response(file.contents as BodyInit, { headers: { 'content-type': file.type } })
  }

  function page(user: string): Response {
    const { type = '', contents = '' } = files.get('/') ?? {}
    const html = String(contents).replace('$USER', user).replace('$SERVICE', service.url)
    const headers = { 'content-type': type, 'content-security-policy': policyOf(service), ...signedIn(user) }
    return new Response(html, { headers })
  }

  const server = createServer((request, response) => {
    void answer(request)
      .catch((reason: unknown) => new Response(String(reason), { status: 502 }))
      .then((answered) => send(answered, response))
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}

function named(name: string | null | undefined): string | undefined {
  return name && USER_NAME.test(name) ? name : undefined
}

function userOf(cookie = ''): string | undefined {
  return named(new RegExp(`(?:^|; )${COOKIE}=([^;]*)`).exec(cookie)?.[1])
}

function signedIn(user: string): Readonly<Record<string, string>> {
  const end = user === '' ? '; Max-Age=0' : ''
  return { 'set-cookie': `${COOKIE}=${user}; Path=/; HttpOnly; SameSite=Strict${end}` }
}

/** The page loads nothing from elsewhere, and talks to this server and to the service. */
function policyOf({ url }: Service): string {
  return `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ${url} ${url.replace('http', 'ws')}`
}

async function send(answered: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answered.status, {
    'cache-control': 'no-store',
    ...Object.fromEntries(answered.headers),
  })
  response.end(Buffer.from(await answered.arrayBuffer()))
}
