import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { ROUTES, type Route } from '../../worker/src/http/router.ts'
import { nameOf, type RouteName, requestTo } from './routes.ts'
import { enrol, sessionLike, stronghold, talkTo } from './stronghold.ts'

type Scope = 'sync:read' | 'sync:write' | 'space:admin'

/** Who may send the request that `requestTo` makes. Written by hand; a route without a line does not compile. */
const WHO: {
  readonly [Name in RouteName]: 'anyone' | 'admin' | 'bearer of a token in its body' | readonly Scope[]
} = {
  'GET /api/health': 'anyone',
  'GET /api/openapi.json': 'anyone',
  'POST /api/auth': 'bearer of a token in its body',
  'DELETE /api/auth': [],
  'POST /api/tokens': 'admin',
  'GET /api/tokens': 'admin',
  'DELETE /api/tokens/:id': 'admin',
  'POST /api/tokens/:id/rotate': 'admin',
  'DELETE /api/sessions': 'admin',
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
  'GET /api/history': ['sync:read'],
  'GET /api/conflicts': ['sync:read'],
  'POST /api/conflicts/:id/resolve': ['sync:read', 'sync:write'],
  'GET /api/export': ['sync:read', 'space:admin'],
  'POST /api/import': ['space:admin'],
  'DELETE /api/space': ['space:admin'],
}

/** What deals with a space as a whole, and so takes a token of all its collections. */
const WHOLE: readonly RouteName[] = ['GET /api/export', 'POST /api/import', 'DELETE /api/space']

const SUBSETS: readonly (readonly Scope[])[] = [
  ['sync:read'],
  ['sync:write'],
  ['space:admin'],
  ['sync:read', 'sync:write'],
  ['sync:read', 'space:admin'],
  ['sync:write', 'space:admin'],
  ['sync:read', 'sync:write', 'space:admin'],
]

const target = stronghold()
const talk = talkTo(target)

/** `in` for a request that got past every check of credentials, else the refusal. */
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

/** What a credential that is no session, or a bad one, must get. */
function expectedOf(who: (typeof WHO)[RouteName], isAdmin: boolean): string {
  if (who === 'anyone') return 'in'
  return who === 'admin' && isAdmin ? 'in' : '401 unauthorized'
}

test('[SC3] every route has its line in the table, and no other', () => {
  expect(Object.keys(WHO).sort()).toEqual(ROUTES.map(nameOf).sort())
})

test('[SC3] what is no session opens no route, but the admin token those of the operator', async () => {
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
  for (const route of ROUTES) {
    for (const [name, bearer] of Object.entries(bearers)) {
      const expected = expectedOf(WHO[nameOf(route)], bearer === env.ADMIN_TOKEN)
      expect(await outcome(route, bearer, 's'), `${nameOf(route)} with ${name}`).toBe(expected)
    }
    if (route.access !== 'session') continue
    const expired = await sessionLike({ expiresAt: Math.floor(Date.now() / 1000) - 1 })
    expect(await outcome(route, expired, 's'), nameOf(route)).toBe('401 session-expired')
  }
  expect(target.reached()).toBe(0)
})

test('[SC3] a session opens what its scopes are for, on every route, and nothing else', async () => {
  let asked = 0
  for (const scopes of SUBSETS) {
    for (const route of ROUTES) {
      const who = WHO[nameOf(route)]
      const space = crypto.randomUUID()
      const { session } = await enrol(talk, { space, scopes })
      const found = await outcome(route, session, space)
      const what = `${nameOf(route)} with ${scopes.join(' ')}`
      asked += 1
      if (typeof who === 'string') expect(found, what).toBe(expectedOf(who, false))
      else if (who.every((scope) => scopes.includes(scope))) expect(found, what).toBe('in')
      else expect(found, what).toBe('403 forbidden-scope')
    }
  }
  console.info(`SC3: ${asked} pairs of scopes and route, ${ROUTES.length} routes`)
})

test('[SC5] what deals with the whole space takes a token of all its collections', async () => {
  for (const route of ROUTES.filter(({ access }) => access === 'session')) {
    for (const collections of [['a'], ['b'], []]) {
      const space = crypto.randomUUID()
      const { session } = await enrol(talk, { space, collections })
      const expected = WHOLE.includes(nameOf(route)) ? '403 forbidden-collection' : 'in'
      expect(await outcome(route, session, space), `${nameOf(route)} with [${collections}]`).toBe(expected)
    }
  }
})
