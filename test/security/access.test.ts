import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { ROUTES, type Route } from '../../worker/src/http/router.ts'
import { nameOf, type RouteName, requestTo } from '../support/worker/routes.ts'
import { CAMPAIGN_TIMEOUT_MS, enrol, sessionLike, stronghold, talkTo } from '../support/worker/stronghold.ts'

type Scope = 'sync:read' | 'sync:write' | 'space:read' | 'space:admin'

/** Credentials that may send the request of `requestTo`. Written by hand; a route without a line does not compile. */
const WHO: {
  readonly [Name in RouteName]:
    | 'anyone'
    | 'admin'
    | 'monitor'
    | 'bearer of a token in its body'
    | readonly Scope[]
} = {
  'GET /api/health': 'anyone',
  'GET /api/openapi.json': 'anyone',
  'POST /api/auth': 'bearer of a token in its body',
  'DELETE /api/auth': [],
  'POST /api/tokens': 'admin',
  'GET /api/tokens': 'admin',
  'DELETE /api/tokens/:id': 'admin',
  'POST /api/tokens/:id/rotate': 'admin',
  'POST /api/sessions': 'admin',
  'DELETE /api/sessions': 'admin',
  'GET /api/spaces': 'admin',
  'GET /api/metrics': 'monitor',
  'POST /api/spaces/reseal': 'admin',
  'GET /api/config': 'admin',
  'PUT /api/config': 'admin',
  'GET /api/audit': 'admin',
  'POST /api/sync': ['sync:read', 'sync:write'],
  'GET /api/live': ['sync:read'],
  'POST /api/live/ticket': ['sync:read'],
  'GET /api/changes': ['sync:read'],
  'GET /api/status': ['sync:read'],
  'GET /api/entries': ['sync:read'],
  'GET /api/clients': ['space:read'],
  'GET /api/history': ['sync:read'],
  'GET /api/conflicts': ['sync:read'],
  'POST /api/conflicts/:id/resolve': ['sync:read', 'sync:write'],
  'GET /api/export': ['sync:read', 'space:admin'],
  'POST /api/import': ['space:admin'],
  'DELETE /api/space': ['space:admin'],
}

/** Routes for a space as a whole, which require a token of all its collections. */
const WHOLE: readonly RouteName[] = [
  'GET /api/clients',
  'GET /api/export',
  'POST /api/import',
  'DELETE /api/space',
]

const SUBSETS: readonly (readonly Scope[])[] = [
  ['sync:read'],
  ['sync:write'],
  ['space:admin'],
  ['sync:read', 'sync:write'],
  ['sync:read', 'space:admin'],
  ['sync:write', 'space:admin'],
  ['sync:read', 'sync:write', 'space:admin'],
  ['space:read'],
  ['sync:read', 'space:read'],
]

const target = stronghold()
const talk = talkTo(target)

/** Returns `in` for a request that passed every check of credentials, otherwise the refusal. */
async function outcome(route: Route, bearer: string | undefined, space: string): Promise<string> {
  const body = nameOf(route) === 'DELETE /api/space' ? { confirm: space } : undefined
  const response = await target.ask(...requestTo(route, { bearer, ...(body && { body }) }))
  const text = new TextDecoder().decode(await response.arrayBuffer())
  if (response.status !== 401 && response.status !== 403) {
    expect(response.status, `${nameOf(route)}: ${text}`).toBeLessThan(500)
    return 'in'
  }
  const { code } = JSON.parse(text) as { code: string }
  return `${response.status} ${code}`
}

/** Outcome expected for a credential other than a valid session. */
function expectedOf(who: (typeof WHO)[RouteName], holder: 'admin' | 'token' | undefined): string {
  if (who === 'anyone') return 'in'
  // The metrics take API tokens, and refuse those without the scope.
  if (who === 'monitor' && holder === 'token') return '403 forbidden-scope'
  return (who === 'admin' || who === 'monitor') && holder === 'admin' ? 'in' : '401 unauthorized'
}

test('[SC3] has one line in the table for every route', () => {
  expect(Object.keys(WHO).sort()).toEqual(ROUTES.map(nameOf).sort())
})

