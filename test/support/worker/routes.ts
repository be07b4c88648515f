import { ROUTES, type Route } from '../../../worker/src/http/router.ts'

export type RouteName = (typeof ROUTES)[number] extends infer L
  ? L extends Route
    ? `${L['method']} ${L['path']}`
    : never
  : never

export function nameOf({ method, path }: Route): RouteName {
  return `${method} ${path}` as RouteName
}

/** Lists the routes that take this kind of credential. */
export function routesFor(access: Route['access']): readonly Route[] {
  return ROUTES.filter((route) => route.access === access)
}

const JSON_TYPE = { 'content-type': 'application/json' }
const NDJSON_TYPE = { 'content-type': 'application/x-ndjson' }
const EXPORT_HEADER = {
  type: 'header',
  format: 'chronicle-export',
  version: 1,
  space: 's',
  epoch: 'e',
  head: 'e.0',
  exportedAt: 1,
}

/** Body that each route accepts from an authorized client. A route without a line does not compile. */
const BODIES: { readonly [Name in RouteName]: object | string | null } = {
  'GET /api/health': null,
  'GET /api/openapi.json': null,
  'POST /api/auth': { token: 'none' },
  'DELETE /api/auth': null,
  'POST /api/tokens': { subject: 'ann', scopes: ['sync:read'] },
  'GET /api/tokens': null,
  'DELETE /api/tokens/:id': null,
  'POST /api/tokens/:id/rotate': { overlapSeconds: 60 },
  'POST /api/sessions': { space: 'ann' },
  'GET /api/spaces': null,
  'GET /api/metrics': null,
  'GET /api/clients': null,
  'DELETE /api/sessions': { subject: 'ann', space: 'ann' },
  'POST /api/spaces/reseal': { spaces: ['1'] },
  'GET /api/config': null,
  'PUT /api/config': { revision: 0 },
  'GET /api/audit': null,
  'POST /api/sync': { changes: [{ key: 'a/1', value: 1, timestamp: 1 }], cursor: null },
  'GET /api/live': null,
  'POST /api/live/ticket': null,
  'GET /api/changes': null,
  'GET /api/status': null,
  'GET /api/entries': null,
  'GET /api/history': null,
  'GET /api/conflicts': null,
  'POST /api/conflicts/:id/resolve': { choice: 'winner', base: null },
  'GET /api/export': null,
  'POST /api/import': `${JSON.stringify(EXPORT_HEADER)}\n{"type":"end","entries":0,"cursor":"e.0"}\n`,
  'DELETE /api/space': { confirm: 's' },
}

const QUERIES: { readonly [Name in RouteName]?: string } = {
  'GET /api/entries': '?key=a/1',
  'GET /api/history': '?key=a/1',
}

/** Makes a valid request to a route, with any credential. `body` replaces the usual one. */
export function requestTo(
  route: Route,
  { bearer, body }: { readonly bearer?: string | undefined; readonly body?: object } = {},
): readonly [path: string, init: RequestInit] {
  const name = nameOf(route)
  const sent = body ?? BODIES[name]
  const type = typeof sent === 'string' ? NDJSON_TYPE : sent === null ? {} : JSON_TYPE
  const init = {
    method: route.method,
    headers: {
      ...type,
      ...(name === 'GET /api/live' && { upgrade: 'websocket' }),
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    },
    ...(sent !== null && { body: typeof sent === 'string' ? sent : JSON.stringify(sent) }),
  }
  return [`${route.path.replace(':id', '1')}${QUERIES[name] ?? ''}`, init]
}
