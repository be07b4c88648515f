import type {
  Change,
  Conflict,
  FeedEntry,
  Result,
  SyncReply,
  SyncRequest,
} from '../../../client/src/values/wire.ts'

/** A request as it arrived. */
export interface Arrived {
  readonly path: string
  readonly method: string
  readonly at: number
  readonly body: Record<string, unknown>
}

interface Sent {
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

type Batch = { readonly number: number; readonly results: readonly Result[] }
const EPOCH = 'one'
const HOME = { subject: 'ann', space: 'ann', epoch: EPOCH }

type Answer = Response | undefined | Promise<Response | undefined>

/**
 * Service of one space for tests that have to choose its answers. It applies every change, and knows pages, batch
 * numbers, replays and a space that was set back. Tests of what the service really decides run against the real one.
 */
export class PlainService {
  readonly requests: Arrived[] = []
  readonly sessions = new Set<string>()
  pageSize = 500
  /** Answers in place of the service, if it returns something. */
  answer: (request: Arrived) => Answer = () => undefined
  /** Answers in place of the service, after the request took effect. */
  reanswer: (request: Arrived) => Answer = () => undefined
  /** Decides a change in place of the service. */
  decide: (change: Change) => { readonly result: Result; readonly conflict?: Conflict } | undefined = () =>
    undefined
  readonly #now: () => number
  readonly #feed = new Map<string, FeedEntry>()
  readonly #batches = new Map<string, Batch>()
  #head = 0
  #opened = 0

  constructor(now: () => number = () => 0) {
    this.#now = now
  }

  /** Answers a request. Like any network, it gives up when it is told to. */
  readonly fetch = (url: string, init: Sent = {}): Promise<Response> =>
    new Promise((resolve, reject) => {
      init.signal?.addEventListener('abort', () => reject(init.signal?.reason))
      this.#answer(url, init).then(resolve, reject)
    })

  async #answer(url: string, init: Sent): Promise<Response> {
    const body = (init.body === undefined ? {} : JSON.parse(init.body)) as Arrived['body']
    const path = new URL(url).pathname
    const request = { path, method: init.method ?? 'GET', at: this.#now(), body }
    this.requests.push(request)
    const instead = await this.answer(request)
    if (instead) return instead
    const bearer = init.headers?.['authorization']?.slice('Bearer '.length) ?? ''
    const response = this.#serve(request, bearer)
    return (await this.reanswer(request)) ?? response
  }

  /** Number of requests of a path. */
  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length
  }

  /** The batches that arrived, as the keys of their changes. */
  get pushes(): string[][] {
    return this.requests.filter(isPush).map((push) => changesOf(push).map(({ key }) => key))
  }

  /** Another device writes, or deletes if there is no value. */
  write(key: string, value?: unknown): string {
    this.#head += 1
    const version = `${EPOCH}.${this.#head}`
    const content = value === undefined ? { deleted: true as const } : { value }
    this.#feed.delete(key)
    this.#feed.set(key, { key, version, timestamp: this.#now(), by: 'other', ...content } as FeedEntry)
    return version
  }

