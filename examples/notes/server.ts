import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Files } from './build.ts'

/** The service, and the admin token, which stays in this process. */
export interface Service {
  readonly url: string
  readonly adminToken: string
}

/** How long a token is valid. Each start of this server mints new ones. */
const DAY_MS = 86_400_000

/** Makes the function behind `/my/sync-token`. The service shows a token once, so a real app keeps it with its user. */
function syncTokens(service: Service): (user: string) => Promise<string> {
  const tokens = new Map<string, Promise<string>>()
  return (user) => {
    const token = tokens.get(user) ?? mint(service, user)
    tokens.set(user, token)
    token.catch(() => tokens.delete(user))
    return token
  }
}

async function mint({ url, adminToken }: Service, subject: string): Promise<string> {
  const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
  const grant = {
    subject,
    scopes: ['sync:read', 'sync:write'],
    name: 'Notes',
    expiresAt: Date.now() + DAY_MS,
  }
  const response = await fetch(`${url}/api/tokens`, { method: 'POST', headers, body: JSON.stringify(grant) })
  if (!response.ok) throw new Error(`the service gave no token: ${await response.text()}`)
  return ((await response.json()) as { token: string }).token
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

  async function answer({ method, url = '/', headers }: IncomingMessage): Promise<Response> {
    const { host = '', cookie } = headers
    if (!hosts.includes(host)) return new Response('unknown host', { status: 421 })
    const { pathname, searchParams } = new URL(url, `http://${host}`)
    const user = userOf(cookie)
    if (pathname === '/') return page(named(searchParams.get('user')) ?? user ?? DEMO_USER)
    if (pathname === '/my/logout' && method === 'POST')
      return new Response(null, { status: 204, headers: signedIn('') })
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
  return `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ${url} ${url.replace('http', 'ws')}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`
}

async function send(answered: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answered.status, {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...Object.fromEntries(answered.headers),
  })
  response.end(Buffer.from(await answered.arrayBuffer()))
}
