import { expect } from 'vitest'
import { enrol, stronghold, talkTo } from '../support/worker/stronghold.ts'

/** Matches a canary, with the number of its owner. */
const CANARY = /canary-(\d+)-\w*/g

const T = Date.now() - 60_000

const target = stronghold()
export const talk = talkTo(target)

/** Subject with a space of its own that holds canaries in every kind of content. */
export interface Tenant {
  readonly number: number
  readonly client: string
  readonly session: string
  readonly tokenId: string
  readonly space: string
  readonly key: string
  readonly cursor: string
  readonly version: string
  readonly conflict: number
}

/** Fills a new space with keys, values, conflicts and history that carry the number of their owner. */
export async function tenant(number: number): Promise<Tenant> {
  const canary = (what: string) => `canary-${number}-${what}`
  const [space, client] = [canary('space'), canary('phone')]
  const named = { subject: canary('subject'), space, name: canary('name') }
  const { session, tokenId } = await enrol(talk, named, client)
  const other = await enrol(talk, named, canary('tablet'))
  const key = `${canary('notes')}/1`
  const sync = (bearer: string, body: object) => talk('POST', '/api/sync', { bearer, body })
  await sync(session, {
    changes: [
      { key, value: canary('first'), timestamp: T },
      { key: `${canary('notes')}/2`, value: { [canary('field')]: canary('second') }, timestamp: T },
      { key: canary('gone'), value: canary('deleted'), timestamp: T },
    ],
  })
  await sync(session, { changes: [{ key: canary('gone'), deleted: true, timestamp: T + 1 }] })
  const changes = [{ key, value: canary('third'), timestamp: T + 2, base: null }]
  const { body } = await sync(other.session, { changes, cursor: null })
  expect(body.conflicts).toHaveLength(1)
  const [{ id: conflict }] = body.conflicts
  return { number, client, session, tokenId, space, key, cursor: body.cursor, version: body.head, conflict }
}

/** Returns the owners of the canaries in a text, except those that the request contained. */
export function ownersIn(text: string, asked: string): readonly number[] {
  const own = new Set(Array.from(asked.matchAll(CANARY), ([canary]) => canary))
  const found = Array.from(text.matchAll(CANARY)).filter(([canary]) => !own.has(canary))
  return [...new Set(found.map(([, number]) => Number(number)))]
}

/** Reply with its status, headers and body as text. */
export interface Heard {
  readonly status: number
  readonly asked: string
  readonly text: string
}

/** Sends one request, and returns the whole reply. */
export async function hear(
  [method, path, body]: readonly [method: string, path: string, body?: object],
  { bearer, headers = {} }: { readonly bearer: string; readonly headers?: Record<string, string> },
): Promise<Heard> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await target.ask(path, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      ...headers,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...sent,
  })
  const text = new TextDecoder().decode(await response.arrayBuffer())
  const lines = Array.from(response.headers, ([name, value]) => `${name}: ${value}`)
  const asked = `${decodeURIComponent(path)} ${sent.body ?? ''} ${JSON.stringify(headers)}`
  return { status: response.status, asked, text: `${lines.join('\n')}\n${text}` }
}

/** Reads everything that a session may read of its space. */
export async function everything(session: string): Promise<readonly Awaited<ReturnType<typeof talk>>[]> {
  const paths = ['/api/changes', '/api/conflicts', '/api/status']
  return Promise.all(paths.map((path) => talk('GET', path, { bearer: session })))
}