  values(): Record<string, unknown> {
    const entries = [...this.#feed.values()].filter((entry) => !entry.deleted)
    return Object.fromEntries(entries.map((entry) => [entry.key, 'value' in entry ? entry.value : undefined]))
  }

  /** Sets the space back to its first versions, as a restored database would be. */
  setBack(head: number): void {
    for (const [key, { version }] of this.#feed) if (seqOf(version) > head) this.#feed.delete(key)
    this.#head = head
  }

  /** Serves a push of a socket. */
  sync(body: SyncRequest, clientId: string): SyncReply {
    const answered = this.#batch(body, clientId)
    return { ...this.#page(body.cursor ?? null, answered), ...answered } as SyncReply
  }

  #serve({ path, method, body }: Arrived, bearer: string): Response {
    if (path === '/api/auth' && method === 'POST') return this.#admit(body)
    if (!this.sessions.has(bearer)) return problem(401, 'session-ended')
    if (path === '/api/auth') {
      this.sessions.delete(bearer)
      return json({ success: true })
    }
    if (path === '/api/live/ticket') return json({ ticket: 'ticket' })
    if (path !== '/api/sync') return problem(404, 'not-found')
    return this.#push(body as unknown as SyncRequest, bearer.split('/')[1] ?? '')
  }

  #admit({ clientId }: Arrived['body']): Response {
    this.#opened += 1
    const session = `s${this.#opened}/${clientId}`
    this.sessions.add(session)
    const lastBatch = this.#batches.get(String(clientId))?.number ?? 0
    return json({ success: true, session, clientId, ...HOME, lastBatch, limits: {} })
  }

  #push(body: SyncRequest, clientId: string): Response {
    const last = this.#batches.get(clientId)?.number ?? 0
    const { batch = last + 1 } = body
    if (batch > last + 1) return problem(409, 'batch-gap', { expected: last + 1 })
    if (batch < last) return problem(409, 'batch-too-old', { expected: last + 1 })
    return json(this.sync(body, clientId))
  }

  #batch({ batch, changes = [] }: SyncRequest, clientId: string) {
    const known = this.#batches.get(clientId)
    if (batch !== undefined && known?.number === batch)
      return { results: known.results, conflicts: [], replayed: true }
    const decided = changes.map((change) => this.decide(change) ?? { result: this.#apply(change) })
    const results = decided.map(({ result }) => result)
    if (batch !== undefined) this.#batches.set(clientId, { number: batch, results })
    const conflicts = decided.flatMap(({ conflict }) => conflict ?? [])
    return { results, conflicts, replayed: false }
  }

  #apply({ key, timestamp, ...change }: Change): Result {
    const value = 'value' in change ? change.value : undefined
    const current = this.#feed.get(key)
    const content = current && 'value' in current && !current.deleted ? current.value : undefined
    const isSame = JSON.stringify(content) === JSON.stringify(value)
    if (isSame)
      return { key, status: 'noop', ...(content !== undefined && { version: current?.version }) } as Result
    return { key, status: 'applied', version: this.write(key, value) }
  }

  #page(cursor: string | null, { results, replayed }: { results: readonly Result[]; replayed: boolean }) {
    const seq = cursor === null ? 0 : seqOf(cursor)
    const isAhead = seq > this.#head
    const from = isAhead ? 0 : seq
    const own = new Set(results.map((result) => (result.status === 'applied' ? result.version : undefined)))
    const leavesOut = cursor !== null && !isAhead && !replayed
    const due = [...this.#feed.values()].filter(({ version }) => seqOf(version) > from)
    const page = due.slice(0, this.pageSize)
    const more = due.length > page.length
    const end = more ? seqOf(page.at(-1)?.version ?? `.${from}`) : this.#head
    return {
      changes: leavesOut ? page.filter(({ version }) => !own.has(version)) : page,
      cursor: `${EPOCH}.${end}`,
      more,
      ...(isAhead ? { reset: true, resetReason: 'head' } : { reset: false }),
    }
  }
}

function changesOf({ body }: Arrived): readonly Change[] {
  return (body['changes'] ?? []) as Change[]
}

/** Whether a request sends changes. */
export function isPush(request: Arrived): boolean {
  return request.path === '/api/sync' && changesOf(request).length > 0
}

function seqOf(version: string): number {
  return Number(version.split('.')[1])
}

function json(body: object): Response {
  return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } })
}

/** A refusal as the service words it. */
export function problem(status: number, code: string, more: object = {}): Response {
  const { retryAfter, ...fields } = more as { retryAfter?: number }
  return new Response(JSON.stringify({ status, code, detail: `refused: ${code}`, ...fields }), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    },
  })
}

/** The reply of a proxy that knows nothing of the service. */
export function page(status: number): Response {
  return new Response('<html>Bad Gateway</html>', { status, headers: { 'content-type': 'text/html' } })
}
