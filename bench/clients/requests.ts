import { Client } from 'undici'

/** The text of a reply, and how long it took, ms. */
export interface Reply {
  readonly text: string
  readonly ms: number
}

export interface Poster {
  post(body: string): Promise<Reply>
  close(): Promise<void>
}

export interface Reader {
  get(path: string): Promise<Reply>
  close(): Promise<void>
}

type Headers = Readonly<Record<string, string>>

/** Posts on a connection of its own. */
export function poster(url: string, path: string, headers: Headers): Poster {
  const client = new Client(url)
  return {
    post: (body) => timed(client, { path, method: 'POST', headers, body }),
    close: () => client.close(),
  }
}

/** Reads on a connection of its own. */
export function reader(url: string, headers: Headers): Reader {
  const client = new Client(url)
  return { get: (path) => timed(client, { path, method: 'GET', headers }), close: () => client.close() }
}

async function timed(client: Client, request: Parameters<Client['request']>[0]): Promise<Reply> {
  const began = performance.now()
  const { statusCode, body } = await client.request(request)
  const text = await body.text()
  const ms = performance.now() - began
  if (statusCode > 201) throw new Error(`${statusCode}: ${text.slice(0, 300)}`)
  return { text, ms }
}
