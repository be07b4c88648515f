import { ChronicleError, messageOf } from '../values/errors.ts'
import type { Platform } from '../values/platform.ts'
import { VERSION } from '../values/version.ts'
import type { AuthReply, Problem } from '../values/wire.ts'

/** Session of one replica: exchanges the app's token, and again when the session has ended. */
export interface Session {
  /** Opens a session if there is none. A 401 ends it, so that the next request opens another. */
  request(path: string, init?: { method?: string; body?: object }): Promise<unknown>
  readonly isOpen: boolean
  /** Opens a session if there is none. `onAdmitted` has seen its reply before any other request. */
  open(): Promise<void>
  /** Forgets the session, so that the next request opens another. */
  forget(): void
  /** The collections among these that the token grants, or all of them if it grants none. */
  filter(collections: readonly string[] | undefined): readonly string[] | undefined
  /** Ends the session at the service, if there is one. */
  end(): Promise<void>
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
  /** The credential of the session. */
  let bearer: string | undefined
  /** Null for all collections. */
  let granted: readonly string[] | null = null
  let opening: Promise<void> | undefined

  async function admit(): Promise<void> {
    const given = await tokenOf(token, platform)
    const reply = await send('/api/auth', {
      method: 'POST',
      body: { token: given, clientId: clientId(), clientVersion: `chronicle-sync/${VERSION}` },
    }).catch((thrown) => {
      throw isUnauthorized(thrown) ? new ChronicleError('sign-in', thrown.message, { cause: thrown }) : thrown
    })
    const admission = reply as AuthReply
    await onAdmitted(admission)
    granted = admission.collections ?? null
    bearer = admission.session
  }

  function open(): Promise<void> {
    if (bearer !== undefined) return Promise.resolve()
    opening ??= admit().finally(() => {
      opening = undefined
    })
    return opening
  }

  async function send(
    path: string,
    { method = 'GET', body }: { method?: string; body?: object },
    credential?: string,
  ) {
    const headers = {
      ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
      ...(body && { 'content-type': 'application/json' }),
    }
    const controller = new AbortController()
    const cancel = platform.after(DEADLINE_MS, () => controller.abort())
    const { signal } = controller
    // A redirect would carry the credential to another address.
    const sent = {
      method,
      headers,
      signal,
      redirect: 'error',
      ...(body && { body: JSON.stringify(body) }),
    } as const
    try {
      const response = await platform.fetch(new URL(path, url).href, sent)
      if (!response.ok) throw refused(await problemOf(response))
      return (await response.json()) as unknown
    } catch (thrown) {
      throw thrown instanceof ChronicleError ? thrown : unanswered(url, thrown)
    } finally {
      cancel()
    }
  }

  async function request(path: string, init: { method?: string; body?: object } = {}): Promise<unknown> {
    await open()
    const used = bearer
    try {
      return await send(path, init, used)
    } catch (thrown) {
      // Another request may have opened a new session meanwhile.
      if (isUnauthorized(thrown) && bearer === used) bearer = undefined
      throw thrown
    }
  }

  return {
    request,
    open,
    get isOpen() {
      return bearer !== undefined
    },
    forget() {
      bearer = undefined
    },
    filter: (collections) => grantedOf(collections, granted),
    async end() {
      const used = bearer
      bearer = undefined
      if (used !== undefined) await send('/api/auth', { method: 'DELETE' }, used)
    },
  }
}

function grantedOf(collections: readonly string[] | undefined, granted: readonly string[] | null) {
  const both = collections?.filter((name) => granted === null || granted.includes(name))
  return both?.length ? both : collections
}

/** Makes a request, and once more with a new session if that has ended. */
export async function ask(
  session: Session,
  ...[path, init]: Parameters<Session['request']>
): Promise<unknown> {
  try {
    return await session.request(path, init)
  } catch (thrown) {
    if (!isUnauthorized(thrown)) throw thrown
    return session.request(path, init)
  }
}

/** Asks the app for a token. An app that never answers must not hold the queue for ever. */
async function tokenOf(token: SessionOptions['token'], { after }: Platform): Promise<string> {
  let cancel = () => {}
  const late = new Promise<never>((_resolve, reject) => {
    cancel = after(DEADLINE_MS, () => reject(new Error('it did not answer in time')))
  })
  try {
    const given: unknown = await Promise.race([token(), late])
    const text = typeof given === 'string' ? given.trim() : ''
    // A page or an error of the app's own backend is easily taken for a token.
    if (text !== '' && !/[\s<{"]/.test(text)) return text
    throw new Error(`it must return the token of the signed-in user, and returned "${text.slice(0, 20)}"`)
  } catch (cause) {
    // A fetch that finds no network rejects with a TypeError: the app could not reach its own backend.
    const code = cause instanceof TypeError ? 'offline' : 'sign-in'
    throw new ChronicleError(code, `token() failed: ${messageOf(cause)}`, { cause })
  } finally {
    cancel()
  }
}

function unanswered(url: string, thrown: unknown): ChronicleError {
  const reasons = 'no network, a wrong url, or an origin that the service does not allow (corsOrigins)'
  return offline(`no answer of ${url} (${messageOf(thrown)}): ${reasons}`, thrown)
}

/** The service could not be reached. */
export function offline(message: string, cause?: unknown): ChronicleError {
  return new ChronicleError('offline', message, { cause })
}

/** A refusal of the service, or of something on the way to it. */
export function refused(problem: Problem): ChronicleError {
  return new ChronicleError(problem.code, problem.detail, { problem })
}

function isUnauthorized(thrown: unknown): thrown is ChronicleError {
  return thrown instanceof ChronicleError && thrown.problem?.status === 401
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
