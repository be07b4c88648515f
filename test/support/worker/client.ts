import { env, exports } from 'cloudflare:workers'
import { expect } from 'vitest'
import { documented } from '../documented.ts'

const ORIGIN = 'https://sync.example'

/** Sends a request to the Worker as any client would. The response must be as documented ([OA2]). */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(ORIGIN + path, init)
  return documented(request, await exports.default.fetch(request))
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  // The tests read replies as an untyped client does.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any
  /** The body, of whatever type. */
  readonly text?: string
}

/** Sends JSON and reads JSON. */
export async function send(
  method: string,
  path: string,
  options: { body?: unknown; text?: string; bearer?: string } = {},
): Promise<Reply> {
  const sent = options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body))
  const response = await call(path, {
    method,
    headers: {
      ...(sent !== undefined && { 'content-type': 'application/json' }),
      ...(options.bearer !== undefined && { authorization: `Bearer ${options.bearer}` }),
    },
    ...(sent !== undefined && { body: sent }),
  })
  const text = await response.text()
  const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : null, text }
}

export async function mint(wanted: object = {}): Promise<{ token: string; id: string }> {
  const body = { subject: crypto.randomUUID(), scopes: ['sync:read', 'sync:write'], ...wanted }
  const reply = await send('POST', '/api/tokens', { body, bearer: env.ADMIN_TOKEN })
  expect(reply.status, JSON.stringify(reply.body)).toBe(201)
  return reply.body
}

/** Device with a session of its own. */
export interface Device {
  readonly id: string
  readonly session: string
  readonly token: string
  sync(body: object): Promise<Reply>
  get(path: string): Promise<Reply>
}

/** Opens a device of the token's space, or of a new space without a token. */
export async function device(options: { token?: string; clientId?: string } = {}): Promise<Device> {
  const token = options.token ?? (await mint()).token
  const { clientId } = options
  const opened = await send('POST', '/api/auth', {
    body: { token, ...(clientId !== undefined && { clientId }) },
  })
  expect(opened.status, JSON.stringify(opened.body)).toBe(200)
  const { session } = opened.body
  return {
    id: opened.body.clientId,
    session,
    token,
    sync: (body) => send('POST', '/api/sync', { body, bearer: session }),
    get: (path) => send('GET', path, { bearer: session }),
  }
}

/** Makes a new space with two devices, `a` and `b`. */
export async function newSpace(): Promise<{ space: string; a: Device; b: Device }> {
  const space = crypto.randomUUID()
  const { token } = await mint({ space })
  return { space, a: await device({ token, clientId: 'a' }), b: await device({ token, clientId: 'b' }) }
}

/** Makes the two devices of a new space. */
export async function twoDevices(): Promise<readonly [Device, Device]> {
  const { a, b } = await newSpace()
  return [a, b]
}

/** Replaces the configuration of the stack. */
export async function configure(config: object): Promise<void> {
  const { revision } = (await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })).body
  const body = { revision, ...config }
  expect((await send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body })).status).toBe(200)
}