test("[SC3] opens no route without a session, except the operator's with the admin token", async () => {
  const { token } = await enrol(talk, {})
  target.reached()
  const bearers: Record<string, string | undefined> = {
    nothing: undefined,
    'an API token': token,
    'the admin token': env.ADMIN_TOKEN,
    'half an admin token': env.ADMIN_TOKEN.slice(0, -1),
    "another environment's session": await sessionLike({}, { ENVIRONMENT: 'production' }),
    'a signing key': env.SESSION_KEY,
    'a master key': env.MASTER_KEY,
  }
  const holders = new Map<string | undefined, 'admin' | 'token'>([
    [env.ADMIN_TOKEN, 'admin'],
    [token, 'token'],
  ])
  for (const route of ROUTES) {
    for (const [name, bearer] of Object.entries(bearers)) {
      const expected = expectedOf(WHO[nameOf(route)], holders.get(bearer))
      expect(await outcome(route, bearer, 's'), `${nameOf(route)} with ${name}`).toBe(expected)
    }
    if (route.access !== 'session') continue
    const expired = await sessionLike({ expiresAt: Math.floor(Date.now() / 1000) - 1 })
    expect(await outcome(route, expired, 's'), nameOf(route)).toBe('401 session-expired')
  }
  expect(target.reached()).toBe(0)
})

test(
  '[SC3] opens to a session the routes of its scopes, and no other',
  async () => {
    let asked = 0
    for (const scopes of SUBSETS) {
      for (const route of ROUTES) {
        const who = WHO[nameOf(route)]
        const space = crypto.randomUUID()
        const session = await sessionLike({ space, scopes })
        const found = await outcome(route, session, space)
        const what = `${nameOf(route)} with ${scopes.join(' ')}`
        asked += 1
        if (typeof who === 'string') expect(found, what).toBe(expectedOf(who, undefined))
        else if (who.every((scope) => scopes.includes(scope))) expect(found, what).toBe('in')
        else expect(found, what).toBe('403 forbidden-scope')
      }
    }
    console.info(`SC3: ${asked} pairs of scopes and route, ${ROUTES.length} routes`)
  },
  CAMPAIGN_TIMEOUT_MS,
)

test('[SC5] requires a token of all collections for routes of the whole space', async () => {
  for (const route of ROUTES.filter(({ access }) => access === 'session')) {
    for (const collections of [['a'], ['b'], []]) {
      const space = crypto.randomUUID()
      const { session } = await enrol(talk, { space, collections })
      const expected = WHOLE.includes(nameOf(route)) ? '403 forbidden-collection' : 'in'
      expect(await outcome(route, session, space), `${nameOf(route)} with [${collections}]`).toBe(expected)
    }
  }
})

/** Breaks the shape of the request of `requestTo`, each time in one way. */
function misshapen(route: Route, bearer: string): readonly (readonly [string, RequestInit])[] {
  const [path, init] = requestTo(route, { bearer })
  const odd = [`${path}${path.includes('?') ? '&' : '?'}odd=1`, init] as const
  const headers = init.headers as Record<string, string>
  if (nameOf(route) === 'GET /api/live')
    return [odd, [path, { ...init, headers: { ...headers, upgrade: 'h2c' } }]]
  if (init.body === undefined) return [odd]
  const texts = ['{', '{"odd":1}'].map((body) => [path, { ...init, body }] as const)
  return [odd, ...texts, [path, { ...init, headers: { ...headers, 'content-type': 'text/plain' } }]]
}

async function refusalOf([path, init]: readonly [string, RequestInit]): Promise<string> {
  const response = await target.ask(path, init)
  const { code } = (await response.json()) as { code: string }
  return `${response.status} ${code}`
}

test('[SC16] reports an ended session first, then a missing scope, then a bad shape, on every route', async () => {
  let asked = 0
  for (const route of ROUTES.filter(({ access }) => access === 'session')) {
    const needed = WHO[nameOf(route)] as readonly Scope[]
    const isWhole = WHOLE.includes(nameOf(route))
    // The body of POST /api/sync decides on its scope; ending a session requires none.
    const lacking = ['POST /api/sync', 'DELETE /api/auth'].includes(nameOf(route))
      ? []
      : SUBSETS.filter((scopes) => !needed.every((scope) => scopes.includes(scope)))
    const ended = await enrol(talk, { scopes: ['sync:read'] })
    await talk('DELETE', '/api/auth', { bearer: ended.session })
    for (const [index] of misshapen(route, 'x').entries()) {
      const told = async (session: string) => {
        asked += 1
        return refusalOf(misshapen(route, session)[index] as readonly [string, RequestInit])
      }
      const what = `${nameOf(route)}, ${index}`
      const shape = /^4(00|08|13|15|22|26) /
      if (nameOf(route) === 'DELETE /api/auth') expect(await told(ended.session), what).toMatch(shape)
      else expect(await told(ended.session), what).toBe('401 session-ended')
      for (const scopes of lacking) {
        const { session } = await enrol(talk, { scopes })
        expect(await told(session), `${what} with ${scopes}`).toBe('403 forbidden-scope')
      }
      const { session } = await enrol(talk, {})
      expect(await told(session), what).toMatch(shape)
      const some = await enrol(talk, { collections: ['a'] })
      if (isWhole) expect(await told(some.session), what).toBe('403 forbidden-collection')
    }
  }
  console.info(`SC16: ${asked} requests of a bad shape`)
})
