import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { ROUTES } from '../../worker/src/http/router.ts'
import { requestTo } from '../support/worker/routes.ts'
import { stronghold } from '../support/worker/stronghold.ts'

const ALLOWED = [
  // Host of the attacks.
  'https://sync.example',
  'capacitor://localhost',
  `chrome-extension://${'a'.repeat(32)}`,
  'https://app.example',
  'https://app.example:8443',
  'http://localhost:3000',
  ...env.CORS_ORIGINS,
]

const SCHEMES = ['http', 'https', 'HTTPS', 'ws', 'wss', 'file', 'chrome-extension', 'javascript', 'data', '']
const PORTS = [
  '',
  ':80',
  ':443',
  ':8443',
  ':3000',
  ':03000',
  ':3000 ',
  ':30000',
  ':',
  ':0',
  ':99999',
  ':3000x',
]
const TAILS = ['/', '/path', '?', '#', ',', ';', ' ', '\t', '%20', '*']

const HOSTS = ['[::1]', '127.0.0.1', '*', '', 'xn--pp-7ka.example']

function hostsLike(host: string): readonly string[] {
  return [
    `${host}.evil.example`,
    `evil${host}`,
    `evil.${host}`,
    `${host}evil`,
    `${host}.`,
    `.${host}`,
    `${host}..`,
    host.replace('.', ''),
    host.replace('.', 'x'),
    host.replace('a', '\u0430'),
    host.replace('l', 'I'),
    host.toUpperCase(),
    `xn--${host}`,
    `${host}%2eevil.example`,
    `${host}%00`,
    `${host}\\.evil.example`,
    `user@${host}`,
    `${host}@evil.example`,
    `user:pass@${host}`,
  ]
}

/** Origins that an incomplete comparison could take for an allowed one. */
function lookalikes(origin: string): readonly string[] {
  const [scheme = '', rest = ''] = origin.split('://')
  const [host = '', port] = rest.split(':')
  const tail = port === undefined ? '' : `:${port}`
  const hosts = [...hostsLike(host), ...HOSTS]
  return [
    ...hosts.map((other) => `${scheme}://${other}${tail}`),
    ...SCHEMES.map((other) => `${other}://${host}${tail}`),
    ...SCHEMES.map((other) => `${other}:${host}${tail}`),
    ...PORTS.map((other) => `${scheme}://${host}${other}`),
    ...TAILS.map((other) => origin + other),
    `${origin}, ${origin}`,
    `${origin} ${origin}`,
    `${origin},${origin}`,
    ...hosts.flatMap((other) => PORTS.slice(0, 5).map((port) => `${scheme}://${other}${port}`)),
    origin.toUpperCase(),
    origin.slice(0, -1),
    origin.slice(1),
    ` ${origin}`,
    `"${origin}"`,
    `${origin}\u0000`,
    `view-source:${origin}`,
    `blob:${origin}/1`,
  ]
}

/** Returns the value as a header carries it, trimmed; null if no header can hold it. */
function asHeader(origin: string): string | null {
  try {
    const value = new Headers({ origin }).get('origin') ?? ''
    return /^[\x20-\x7e\t]*$/.test(value) ? value : null
  } catch {
    return null
  }
}

test('[SC6] echoes only the exact origins of the stack, on every route and preflight', async () => {
  const target = stronghold({ CORS_ORIGINS: ALLOWED as Env['CORS_ORIGINS'] })
  const more = [
    'null',
    'NULL',
    '',
    '*',
    '**',
    'undefined',
    'http://',
    '://',
    'about:blank',
    'https://[',
    'a'.repeat(5_000),
  ]
  const generated = [...ALLOWED.flatMap(lookalikes), ...more, ...ALLOWED].map(asHeader)
  const origins = [...new Set(generated.filter((origin) => origin !== null))]
  let [asked, echoed] = [0, 0]
  for (const [index, origin] of origins.entries()) {
    const isAllowed = ALLOWED.includes(origin)
    const routes = isAllowed ? ROUTES : [ROUTES[index % ROUTES.length] ?? ROUTES[0]]
    for (const route of routes) {
      const [path, init] = requestTo(route)
      for (const method of [route.method, 'OPTIONS']) {
        const request = method === 'OPTIONS' ? { method, headers: { origin } } : withOrigin(init, origin)
        const { headers, status } = await target.ask(path, request)
        const what = `${method} ${path} from ${JSON.stringify(origin)}`
        expect(headers.get('access-control-allow-origin'), what).toBe(isAllowed ? origin : null)
        expect(headers.get('access-control-allow-credentials'), what).toBeNull()
        expect(headers.get('vary')?.split(/, */), what).toContain('Origin')
        expect(headers.get('set-cookie'), what).toBeNull()
        if (method === 'OPTIONS') expect(status, what).toBe(isAllowed ? 204 : 403)
        if (!isAllowed) expect(headerNames(headers), what).not.toContain('access-control')
        asked += 1
        echoed += Number(isAllowed)
      }
    }
  }
  expect(target.reached()).toBe(0)
  expect(origins.length).toBeGreaterThan(300)
  console.info(`SC6: ${origins.length} origins, ${asked} requests: ${echoed} echoed, all of them exact`)
})

function withOrigin(init: RequestInit, origin: string): RequestInit {
  return { ...init, headers: { ...(init.headers as Record<string, string>), origin } }
}

function headerNames(headers: Headers): string {
  return [...headers.keys()].join(' ')
}
