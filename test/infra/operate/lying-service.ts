import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { listen } from '../fake-api.ts'

interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
  /** In place of the whole body. */
  readonly text?: string
}

/** False reply to some requests of a kind, counted from 1. Its fields replace those of the true reply. */
export interface Lie extends Reply {
  /** Method and path without a query, `POST /api/sync`, or the path of a folder. */
  readonly request: string
  readonly times: readonly number[]
}

/** Serves a proxy that passes each request on, and falsifies one kind of reply. */
export function lyingService(api: string, lie: Lie): Promise<string> {
  let asked = 0
  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const response = await forward(api, incoming)
    const request = `${incoming.method} ${incoming.url?.split('?')[0]}`
    const isAsked = request === lie.request || request.startsWith(`${lie.request}/`)
    if (isAsked) asked += 1
    const {
      status = response.status,
      headers = {},
      body,
      text,
    } = isAsked && lie.times.includes(asked) ? lie : {}
    const truth = await response.text()
    outgoing.writeHead(status, { 'content-type': 'application/json', ...headers })
    outgoing.end(text ?? (body ? JSON.stringify({ ...parsed(truth), ...body }) : truth))
  }
  return listen(createServer((incoming, outgoing) => void answer(incoming, outgoing)))
}

function parsed(text: string): object {
  return text === '' ? {} : JSON.parse(text)
}

async function forward(api: string, incoming: IncomingMessage): Promise<Response> {
  const { authorization, origin, 'content-type': type } = incoming.headers
  const body = await buffer(incoming)
  return fetch(api + incoming.url, {
    method: incoming.method ?? 'GET',
    headers: {
      ...(authorization && { authorization }),
      ...(origin && { origin }),
      ...(type && { 'content-type': type }),
    },
    ...(body.length > 0 && { body }),
  })
}
