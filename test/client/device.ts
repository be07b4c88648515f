import { createHash } from 'node:crypto'
import { onTestFinished } from 'vitest'
import type { Chronicle } from '../../client/src/chronicle.ts'
import type { ChronicleOptions } from '../../client/src/device/options.ts'
import { openChronicle } from '../../client/src/open.ts'
import { MemoryStore } from '../../client/src/store/memory.ts'
import type { Store } from '../../client/src/store/store.ts'
import { mintToken } from '../support/cloud/cloud.ts'
import type { SharedCloud } from '../support/cloud/with-cloud.ts'
import { fetchDocumented } from '../support/documented.ts'

/** A request of a device on its way to the service. */
export interface Passing {
  readonly path: string
  readonly method: string
  readonly body: Record<string, unknown>
}

/** Network of one device, which a test can watch and cut. Every reply is checked against docs/openapi.json. */
export interface Network {
  readonly requests: Passing[]
  /** The credential of the last request that had one. */
  bearer: string
  /** Answers in place of the service, if it returns something. */
  instead: (request: Passing) => Response | Promise<Response> | undefined
  /** Replaces the response of the service, after the request took effect. */
  after: (request: Passing, response: Response) => Response | Promise<Response>
}

export interface Device {
  readonly db: Chronicle
  readonly store: Store
  readonly network: Network
}

export type DeviceOptions = Partial<ChronicleOptions> & { readonly token: ChronicleOptions['token'] }

/** Times are divided by this, so that a test waits little for a second try. */
const HASTE = 10

/** A network that is gone. */
export function cutOff(): Promise<Response> {
  return Promise.reject(new TypeError('fetch failed'))
}

/** Opens a device of the local service, over HTTP only unless `platform` has a WebSocket. */
export async function openDevice(cloud: Pick<SharedCloud, 'url'>, options: DeviceOptions): Promise<Device> {
  const network: Network = {
    requests: [],
    bearer: '',
    instead: () => undefined,
    after: (_, response) => response,
  }
  const { store = new MemoryStore(), platform, ...rest } = options
  const db = await openChronicle({
    ...{ url: cloud.url, store },
    ...rest,
    platform: {
      WebSocket: undefined,
      fetch: (input, init) => send(network, String(input), init ?? {}),
      after: (ms, callback) => {
        const timer = globalThis.setTimeout(callback, ms / HASTE)
        return () => clearTimeout(timer)
      },
      ...platform,
    },
  })
  onTestFinished(() => db.close({ discard: true }).catch(() => {}))
  return { db, store, network }
}

async function send(network: Network, url: string, init: RequestInit): Promise<Response> {
  const body = (init.body === undefined ? {} : JSON.parse(String(init.body))) as Passing['body']
  const request = { path: new URL(url).pathname, method: init.method ?? 'GET', body }
  network.requests.push(request)
  network.bearer = new Headers(init.headers).get('authorization')?.slice('Bearer '.length) ?? network.bearer
  return (await network.instead(request)) ?? network.after(request, await fetchDocumented(url, init))
}

/** Opens a device of a space with a token of its own. */
export async function deviceOf(
  cloud: SharedCloud,
  space: string,
  { scopes, ...options }: Partial<DeviceOptions> & { readonly scopes?: readonly string[] } = {},
): Promise<Device> {
  const token = await mintToken(cloud, space, scopes && { scopes })
  return openDevice(cloud, { token: () => token, ...options })
}

/** The requests that sent changes. */
export function pushesOf({ requests }: Network): readonly Passing[] {
  return requests.filter(({ path, body }) => path === '/api/sync' && (body['changes'] as []).length > 0)
}

/** The rows of a collection by id, as plain values. */
export async function rowsOf(db: Chronicle, name = 'notes'): Promise<Record<string, unknown>> {
  const rows = await db.collection(name).all()
  return Object.fromEntries(rows.map((row) => [row.$id, JSON.parse(JSON.stringify(row)) as unknown]))
}

/** Makes a request as the operator, or with another credential. */
export async function operate(
  { url, outputs }: Pick<SharedCloud, 'url' | 'outputs'>,
  path: string,
  init: { method?: string; body?: unknown; bearer?: string; text?: string } = {},
): Promise<Record<string, unknown>> {
  const { method = 'GET', body, text, bearer = outputs.adminToken } = init
  const response = await fetchDocumented(url + path, {
    method,
    headers: {
      'content-type': text === undefined ? 'application/json' : 'application/x-ndjson',
      authorization: `Bearer ${bearer}`,
    },
    ...(text !== undefined ? { body: text } : body !== undefined && { body: JSON.stringify(body) }),
  })
  const answer = await response.text()
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${answer}`)
  return answer.startsWith('{') && text === undefined && !path.startsWith('/api/export')
    ? (JSON.parse(answer) as Record<string, unknown>)
    : { text: answer }
}

/** Revokes a token, which is known by its hash. */
export async function revoke(cloud: SharedCloud, token: string): Promise<void> {
  const hash = createHash('sha256').update(token).digest('base64url')
  await operate(cloud, `/api/tokens/${hash}`, { method: 'DELETE' })
}

/** Opens a session outside of any device. */
export async function bearerOf(cloud: SharedCloud, token: string): Promise<string> {
  const { session } = await operate(cloud, '/api/auth', { method: 'POST', body: { token } })
  return String(session)
}
