import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import { handle } from '../../../worker/src/http/edge.ts'
import type { UsageMeter } from '../../support/usage.ts'
import { mint } from '../../support/worker/client.ts'
import { type Follower, followerOn } from '../../support/worker/follower.ts'

const ORIGIN = 'https://sync.example'
const JSON_TYPE = { 'content-type': 'application/json' }

export interface Reply {
  readonly status: number
  // The tests read replies as an untyped client does.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any
}

/** A device that edits as a good client does: each batch has a number, and each change has its base. */
export interface Editor {
  /** Makes the next batch: an edit of each key, and more fields. */
  batch(keys: readonly string[], more?: object): object
  /** Pushes a batch, of which every change must be applied. */
  push(batch: object): Promise<Reply>
  get(path: string): Promise<Reply>
  /** Follows the feed on a socket, from its present end. */
  follow(): Promise<Follower>
  /** Takes the versions of a reply as the bases of later edits. */
  learn(body: Reply['body']): void
}

/** A space in use: both of its devices have written, its alarm is set, and the isolate knows the configuration. */
export interface BusySpace {
  readonly stub: ReturnType<Env['CHRONICLE']['getByName']>
  readonly token: string
  readonly a: Editor
  readonly b: Editor
}

/** The key that both devices of a busy space edit. */
export const HOT_KEY = 'notes/1'

export async function busySpace(meter: UsageMeter): Promise<BusySpace> {
  const space = crypto.randomUUID()
  const stub = env.CHRONICLE.getByName(space)
  const epoch = await runInDurableObject(stub, (_, { storage }) => {
    meter.watch(storage)
    return storage.sql.exec<{ value: string }>(`SELECT value FROM meta WHERE name = 'epoch'`).one().value
  })
  // Every version contains the epoch, whose length is random. More than half of all epochs have ten characters.
  if (epoch.length !== 10) return busySpace(meter)
  const { token } = await mint({ space })
  const counted = meter.over(env)
  const bases = new Map<string, string>()
  const [a, b] = [
    await editor(counted, { token, clientId: 'a', bases }),
    await editor(counted, { token, clientId: 'b', bases }),
  ]
  for (const device of [a, b, a, b]) await device.push(device.batch([HOT_KEY]))
  return { stub, token, a, b }
}

/** Sends a request to the Worker, with the environment in which its calls of objects are counted. */
export async function send(counted: Env, path: string, init: RequestInit): Promise<Reply> {
  const response = await handle(new Request(ORIGIN + path, init), counted)
  return { status: response.status, body: await response.json() }
}

async function editor(
  counted: Env,
  {
    bases,
    ...credential
  }: { readonly token: string; readonly clientId: string; readonly bases: Map<string, string> },
): Promise<Editor> {
  const opening = { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(credential) }
  const { session } = (await send(counted, '/api/auth', opening)).body
  const authorization = `Bearer ${session}`
  let number = 0
  function learn(body: Reply['body']): void {
    for (const { key, status, version } of body.results) {
      expect(status).toBe('applied')
      bases.set(key, version)
    }
  }
  return {
    learn,
    batch(keys, more = {}) {
      number += 1
      const timestamp = Date.now()
      const changes = keys.map((key) => {
        return { key, value: documentOf(key), timestamp, base: bases.get(key) ?? null }
      })
      return { batch: number, clientTime: timestamp, changes, ...more }
    },
    async push(batch) {
      const headers = { ...JSON_TYPE, authorization }
      const reply = await send(counted, '/api/sync', { method: 'POST', headers, body: JSON.stringify(batch) })
      learn(reply.body)
      return reply
    },
    get: (path) => send(counted, path, { headers: { authorization } }),
    async follow() {
      const headers = { authorization, upgrade: 'websocket' }
      const { webSocket } = await handle(new Request(`${ORIGIN}/api/live`, { headers }), counted)
      if (webSocket === null) throw new Error('no socket')
      const follower = followerOn(webSocket)
      // The first frame names the end of the feed.
      follower.seen((await follower.next()).cursor)
      return follower
    },
  }
}

/**
 * Pushes an edit of the hot key on a socket of the device, which gets the reply and then its own change. Each socket
 * confirms the change.
 */
export async function pushOn(
  socket: Follower,
  device: Editor,
  others: readonly Follower[] = [],
): Promise<void> {
  socket.say({ type: 'push', id: 'edit', body: device.batch([HOT_KEY]) })
  device.learn((await socket.next()).body)
  for (const follower of [socket, ...others]) follower.seen((await follower.next()).cursor)
}

/** A document of about 250 bytes. */
function documentOf(key: string): object {
  return { id: key, title: 'Entry', tags: ['a', 'b'], done: true, body: 'lorem ipsum '.repeat(13) }
}
