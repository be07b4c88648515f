import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { decodeChunks, versionsOf } from '../../../worker/src/core/log/chunk.ts'
import { DEFAULT_CONFIG } from '../../../worker/src/core/space/config.ts'
import { spaceKeys } from '../../../worker/src/objects/store/seal.ts'
import { CONFIG_KEY } from '../../../worker/src/schema/stored/config.ts'
import type { Dispute, Journal, Tip } from '../../simulation/checks/journal.ts'
import { newcomer, type Seat } from '../../simulation/clients/cast.ts'
import { closeWorld } from '../../simulation/history/closing.ts'
import type { Host } from '../../simulation/history/host.ts'
import { EVERYWHERE, type Operation, operate } from '../../simulation/history/operations.ts'
import { World } from '../../simulation/history/world.ts'
import { readLog } from '../../simulation/host/log-reader.ts'
import type { Letter } from '../../simulation/network/letters.ts'
import { type Ears, Lines } from '../../simulation/network/lines.ts'
import { Random } from '../../simulation/values/random.ts'
import {
  type Answer,
  type ConflictReport,
  type Entry,
  isGranted,
  POLICIES,
  type Policy,
  type Resolution,
} from '../../simulation/values/wire.ts'
import { examineFrame } from '../../support/setup/witness.ts'
import { HEADS } from '../../support/stored-rows.ts'
import { type Device, device, mint, type Reply, send } from '../../support/worker/client.ts'
import { askPlainly, until } from '../../support/worker/follower.ts'

const COLLECTIONS = ['notes', 'tasks', 'default'] as const

/** Space behind the whole Worker: sessions, HTTP, the object in its runtime. */
class WorkerHost implements Host {
  readonly horizon = 0
  readonly sockets = new Lines()
  readonly policies = new Map<string, ReadonlySet<Policy>>()
  readonly #space = crypto.randomUUID()
  readonly #devices = new Map<string, Promise<Device>>()
  readonly #underWay = new Set<Promise<unknown>>()

  /** Stores the configuration before the space exists: the space reads it when it wakes. */
  async configure(random: Random): Promise<void> {
    const policies = Object.fromEntries(COLLECTIONS.map((name) => [name, random.pick(POLICIES)]))
    for (const name of COLLECTIONS) this.policies.set(name, new Set([policies[name] ?? 'lww']))
    await env.CHRONICLE_KV.put(CONFIG_KEY, JSON.stringify({ ...DEFAULT_CONFIG, revision: 1, policies }))
  }

  async handle({ seat, request, live }: Letter): Promise<Answer> {
    if (live) return this.#track(this.sockets.push(seat, request))
    const device = await this.#device(seat)
    const reply = await this.#track(device.sync(request))
    return reply.status === 200 ? { kind: 'reply', reply: reply.body } : refusal(reply)
  }

  /** Follows a client's space from the position of its copy. */
  async follow(seat: Seat, ears: Ears): Promise<void> {
    const { asks } = seat.client.habits
    const query = new URLSearchParams({ cursor: seat.client.cursor ?? '' })
    if (asks !== undefined) query.set('collections', asks.join())
    const { session } = await this.#device(seat)
    const { status, webSocket } = await askPlainly(session, `?${query}`)
    if (webSocket === null) throw new Error(`no socket: ${status}`)
    webSocket.addEventListener('message', ({ data }) => examineFrame(String(data)))
    this.sockets.take(seat, webSocket, ears)
    webSocket.accept()
  }

  async resolve(seat: Seat, { id, ...body }: Resolution): Promise<Answer> {
    const { session } = await this.#device(seat)
    const reply = await this.#track(send('POST', `/api/conflicts/${id}/resolve`, { body, bearer: session }))
    return reply.status === 200 ? { kind: 'resolved', ...reply.body } : refusal(reply)
  }

