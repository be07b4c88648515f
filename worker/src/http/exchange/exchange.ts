import type { Session, Ticket } from '../../core/access/session.ts'

/** One request on its way through the edge. */
export interface Exchange {
  readonly request: Request
  readonly env: Env
  readonly requestId: string
  /** When it came, before its body was read; ms. */
  readonly began: number
  readonly query: URLSearchParams
  readonly params: Readonly<Record<string, string>>
  /** The ticket that the caller came in with, in place of a session. */
  readonly ticket?: Ticket | undefined
}

/**
 * The space of a session. Its name comes from the verified session only, never from the request. A jurisdiction
 * is part of where its data lies: under another one the same name is another, empty space.
 */
export function spaceOf(
  env: Env,
  { space }: Pick<Session, 'space'>,
): ReturnType<Env['CHRONICLE']['getByName']> {
  return spacesOf(env).getByName(space)
}

/** Where all spaces of the stack lie. */
export function spacesOf({ CHRONICLE, JURISDICTION }: Env): Env['CHRONICLE'] {
  if (JURISDICTION === 'none') return CHRONICLE
  // The program binds "none" or one of the platform's jurisdictions.
  return CHRONICLE.jurisdiction(JURISDICTION as DurableObjectJurisdiction)
}

/** A reply that is JSON already. */
export function jsonText(text: string, status = 200): Response {
  return new Response(text, { status, headers: { 'content-type': 'application/json' } })
}

export function json(value: object, status = 200): Response {
  return jsonText(JSON.stringify(value), status)
}
