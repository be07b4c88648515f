import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'

/** Request that has arrived at the relay. A socket is a `GET` of `/api/live`. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly body: string
}

export interface Refusal {
  readonly status: number
  readonly code: string
  readonly retryAfter?: number
}

/** Outcome of a request. `refuse`: it never arrives. `lose`: it arrives, and its answer does not. */
export type Fate = 'pass' | 'refuse' | 'lose' | Refusal

/** Stands between a page and the service, on an address of its own. */
export interface Relay {
  readonly url: string
  /** The requests so far, without preflights. */
  readonly seen: readonly Seen[]
  /** Decides about each request. It may wait, which holds the request. */
  rule: (seen: Seen) => Fate | Promise<Fate>
  /** Ends all connections, with the requests and sockets on them. */
  cut(): void
  close(): void
}

interface Target {
  readonly host: string
  readonly port: number
}

export async function startRelay(service: string): Promise<Relay> {
  const { hostname: host, port } = new URL(service)
  const target = { host, port: Number(port) }
  const seen: Seen[] = []
  const ends = new Set<Duplex>()

  function keep(socket: Duplex): void {
    ends.add(socket)
    socket.once('close', () => ends.delete(socket)).on('error', () => socket.destroy())
  }

  function fateOf({ method = '', url: path = '' }: IncomingMessage, body: string): Fate | Promise<Fate> {
    if (method === 'OPTIONS') return 'pass'
    const one = { method, path, body }
    seen.push(one)
    return relay.rule(one)
  }

  const server = createServer(async (request, response) => {
    const body = await buffer(request).catch(() => Buffer.of())
    const fate = await fateOf(request, body.toString())
    if (fate === 'refuse') request.socket.destroy()
    else if (typeof fate === 'object') refuse(fate, request, response)
    else pass(target, request, body, fate === 'lose' ? null : response)
  })
  server.on('connection', keep)
  server.on('upgrade', async (request: IncomingMessage, socket, head) => {
    if ((await fateOf(request, '')) === 'pass') keep(join(target, request, socket, head))
    else socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const relay: Relay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    rule: () => 'pass',
    cut() {
      for (const end of ends) end.destroy()
    },
    close() {
      server.close()
      relay.cut()
    },
  }
  return relay
}

/** Passes a request on, and its answer back. `response` is null if the answer gets lost. */
function pass(target: Target, request: IncomingMessage, body: Buffer, response: ServerResponse | null): void {
  const { method, url: path, headers } = request
  const sent = send({ ...target, method, path, headers }, (reply) => {
    if (response === null) reply.resume().once('end', () => request.socket.destroy())
    else reply.pipe(response.writeHead(reply.statusCode ?? 502, reply.headers))
  })
  sent.on('error', () => request.socket.destroy()).end(body)
}

/** Connects a socket of the page with one of the service. */
function join(target: Target, { url, rawHeaders }: IncomingMessage, socket: Duplex, head: Buffer): Duplex {
  const headers = rawHeaders.map((text, index) => text + (index % 2 === 0 ? ': ' : '\r\n')).join('')
  const other = connect(target)
  other.write(`GET ${url} HTTP/1.1\r\n${headers}\r\n`)
  other.write(head)
  other.pipe(socket).pipe(other)
  other.once('close', () => socket.destroy())
  socket.once('close', () => other.destroy())
  return other
}

/** Answers as the service does, with the headers that let the page read the answer. */
function refuse({ status, code, retryAfter }: Refusal, request: IncomingMessage, response: ServerResponse) {
  const headers = {
    'content-type': 'application/problem+json',
    'access-control-allow-origin': request.headers.origin ?? '*',
    'access-control-expose-headers': 'Retry-After',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  }
  response.writeHead(status, headers).end(JSON.stringify({ status, code, detail: `a test says ${code}` }))
}
