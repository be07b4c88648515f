import { env } from 'cloudflare:workers'
import { expect, inject, test } from 'vitest'
import { pause } from '../support/worker/follower.ts'
import { CAMPAIGN_TIMEOUT_MS, enrol, stronghold, talkTo } from '../support/worker/stronghold.ts'
import { random } from './storm/random.ts'
import { examine, generate, type Sent, type Weather } from './storm/storm.ts'

/** A fixed sample: `npm run attack` sends 100,000 over HTTP. */
const REQUESTS = inject('thorough') ? 10_000 : 3_000

/** Prototypes that code misled by a key would have changed. */
const PROTOTYPES = [
  Object,
  Array,
  String,
  Number,
  Boolean,
  Function,
  Map,
  Set,
  Promise,
  Request,
  Response,
  Headers,
]

function shapes(): readonly string[] {
  return PROTOTYPES.map(({ name, prototype }) => `${name}: ${Reflect.ownKeys(prototype).map(String).sort()}`)
}

/** Returns null for a request that the platform cannot send. */
function toInit({ method, headers, body }: Sent): RequestInit | null {
  try {
    const init = { method, headers, ...(body !== null && { body }) }
    new Request('https://sync.example/', init)
    return init
  } catch {
    return null
  }
}

test(
  '[SC7] replies as documented to every generated request, without a failure, and keeps prototypes clean',
  async () => {
    const target = stronghold()
    const talk = talkTo(target)
    const by = random(20_261_124)
    const before = shapes()
    const weather: Weather = {}
    let { session } = await enrol(talk, { space: 's' }, 'c')
    let [sent, spaces] = [0, 1]
    for (let index = 0; index < REQUESTS; index++) {
      const request = generate(by, { session, admin: env.ADMIN_TOKEN })
      const init = toInit(request)
      if (init === null) continue
      sent += 1
      const response = await target.ask(request.path, init)
      if ((await examine(request, response, weather)) === 'usable') continue
      spaces += 1
      session = (await enrol(talk, { space: `s${spaces}` }, 'c')).session
    }
    expect(shapes()).toEqual(before)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(sent).toBeGreaterThan(REQUESTS * 0.9)
    expect(Object.keys(weather).length).toBeGreaterThan(15)
    await pause(50)
    expect(Object.keys(weather).filter((seen) => /failure|closed 1011/.test(seen))).toEqual([])
    expect(Object.keys(weather)).toEqual(
      expect.arrayContaining(['socket: ack 200', 'socket: error invalid-request', 'socket: pong']),
    )
    console.info(`SC7: ${sent} requests, ${spaces} spaces: ${JSON.stringify(weather)}`)
  },
  CAMPAIGN_TIMEOUT_MS,
)
