import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { defectLine } from '../../../worker/src/core/log-line.ts'
import { type Live, liveOf } from '../../../worker/src/objects/live/live.ts'
import { openSpace, type Space } from '../../../worker/src/objects/space/space.ts'
import { push } from '../../../worker/src/objects/write/sync.ts'
import { device, mint } from '../../support/worker/client.ts'
import { type Follower, follow, listeners } from '../../support/worker/follower.ts'

/** One socket of a new space, served with a clock and an environment that the test controls. */
export interface Bench {
  readonly live: Live
  readonly space: Space
  readonly socket: WebSocket
  readonly ctx: DurableObjectState
  /** Writes entries without a broadcast. */
  write(...keys: readonly string[]): Promise<void>
  pass(ms: number): void
}

/** Works on such a socket, and returns its client. `changed`: what differs in the environment. */
export async function onBench(
  changed: Partial<Env>,
  work: (bench: Bench) => Promise<void>,
): Promise<Follower> {
  const name = crypto.randomUUID()
  const client = await follow(await device(await mint({ space: name })))
  await client.next()
  const [listener] = await listeners(name)
  await runInDurableObject(env.CHRONICLE.getByName(name), async (_, ctx) => {
    const space = openSpace(ctx, env)
    let late = 0
    const clock = () => Date.now() + late
    const live = liveOf({
      ...{ ctx, env: { ...env, ...changed }, space, clock, newId: () => crypto.randomUUID() },
      observer: {
        synced() {},
        refused() {},
        failed: (thrown) => console.error(defectLine(env, crypto.randomUUID(), thrown)),
      },
    })
    await work({
      live,
      space,
      ctx,
      socket: ctx.getWebSockets()[0] as WebSocket,
      async write(...keys) {
        const changes = keys.map((key) => ({ key, value: 'x', timestamp: 1 }))
        if (listener === undefined) throw new Error('nobody follows')
        const session = { ...listener.session, client: 'another' }
        await push(space, session, { request: { changes }, now: Date.now() })
      },
      pass(ms) {
        late += ms
      },
    })
  })
  return client
}

/** Message that pushes one key. */
export function pushOf(id: string, key: string): string {
  return JSON.stringify({ type: 'push', id, body: { changes: [{ key, value: 1, timestamp: 1 }] } })
}
