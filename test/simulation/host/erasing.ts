import { newcomer, type Seat } from '../clients/cast.ts'
import { makeEdits } from '../clients/edits.ts'
import type { World } from '../history/world.ts'
import type { Answer, Request } from '../values/wire.ts'
import type { NodeHost } from './node-host.ts'

/** More statements than an erasure has. */
const STATEMENTS = 20

/** How often an erasure that nobody has acknowledged is asked for again. */
const ATTEMPTS = 10

/** Erases the space of a history while requests are under way, by a process that may die: nobody from before comes back. */
export async function eraseSpaceOf(world: World<NodeHost>): Promise<void> {
  const { random, host, seats } = world
  for (const seat of seats) {
    makeEdits(seat, world.now, random)
    if (seat.client.habits.pulls && !host.sockets.has(seat)) host.follow(seat, world)
    world.send(seat)
  }
  for (let letters = random.between(0, 4); letters > 0 && world.uplink.length > 0; letters--)
    await world.deliver(world.nextLetter())
  await eraseUntilDone(world)
  world.verdicts.expect(host.sockets.followers.length === 0, 'SP1', () => 'sockets outlive an erasure')
  await expectNew(world)
}

async function eraseUntilDone(world: World<NodeHost>): Promise<void> {
  const { random, host } = world
  let done = false
  for (let attempt = 1; !done && attempt <= ATTEMPTS; attempt++) {
    if (random.chance(0.8) && attempt < ATTEMPTS) host.server.light(random.between(1, STATEMENTS))
    await world.start(async () => {
      done = await host.server.erase(`e${attempt}`, world.now)
    })
    await world.drain()
    world.count('erasures')
    if (host.server.space.state.epoch !== 'e') await expectRefused(world)
  }
}

/** Sessions from before the erasure get nothing, and leave nothing. */
async function expectRefused(world: World<NodeHost>): Promise<void> {
  for (const seat of world.seats) {
    const { clientTime: _, ...request } =
      seat.open ?? seat.client.request({ size: 5, atomic: false, clock: 0 })
    const answer = await ask(world, seat, request)
    const code = answer.kind === 'refused' ? answer.code : null
    // The process may have died of what was to end the erasure.
    if (answer.kind === 'lost') continue
    const isRefused = code === 'revoked' || code === 'space-erased'
    world.verdicts.expect(
      isRefused,
      'SP1',
      () => `${seat.client.habits.id} comes back after an erasure and gets ${JSON.stringify(answer)}`,
    )
  }
}

/** Who comes with a later token finds nothing of what was. */
async function expectNew(world: World<NodeHost>): Promise<void> {
  const { session, ...seat } = newcomer(world.random, 'new')
  const later = { ...seat, session: { ...session, issuedAt: world.now + 1 } }
  world.now += 10
  world.host.server.restart()
  const answer = await ask(world, later, { cursor: 'e.1', changes: [] })
  const isNew = answer.kind === 'reply' && answer.reply.reset === true && answer.reply.changes.length === 0
  world.verdicts.expect(isNew, 'SP1', () => `after an erasure there is ${JSON.stringify(answer)}`)
}

async function ask(world: World<NodeHost>, { session }: Seat, request: Request): Promise<Answer> {
  const { server } = world.host
  let answer: Answer = { kind: 'lost' }
  await world.start(async () => {
    answer = await server.handle(session, request, world.now)
  })
  await world.drain()
  return answer
}
