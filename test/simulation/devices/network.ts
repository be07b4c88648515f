import type { Random } from '../values/random.ts'
import type { Tab } from './tab.ts'

/** A request over HTTP. */
export interface Call {
  readonly tab: Tab
  readonly path: string
  readonly bearer: string | undefined
  readonly body: string | undefined
  readonly resolve: (response: Response) => void
  readonly reject: (reason: unknown) => void
}

/** The response to a request. */
export interface Reply {
  readonly status: number
  readonly body: object
}

/** A message in flight. `line`: messages of the same connection and direction keep their order. */
export interface Parcel {
  readonly tab: Tab
  readonly line: object
  /** Whether it is an HTTP response, or the request of one. */
  readonly call?: Call
  readonly isAnswer: boolean
  readonly deliver: () => Promise<void> | void
}

/** Everything that is in flight between devices and the service. */
export class Network {
  #parcels: Parcel[] = []

  get isReady(): boolean {
    return this.#parcels.length > 0
  }

  send(parcel: Parcel): void {
    this.#parcels.push(parcel)
  }

  /** Takes any message; of one connection the oldest. */
  next(random: Random): Parcel {
    const { line } = random.pick(this.#parcels)
    const index = this.#parcels.findIndex((parcel) => parcel.line === line)
    return this.#parcels.splice(index, 1)[0] as Parcel
  }

  /** Drops what is in flight on a connection. */
  cut(line: object): void {
    this.#parcels = this.#parcels.filter((parcel) => parcel.line !== line)
  }
}

/** Sends a request, and waits for its response. */
export function fetchOver(network: Network, tab: Tab): typeof globalThis.fetch {
  return (url, init) => {
    const { promise, resolve, reject } = Promise.withResolvers<Response>()
    const { signal, body } = init ?? {}
    // The client passes its headers as a plain object.
    const headers = (init?.headers ?? {}) as Readonly<Record<string, string>>
    let isOver = false
    const end = (settle: () => void) => {
      if (!isOver) settle()
      isOver = true
    }
    signal?.addEventListener('abort', () => end(() => reject(signal.reason)))
    const call: Call = {
      tab,
      path: pathOf(String(url)),
      bearer: headers['authorization']?.replace('Bearer ', ''),
      body: typeof body === 'string' ? body : undefined,
      resolve: (response) => end(() => resolve(response)),
      reject: (reason) => end(() => reject(reason)),
    }
    // Requests overtake each other.
    network.send({ tab, line: call, call, isAnswer: false, deliver: () => {} })
    return promise
  }
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}

/** A response as the client reads it. */
export function responseOf({ status, body }: Reply): Response {
  const ok = status >= 200 && status < 300
  const type = ok ? 'application/json' : 'application/problem+json'
  // The client uses no more of a response than this.
  return {
    ok,
    status,
    url: 'http://service/',
    headers: new Headers({ 'content-type': type }),
    json: async () => body,
  } as unknown as Response
}
