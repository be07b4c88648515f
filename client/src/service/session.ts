import { ChronicleError } from '../values/errors.ts'
import type { Platform } from '../values/platform.ts'
import type { AuthReply, Limits, Problem } from '../values/wire.ts'

/** Session of one replica: exchanges the app's token, and again when the session has ended. */
export interface Session {
  /** Opens a session if there is none. A 401 ends it, so that the next request opens another. */
  request(path: string, init?: { method?: string; body?: object }): Promise<unknown>
  /** Opens a session if there is none. `onAdmitted` has seen its reply before any other request. */
  open(): Promise<void>
  /** Forgets the session, so that the next request opens another. */
  forget(): void
  /** Ends the session at the service, if there is one. */
  end(): Promise<void>
  readonly limits: Limits | undefined
}

export interface SessionOptions {
  readonly url: string
  readonly token: () => string | Promise<string>
  readonly platform: Platform
  /** The replica that the session is bound to. */
  readonly clientId: () => string
  readonly onAdmitted: (reply: AuthReply) => Promise<void>
}

/** How long a request may take, ms. A connection that died without a word would hold the queue for ever. */
const DEADLINE_MS = 30_000

export function newSession({ url, token, platform, clientId, onAdmitted }: SessionOptions): Session {
  let admitted: { readonly bearer: string; readonly limits: Limits } | undefined
  let opening: Promise<void> | undefined

  async function admit(): Promise<void> {
    const given = await tokenOf(token)
    const reply = await send('/api/auth', {
      method: 'POST',
      body: { token: given, clientId: clientId() },
    }).catch((thrown) => {
      throw isUnauthorized(thrown) ? new ChronicleError('sign-in', thrown.message, { cause: thrown }) : thrown
    })
    const granted = reply as AuthReply
    await onAdmitted(granted)
    admitted = { bearer: granted.session, limits: granted.limits }
  }

  function open(): Promise<void> {
    if (admitted) return Promise.resolve()
    opening ??= admit().finally(() => {
      opening = undefined
    })
    return opening
  }

  async function send(
    path: string,
    { method = 'GET', body }: { method?: string; body?: object },
    bearer?: string,
  ) {
    const headers = {
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...(body && { 'content-type': 'application/json' }),
    }
    const signal = deadline(platform)
    const sent = { method, headers, signal: signal.signal, ...(body && { body: JSON.stringify(body) }) }
    try {
      const response = await platform.fetch(new URL(path, url).href, sent)
      if (!response.ok) throw refused(await problemOf(response))
      return (await response.json()) as unknown
    } finally {
      signal.cancel()
    }
  }

  async function request(path: string, init: { method?: string; body?: object } = {}): Promise<unknown> {
    await open()
    const bearer = admitted?.bearer
    try {
      return await send(path, init, bearer)
    } catch (thrown) {
      // Another request may have opened a new session meanwhile.
      if (isUnauthorized(thrown) && admitted?.bearer === bearer) admitted = undefined
      throw thrown
    }
  }

  return {
    request,
    open,
    forget() {
      admitted = undefined
    },
    async end() {
      const bearer = admitted?.bearer
      admitted = undefined
      if (bearer !== undefined) await send('/api/auth', { method: 'DELETE' }, bearer)
    },
    get limits() {
      return admitted?.limits
    },
  }
}

async function tokenOf(token: SessionOptions['token']): Promise<string> {
  let given: unknown
  try {
    given = await token()
  } catch (cause) {
    throw new ChronicleError('sign-in', `token() failed: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
  if (typeof given === 'string' && given !== '') return given.trim()
  throw new ChronicleError(
    'sign-in',
    'token() returned no text: it must return the token of the signed-in user',
  )
}

/** A refusal of the service, or of something on the way to it. */
export function refused(problem: Problem): ChronicleError {
  return new ChronicleError(problem.code, `${problem.code}: ${problem.detail}`, { problem })
}

export function isUnauthorized(thrown: unknown): thrown is ChronicleError {
  return thrown instanceof ChronicleError && thrown.problem?.status === 401
}

function deadline({ after }: Platform): { readonly signal: AbortSignal; cancel(): void } {
  const controller = new AbortController()
  const cancel = after(DEADLINE_MS, () => controller.abort(new Error('the service did not answer in time')))
  return { signal: controller.signal, cancel }
}

/** Reads a refusal. Something else than the service may have answered, such as a proxy or the wrong address. */
async function problemOf(response: Response): Promise<Problem> {
  const { status, headers } = response
  const isProblem = headers.get('content-type')?.startsWith('application/problem+json')
  const body: unknown = isProblem ? await response.json().catch(() => null) : null
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  const wait = Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : {}
  if (typeof body === 'object' && body !== null && 'code' in body)
    return { ...wait, ...(body as Problem), status }
  const detail = `${response.url} answered ${status} without a problem document: is this the url of the service?`
  return { status, code: `http-${status}`, detail, ...wait }
}
