import type { Session, Ticket } from '../../core/access/session.ts'
import type { Tally } from '../../core/tally.ts'
import { locatedIn } from '../../core/values/jurisdiction.ts'

/** Headers of every reply, unless a rule says otherwise. It varies by origin, so that no cache mixes origins. */
export const OF_EVERY_REPLY = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  vary: 'Origin',
} as const

/** One request and its context on the edge. */
export interface Exchange {
  readonly request: Request
  readonly env: Env
  readonly requestId: string
  /** When the request arrived, before its body was read; ms. */
  readonly began: number
  readonly path: string
  readonly query: URLSearchParams
  readonly params: Readonly<Record<string, string>>
  /** The effects of the request, which its route adds for the metrics. */
  readonly effects: { tally?: Tally }
  /** The ticket that authenticated the caller, in place of a session. */
  readonly ticket?: Ticket | undefined
}

/** A request with the admin token. `operator`: the fingerprint of the token. */
export interface OperatorExchange extends Exchange {
  readonly operator: string
}

/**
 * The space of a session. Its name comes only from the verified session, never from the request. The jurisdiction is
 * part of its identity: under another jurisdiction the same name is another, empty space.
 */
export function spaceOf(
  env: Env,
  { space }: Pick<Session, 'space'>,
): ReturnType<Env['CHRONICLE']['getByName']> {
  return spacesOf(env).getByName(space)
}

/** The namespace of all spaces of the stack. */
export function spacesOf({ CHRONICLE, JURISDICTION }: Env): Env['CHRONICLE'] {
  return locatedIn(CHRONICLE, JURISDICTION)
}

/** Headers of most JSON replies. A response copies them together, which takes half the time of setting one by one. */
const OF_JSON = new Headers({ ...OF_EVERY_REPLY, 'content-type': 'application/json' })

/** A reply from a JSON text. */
export function jsonText(text: string, status = 200): Response {
  return new Response(text, { status, headers: OF_JSON })
}

export function json(value: object, status = 200): Response {
  return jsonText(JSON.stringify(value), status)
}
