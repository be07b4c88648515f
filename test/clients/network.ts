import { type Deferred, deferred } from '../../client/src/values/deferred.ts'
import type { Platform, Socket } from '../../client/src/values/platform.ts'
import type { RunningCloud } from '../../infra/local/start-cloud.ts'
import { mintToken } from '../support/cloud/cloud.ts'
import { fetchDocumented } from '../support/documented.ts'

/** Local service, as `setup.ts` provides it. */
export type Service = Pick<RunningCloud, 'url' | 'outputs'>

/** Network of one device, which a test can break. Every reply is checked against docs/openapi.json. */
export class Network {
  #isOffline = false
  #losing = false
  #held: { readonly arrived: Deferred<void>; readonly released: Deferred<void> } | undefined
  readonly #sockets = new Set<WebSocket>()
  /** The changes of all pushes. */
  readonly pushes: unknown[] = []
  /** The messages that the sockets sent. */
  readonly messages: { readonly type: string }[] = []

  /** Replaces the network of a device. Without sockets a test decides when the device reads. */
  platform({ sockets = false }: { readonly sockets?: boolean } = {}): Partial<Platform> {
    const network = this
    class Wire extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols)
        network.#sockets.add(this)
      }

      override send(text: string): void {
        network.messages.push(JSON.parse(text))
        super.send(text)
      }
    }
    return {
      fetch: (url, init) => this.#fetch(String(url), init ?? {}),
      WebSocket: sockets ? (Wire as unknown as new (url: string, protocols: string[]) => Socket) : undefined,
    }
  }

  goOffline(): void {
    this.#isOffline = true
    this.loseSockets()
  }

  goOnline(): void {
    this.#isOffline = false
  }

  /** Lets the next push take effect, and loses its reply. */
  loseReply(): void {
    this.#losing = true
  }

  /** Lets the next push take effect, and holds its reply until it is released. */
  holdReply(): { readonly arrived: Promise<void>; release(): void } {
    const [arrived, released] = [deferred<void>(), deferred<void>()]
    this.#held = { arrived, released }
    return { arrived: arrived.promise, release: () => released.resolve() }
  }

  loseSockets(): void {
    for (const socket of this.#sockets) socket.close()
    this.#sockets.clear()
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    if (this.#isOffline) throw new TypeError('the network is gone')
    const response = await fetchDocumented(url, init)
    const changes = changesOf(init.body)
    this.pushes.push(...changes)
    if (changes.length > 0) await this.#hold()
    if (this.#losing && changes.length > 0) {
      this.#losing = false
      throw new TypeError('the connection was lost')
    }
    return response
  }

  async #hold(): Promise<void> {
    const held = this.#held
    this.#held = undefined
    held?.arrived.resolve()
    await held?.released.promise
  }
}

function changesOf(body: unknown): readonly unknown[] {
  const { changes = [] } = typeof body === 'string' ? (JSON.parse(body) as { changes?: unknown[] }) : {}
  return changes
}

/** Reads from a space, as a device of its own. */
export async function readerOf(service: Service, space: string) {
  const credentials = { token: await mintToken(service, space), clientId: crypto.randomUUID() }
  const { session } = await request<{ session: string }>(`${service.url}/api/auth`, undefined, credentials)
  return <T>(path: string, body?: object): Promise<T> => request<T>(service.url + path, session, body)
}

export async function request<T>(
  url: string,
  bearer: string | undefined,
  body?: object,
  method = 'POST',
): Promise<T> {
  const headers = {
    'content-type': 'application/json',
    ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
  }
  const sent = body === undefined ? { headers } : { method, headers, body: JSON.stringify(body) }
  const response = await fetchDocumented(url, sent)
  const text = await response.text()
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`)
  return JSON.parse(text) as T
}

/** Returns the name of a new space. */
export function newSpace(): string {
  return `clients-${crypto.randomUUID()}`
}
