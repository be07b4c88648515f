import type { Session } from '../core/session.ts'

/** One request on its way through the edge. */
export interface Exchange {
  readonly request: Request
  readonly env: Env
  readonly requestId: string
  readonly query: URLSearchParams
  readonly params: Readonly<Record<string, string>>
}

/** The space of a session. Its name comes from the verified session only, never from the request. */
export function spaceOf(
  { CHRONICLE }: Env,
  { space }: Pick<Session, 'space'>,
): ReturnType<Env['CHRONICLE']['getByName']> {
  return CHRONICLE.getByName(space)
}

/** A reply that is JSON already. */
export function jsonText(text: string, status = 200): Response {
  return new Response(text, { status, headers: { 'content-type': 'application/json' } })
}

export function json(value: object, status = 200): Response {
  return jsonText(JSON.stringify(value), status)
}