  /** Waits for the first reply in flight. */
  async proceed(): Promise<boolean> {
    if (this.#underWay.size === 0) return false
    await Promise.race(this.#underWay)
    return true
  }

  async settle(): Promise<void> {}

  threaten(): void {}

  /** Evicts the object, which starts again with the next request. No request is in flight in it. */
  async evict(): Promise<void> {
    await evictDurableObject(env.CHRONICLE.getByName(this.#space))
  }

  async note(journal: Journal): Promise<void> {
    if (this.#underWay.size > 0) return
    await runInDurableObject(env.CHRONICLE.getByName(this.#space), async (_, { id, storage: { sql } }) => {
      const after = journal.last
      const rows = sql.exec<{ body: ArrayBuffer; last: number }>(
        'SELECT body, last FROM segment WHERE last > ?',
        after,
      )
      const found = rows.toArray()
      const keys = await spaceKeys(env.MASTER_KEY, id.toString())
      const segments = found.map(({ body }) => new Uint8Array(body))
      journal.note({
        versions: await readLog({ decodeChunks, versionsOf }, { segments, keys, after }),
        stands: [
          {
            last: found.at(-1)?.last ?? after,
            tips: sql.exec(HEADS).toArray() as unknown as Tip[],
          },
        ],
        disputes: sql.exec('SELECT id, loser, open FROM conflict').toArray() as unknown as Dispute[],
      })
    })
  }

  async conflicts(granted: readonly string[] | null): Promise<readonly ConflictReport[]> {
    const reader = await this.#reader(granted)
    const found: ConflictReport[] = []
    for (let after: number | null = 0; after !== null; ) {
      const { body }: Reply = await reader.get(`/api/conflicts?after=${after}&limit=20`)
      found.push(...body.conflicts)
      after = body.next
    }
    return found
  }

  async history(key: string): Promise<readonly Entry[]> {
    const reader = await this.#reader(null)
    const { body } = await reader.get(`/api/history?key=${encodeURIComponent(key)}&limit=100`)
    return body.versions ?? []
  }

  #device({ client: { habits } }: Seat): Promise<Device> {
    const { id, subject, granted, reads } = habits
    const found = this.#devices.get(id) ?? this.#open({ id, subject, granted, reads })
    this.#devices.set(id, found)
    return found
  }

  #reader(granted: readonly string[] | null): Promise<Device> {
    return this.#open({ id: crypto.randomUUID(), subject: 'reader', granted, reads: true })
  }

  async #open(of: Pick<Seat['client']['habits'], 'id' | 'subject' | 'granted' | 'reads'>): Promise<Device> {
    const scopes = of.reads ? ['sync:read', 'sync:write'] : ['sync:write']
    const collections = of.granted === null ? {} : { collections: of.granted }
    const { token } = await mint({ subject: of.subject, space: this.#space, scopes, ...collections })
    return device({ token, clientId: of.id })
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }
}

function refusal({ body }: Pick<Reply, 'body'>): Answer {
  return { kind: 'refused', code: body.code }
}

/** Evicts the object, which starts again with the next request or message. */
const EVICTION: Operation<WorkerHost> = {
  weight: 10,
  async run(world) {
    await world.drain()
    await world.host.evict()
    world.count('kills')
  },
}

const ON_SOCKETS: readonly Operation<WorkerHost>[] = [
  /** Lets a client follow that has a copy and waits for no reply. */
  {
    weight: 30,
    async run(world) {
      const { random, seats, host } = world
      const seat = random.pick(seats)
      if (!seat.client.habits.pulls || seat.client.cursor === null) return
      if (seat.open === null && !host.sockets.has(seat)) await host.follow(seat, world)
    },
  },

  /** Waits long enough for some frames. */
  { weight: 20, run: ({ random }) => scheduler.wait(random.between(0, 15)) },

  /** Breaks a connection. */
  {
    weight: 2,
    run(world) {
      const { followers } = world.host.sockets
      if (followers.length > 0) world.cut(world.random.pick(followers))
    },
  },
]

async function makeHistory(seed: number, operations: readonly Operation<WorkerHost>[], steps: number) {
  const random = new Random(seed)
  const host = new WorkerHost()
  await host.configure(random)
  const world = new World(random, host, { now: Date.now() })
  for (let step = 0; step < steps; step++) {
    world.now = Date.now()
    await operate(world, operations)
  }
  await world.calm()
  return world
}

/** Expects every follower to receive one more write unasked. */
async function expectHeard(world: World<WorkerHost>): Promise<void> {
  const { sockets } = world.host
  const writer = newcomer(world.random, 'writer')
  while (!writer.client.caughtUp) await world.exchange(writer)
  const key = 'notes/1'
  writer.client.edit({ key, value: 'the last', timestamp: world.now, ...writer.client.baseOf(key) })
  await world.exchange(writer)
  for (const { client } of sockets.followers) {
    if (!isGranted(client.habits.granted, key) || !isGranted(client.habits.asks, key)) continue
    await until(async () => {
      await world.heed()
      return client.copy.get(key)?.value === 'the last'
    })
  }
}

for (const seed of [1, 2, 3, 4]) {
  test(`keeps every invariant in a history over HTTP with evictions: seed ${seed}`, async () => {
    const world = await makeHistory(seed, [...EVERYWHERE, EVICTION], 150)
    await closeWorld(world)
    expect(world.figures.get('requests')).toBeGreaterThan(30)
    expect(world.figures.get('kills')).toBeGreaterThan(2)
  })
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`keeps every invariant in a history on sockets too: seed ${seed}`, async () => {
    const world = await makeHistory(seed, [...EVERYWHERE, EVICTION, ...ON_SOCKETS], 400)
    await expectHeard(world)
    await world.calm()
    await closeWorld(world)
    expect(world.figures.get('frames')).toBeGreaterThan(2)
    expect(world.figures.get('cuts')).toBeGreaterThan(0)
    expect(world.figures.get('kills')).toBeGreaterThan(2)
  })
}
