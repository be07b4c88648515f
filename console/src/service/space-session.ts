import type { OperatorSession, Scope } from '../base/wire.ts'
import { ask, onSignOut } from './operator.ts'
import { Refusal, type RequestOptions, request, send } from './request.ts'

/** An operator's session lives for 15 minutes. It is renewed before that, by the clock of this page. */
export const RENEWAL_MS = 13 * 60_000

/** Stands for the words of the service, which are for programs. */
const ABSENT =
  'No space of this name has reported: it may be mistyped, erased, or never written to. A new space appears a few seconds after its first write.'

interface Held {
  readonly opening: Promise<OperatorSession>
  readonly since: number
}

/** Read-only sessions, by their spaces. They are kept in memory only. */
const sessions = new Map<string, Held>()

onSignOut(() => {
  for (const { opening } of sessions.values()) opening.then(end, () => {})
  sessions.clear()
})

/** Sends a request with the read-only session of a space, which is opened or renewed if needed. */
export async function askSpace<T>(space: string, path: string, options?: RequestOptions): Promise<T> {
  const { session } = await sessionOf(space)
  try {
    return await request<T>(path, { ...options, credential: session })
  } catch (error) {
    if (!(error instanceof Refusal && error.status === 401)) throw error
    const renewed = await renew(space, session)
    return request<T>(path, { ...options, credential: renewed.session })
  }
}

/** Opens a session for one act, and ends it when the act is over. */
export async function actOn<T>(
  space: string,
  scopes: readonly Scope[],
  act: (session: string) => Promise<T>,
): Promise<T> {
  const opened = await open(space, scopes)
  try {
    return await act(opened.session)
  } finally {
    await end(opened)
  }
}

function sessionOf(space: string): Promise<OperatorSession> {
  const held = sessions.get(space)
  return held && performance.now() - held.since < RENEWAL_MS ? held.opening : hold(space)
}

/** Replaces a session that the service refuses, unless another request has replaced it. */
async function renew(space: string, refused: string): Promise<OperatorSession> {
  const current = await sessionOf(space)
  return current.session === refused ? hold(space) : current
}

function hold(space: string): Promise<OperatorSession> {
  const opening = open(space)
  sessions.set(space, { opening, since: performance.now() })
  opening.catch(() => sessions.delete(space))
  return opening
}

function open(space: string, scopes?: readonly Scope[]): Promise<OperatorSession> {
  const body = { space, ...(scopes && { scopes }) }
  return ask<OperatorSession>('/api/sessions', { method: 'POST', body }).catch((error: Refusal) => {
    if (error.code === 'not-found') error.message = ABSENT
    throw error
  })
}

/** Ends a session. One that cannot be ended now ends by itself within minutes. */
async function end({ session }: OperatorSession): Promise<void> {
  await send('/api/auth', { method: 'DELETE', credential: session, keepalive: true }).catch(() => {})
}
