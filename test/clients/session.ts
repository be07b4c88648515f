import { fetchDocumented } from '../support/documented.ts'

/** Local service, as `setup.ts` provides it. */
export interface Service {
  readonly url: string
  readonly adminToken: string
}

export interface Entry {
  readonly key: string
  readonly value?: unknown
  readonly deleted?: boolean
  readonly version: string
}

export interface Page {
  readonly changes: readonly Entry[]
  readonly cursor: string
  readonly more: boolean
  readonly reset: boolean
}

export interface Side {
  readonly value?: unknown
  readonly deleted?: boolean
  readonly omitted?: boolean
}

export interface Reply extends Page {
  readonly results: readonly {
    readonly key: string
    readonly status: string
    readonly version?: string
    readonly code?: string
  }[]
  readonly conflicts: readonly { readonly key: string; readonly winner: Side; readonly loser: Side }[]
  readonly replayed: boolean
}

/** Device of a space. Every reply is checked against docs/openapi.json. */
export interface Session {
  readonly url: string
  readonly space: string
  request<T>(path: string, body?: object): Promise<T>
  /** Opens a socket with a ticket of its own. */
  openSocket(path: string): Promise<WebSocket>
  /** Lets the next push take effect, and loses its reply. */
  loseReply(): void
  loseSockets(): void
}

/** Opens a session of a new device. `bearer` is the stack's admin token, which mints the device's token. */
export async function openSession({ url, adminToken }: Service, space: string): Promise<Session> {
  let bearer = adminToken
  let losing = false
  async function request<T>(path: string, body?: object): Promise<T> {
    const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
    const sent = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await fetchDocumented(url + path, sent)
    const text = await response.text()
    if (losing && isPush(body)) {
      losing = false
      throw new Error('the connection was lost')
    }
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return JSON.parse(text) as T
  }
  const wanted = { subject: space, scopes: ['sync:read', 'sync:write'] }
  const { token } = await request<{ token: string }>('/api/tokens', wanted)
  const { session } = await request<{ session: string }>('/api/auth', {
    token,
    clientId: crypto.randomUUID(),
  })
  bearer = session
  const sockets: WebSocket[] = []
  async function openSocket(path: string): Promise<WebSocket> {
    const { ticket } = await request<{ ticket: string }>('/api/live/ticket', {})
    const socket = new WebSocket(url.replace('http', 'ws') + path, ['chronicle.v1', `ticket.${ticket}`])
    sockets.push(socket)
    return socket
  }
  function loseReply(): void {
    losing = true
  }
  const loseSockets = () => sockets.forEach((socket) => void socket.close())
  return { url, space, request, openSocket, loseReply, loseSockets }
}

function isPush(body: object | undefined): boolean {
  return body !== undefined && 'changes' in body && Array.isArray(body.changes) && body.changes.length > 0
}

/** Returns the name of a new space. */
export function newSpace(): string {
  return `clients-${crypto.randomUUID()}`
}
