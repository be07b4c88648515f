import { ROUTES } from '../../../worker/src/http/router.ts'
import { documented, mismatches } from '../../support/documented.ts'
import { credentialsIn } from '../../support/secrets.ts'
import { nameOf, requestTo } from '../../support/worker/routes.ts'
import { mutateBytes, mutateHeaders, mutateJson, mutatePath } from './mutation.ts'
import type { Random } from './random.ts'

/** Request as it goes over the wire. */
export interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array<ArrayBuffer> | null
  /** Messages sent on the socket, if the request opens one. */
  readonly messages: readonly string[]
}

/** Valid credentials of a storm. */
export interface Keys {
  readonly session: string
  readonly admin: string
}

/** Route of a third of all requests, because its body has the most fields. */
const SYNC = ROUTES.find(({ path }) => path === '/api/sync') ?? ROUTES[0]

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']

/** Codes after which a space refuses its sessions. */
const SPENT = ['session-ended', 'revoked', 'space-erased', 'importing']

const encoder = new TextEncoder()

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(encoder.encode(text))
}

/** Push with every field, for mutation. */
const PUSH = {
  clientId: 'c',
  batch: 1,
  clientTime: 1,
  cursor: null,
  limit: 10,
  collections: ['a'],
  atomic: false,
  changes: [
    { key: 'a/1', value: { title: 'a', n: [1, 2.5, null, true], o: { p: 'q' } }, timestamp: 1, base: null },
    { key: 'a/2', deleted: true, timestamp: 2 },
    { key: 'a/3', value: 'x', timestamp: 3, baseValue: { a: 1 } },
    { key: 'a/4', value: 0, timestamp: 4, baseDeleted: true },
  ],
}

/** Makes a request to some route, valid or with up to three mutations. */
export function generate(by: Random, { session, admin }: Keys): Sent {
  const route = by.below(3) === 0 ? SYNC : by.pick(ROUTES)
  const bearer =
    by.below(12) === 0
      ? by.pick([admin, session, undefined])
      : { admin, monitor: admin, session, anyone: undefined }[route.access]
  const body = nameOf(route) === 'POST /api/sync' && by.below(3) > 0 ? PUSH : undefined
  const [path, init] = requestTo(route, { bearer, ...(body && { body }) })
  const text = typeof init.body === 'string' ? init.body : ''
  let sent: Sent = {
    method: route.method,
    path,
    headers: init.headers as Record<string, string>,
    body: text === '' ? null : toBytes(text),
    messages: route.path === '/api/live' ? Array.from({ length: by.below(20) }, () => message(by)) : [],
  }
  for (let times = by.below(4); times > 0; times--) sent = mutate(sent, by)
  return sent.method === 'GET' || sent.method === 'HEAD' ? { ...sent, body: null } : sent
}

const MESSAGES = [
  { type: 'push', id: 'x', body: PUSH },
  { type: 'push', id: 'x', body: { changes: [] } },
  { type: 'seen', cursor: 'e.1' },
  { type: 'ping' },
]

/** Makes a message of some kind, valid or mutated. */
function message(by: Random): string {
  const chosen = by.pick(MESSAGES)
  return by.below(3) === 0 ? JSON.stringify(chosen) : mutateJson(chosen, by)
}

/** Throws if a frame reports a failure of the service, or is not as documented. */
export function examineFrame(frame: string, weather: Weather): void {
  const { type, status, body } = JSON.parse(frame)
  const seen = `socket: ${[type, status, body?.code].filter((part) => part !== undefined).join(' ')}`
  weather[seen] = (weather[seen] ?? 0) + 1
  if (status >= 500 || body?.status >= 500) throw new Error(`${seen}: ${frame}`)
  const leaked = credentialsIn(frame)
  if (leaked.length > 0) throw new Error(`${leaked} in a frame`)
  const odd = mismatches('ServerFrame', JSON.parse(frame))
  if (odd.length > 0) throw new Error(`a frame is not as documented: ${odd}: ${frame}`)
}

function mutate(sent: Sent, by: Random): Sent {
  switch (by.below(10)) {
    case 0:
      return { ...sent, method: by.pick(METHODS) }
    case 1:
    case 2:
      return { ...sent, path: mutatePath(sent.path, by) }
    case 3:
    case 4:
      return { ...sent, headers: mutateHeaders(sent.headers, by) }
    case 5:
    case 6:
      return { ...sent, body: mutateBytes(sent.body ?? new Uint8Array(), by) }
    default:
      return { ...sent, body: toBytes(mutateJson(parse(sent.body), by)) }
  }
}

function parse(body: Uint8Array | null): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body ?? new Uint8Array()))
    // A value that nests too deep cannot be written again.
    JSON.stringify(value)
    return value
  } catch {
    return PUSH
  }
}

/** Counts of each status and each code of a refusal in a storm. */
export type Weather = Record<string, number>

/** Throws unless a reply is documented, no failure of the service, and without a secret ([SC7], [SC8]). */
export async function examine(sent: Sent, response: Response, weather: Weather): Promise<'usable' | 'spent'> {
  if (response.status === 101) {
    if (response.webSocket) converse(response.webSocket, sent.messages, weather)
    weather['101'] = (weather['101'] ?? 0) + 1
    return 'usable'
  }
  const url = `https://sync.example${sent.path}`
  const what = `${sent.method} ${sent.path} ${JSON.stringify(sent.headers)} ${new TextDecoder().decode(sent.body ?? new Uint8Array()).slice(0, 500)}`
  // An open socket has no body.
  const bytes = response.status === 101 ? new ArrayBuffer() : await response.clone().arrayBuffer()
  const text = new TextDecoder().decode(bytes)
  const { code } = codeOf(response, text)
  const seen = `${response.status}${code === '' ? '' : ` ${code}`}`
  weather[seen] = (weather[seen] ?? 0) + 1
  if (response.status >= 500 && code !== 'importing') throw new Error(`${seen}: ${what}`)
  const isGiven =
    response.ok &&
    ['/api/auth', '/api/tokens', '/api/openapi.json', '/api/live/ticket'].some((path) =>
      sent.path.startsWith(path),
    )
  const leaked = isGiven ? [] : credentialsIn(text)
  if (leaked.length > 0) throw new Error(`${leaked} in the reply to ${what}`)
  await documented(new Request(url, { method: sent.method }), response).catch((cause: Error) => {
    throw new Error(`${cause.message}\n${what}`)
  })
  const isSpent = SPENT.includes(code) || (response.ok && sent.method === 'DELETE')
  return isSpent ? 'spent' : 'usable'
}

/** Sends the messages and closes. Counts the frames: the test looks for failures at the end. */
function converse(socket: WebSocket, messages: readonly string[], weather: Weather): void {
  socket.addEventListener('message', ({ data }) => {
    try {
      examineFrame(String(data), weather)
    } catch (cause) {
      weather[`socket: failure: ${cause}`] = 1
    }
  })
  socket.addEventListener('close', ({ code }) => {
    weather[`socket: closed ${code}`] = (weather[`socket: closed ${code}`] ?? 0) + 1
  })
  socket.accept()
  for (const message of messages) socket.send(message)
  socket.send('{"type":"ping"}')
  setTimeout(() => socket.close(1000), 20)
}

function codeOf(response: Response, text: string): { readonly code: string } {
  if (response.status < 400 || text === '') return { code: '' }
  if (response.headers.get('content-type') !== 'application/problem+json')
    throw new Error(`no problem: ${text}`)
  return JSON.parse(text)
}
