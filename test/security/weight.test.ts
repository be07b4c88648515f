import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, inject, test } from 'vitest'
import { ROUTES, type Route } from '../../worker/src/http/router.ts'
import { documented } from '../support/documented.ts'
import { beforeOpening } from '../support/unkind/opening.ts'
import { follow } from '../support/worker/follower.ts'
import { nameOf, requestTo } from '../support/worker/routes.ts'
import { CAMPAIGN_TIMEOUT_MS, enrol, stronghold, talkTo } from '../support/worker/stronghold.ts'

const target = stronghold()
const talk = talkTo(target)

/** Length near the limit of a request, or a tenth of it: still far past the limit of every field but a value. */
const BODY = inject('thorough') ? 1_000_000 : 250_000

/** Length near the limit of a message. */
const MESSAGE = 980_000

function filled(part: string, opening: string, closing: string): string {
  const count = Math.floor((BODY - 200) / (part.length + 1))
  return `${opening}${Array(count).fill(part).join(',')}${closing}`
}

function wide(prefix: string): string {
  const fields = Array.from({ length: BODY / 14 }, (_, index) => `"${prefix}${index}":0`)
  return `{${fields.join(',')}}`
}

function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`
}

/** Heavy values to put in any field. */
const HEAVY: readonly (readonly [what: string, text: string])[] = [
  ['a list of objects', filled('{}', '[', ']')],
  ['a list of numbers', filled('0', '[', ']')],
  ['a list of lists', filled('[[]]', '[', ']')],
  ['an object of many fields', wide('f')],
  ['a text', `"${'x'.repeat(BODY - 200)}"`],
  ['a text of slashes', `"${'/'.repeat(BODY - 200)}"`],
  ['a text of escapes', `"${'\\u0001'.repeat((BODY - 200) / 6)}"`],
  ['nesting', nested(BODY / 2 - 100)],
  ['a long name', `{"${'n'.repeat(BODY - 200)}":0}`],
]

/** Bodies with a heavy value in each field of a route in turn, and in an unknown one. */
function bodiesOf(route: Route): readonly (readonly [what: string, body: string])[] {
  const [, { body }] = requestTo(route)
  if (typeof body !== 'string' || nameOf(route) === 'POST /api/import') return []
  const fields = JSON.parse(body) as Record<string, unknown>
  const more = nameOf(route) === 'PUT /api/config' ? ['policies', 'identityProviders', 'quota'] : []
  return HEAVY.flatMap(([what, text]) => [
    [`${what} in place of all`, text] as const,
    ...[...Object.keys(fields), ...more, 'unknown'].map((name) => {
      const rest = Object.entries(fields).filter(([other]) => other !== name)
      const texts = rest.map(([other, value]) => `${JSON.stringify(other)}:${JSON.stringify(value)},`)
      return [`${what} as ${name}`, `{${texts.join('')}${JSON.stringify(name)}:${text}}`] as const
    }),
  ])
}

const BODIES = (ROUTES as readonly Route[]).flatMap((route) =>
  bodiesOf(route).map(([what, body]) => ({ route, what, body })),
)

test(
  '[SC14] refuses values that are far too wide, long or deep in a few words, and serves others meanwhile',
  async () => {
    const space = crypto.randomUUID()
    const { session } = await enrol(talk, { space })
    const neighbour = await enrol(talk, { space })
    let [slowest, longest] = [{ ms: 0, what: '' }, 0]
    for (const { route, what, body } of BODIES) {
      const bearer = { admin: env.ADMIN_TOKEN, monitor: env.ADMIN_TOKEN, session, anyone: undefined }[
        route.access
      ]
      const [path, init] = requestTo(route, { bearer })
      const began = performance.now()
      const asked = target.ask(path, { ...init, body })
      const beside = talk('GET', '/api/status', { bearer: neighbour.session })
      const request = new Request(`https://sync.example${path}`, { method: route.method })
      const response = await documented(request, await asked)
      const ms = performance.now() - began
      if (ms > slowest.ms) slowest = { ms, what: `${nameOf(route)}: ${what}` }
      const text = await response.text()
      longest = Math.max(longest, text.length)
      // Any text is a cursor.
      expect([200, 400, 401, 404, 409, 413, 422], `${nameOf(route)}: ${what}: ${text}`).toContain(
        response.status,
      )
      expect(text.length, `${nameOf(route)}: ${what}`).toBeLessThan(1_000)
      expect((await beside).status).toBe(200)
    }
    console.info(
      `SC14: ${BODIES.length} bodies of ${BODY / 1_000} kB, the slowest ${Math.round(slowest.ms)} ms (${slowest.what}), replies up to ${longest} characters`,
    )
  },
  CAMPAIGN_TIMEOUT_MS,
)

test('[SC14] refuses a query, a header and a credential that are far too long', async () => {
  const { session } = await enrol(talk, { space: crypto.randomUUID() })
  const many = Array.from({ length: 5_000 }, (_, index) => index.toString(36))
  const queries = [
    many.join('&'),
    many.map((name) => `${name}=${name}`).join('&'),
    `cursor=${'x'.repeat(60_000)}`,
    `limit=${'1'.repeat(60_000)}`,
    `collections=${many.join(',')}`,
    `collections=${'c'.repeat(60_000)}`,
    `collections=${','.repeat(60_000)}`,
    `${'n'.repeat(60_000)}=1`,
  ]
  for (const query of queries) {
    const { status, body } = await talk('GET', `/api/changes?${query}`, { bearer: session })
    if (status !== 200) expect(JSON.stringify(body).length, query.slice(0, 20)).toBeLessThan(1_000)
    expect([200, 422], query.slice(0, 20)).toContain(status)
  }
  for (const [name, value] of [
    ['if-none-match', '"a",'.repeat(20_000)],
    ['if-none-match', `"${'a'.repeat(60_000)}`],
    ['authorization', `Bearer ${'a.'.repeat(30_000)}`],
    ['authorization', `Bearer${' '.repeat(60_000)}`],
    ['origin', `https://${'a.'.repeat(30_000)}`],
    ['content-type', ';'.repeat(60_000)],
    ['x-request-id', 'a'.repeat(60_000)],
  ] as const) {
    const headers = { authorization: `Bearer ${session}`, [name]: value }
    const response = await target.ask('/api/status', { headers })
    expect([200, 401], name).toContain(response.status)
  }
})

/** Configures the requests a minute of each client. */
async function allow(client: number): Promise<void> {
  const { body } = await talk('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
  const wanted = { revision: body.revision, requestsPerMinute: { client } }
  const { status } = await talk('PUT', '/api/config', { body: wanted, bearer: env.ADMIN_TOKEN })
  expect(status).toBe(200)
}

beforeEach(() => allow(600))

/** Floods of messages, each with the close code that ends it at the latest. */
const FLOODS: readonly (readonly [
  what: string,
  message: (epoch: string, count: number) => string,
  code: number,
])[] = [
  ['no JSON', () => '{', 4429],
  ['a large one that is no JSON', () => '{'.repeat(MESSAGE), 1009],
  ['a large one of no kind', () => `{"type":"x","pad":[${'0,'.repeat(MESSAGE / 2)}0]}`, 1009],
  ['a large one under a wrong name', () => `{"${'n'.repeat(MESSAGE)}":"push"}`, 1009],
  ['a large seen', () => `{"type":"seen","cursor":"${'x'.repeat(MESSAGE)}"}`, 1009],
  ['pings of another spelling', () => '{"type": "ping"}', 4429],
  [
    'positions from before',
    (epoch, count) => JSON.stringify({ type: 'seen', cursor: `${epoch}.${1 + (count % 2)}` }),
    4429,
  ],
  ['positions of nobody', () => '{"type":"seen","cursor":"x"}', 4429],
  [
    'pushes of too many changes',
    () => `{"type":"push","id":"x","body":{"changes":[${'{},'.repeat(MESSAGE / 3)}{}]}}`,
    4429,
  ],
  ['pushes of nothing', () => '{"type":"push","id":"x","body":{"changes":[]}}', 4429],
  ['pulls', () => '{"type":"push","id":"x","body":{"changes":[],"cursor":null}}', 4429],
]

test.each(FLOODS)(
  '[LV20] a flood of %s ends after a bounded amount of work',
  async (what, messageOf, code) => {
    await allow(30)
    const space = crypto.randomUUID()
    const { session: writer } = await enrol(talk, { space })
    for (let batch = 0; batch < 3; batch++) {
      const changes = [{ key: `k/${batch}`, value: 'v'.repeat(1_000), timestamp: 1 }]
      await talk('POST', '/api/sync', { body: { changes }, bearer: writer })
    }
    const { body: status } = await talk('GET', '/api/status', { bearer: writer })
    const { session } = await enrol(talk, { space, scopes: ['sync:read'] })
    // An object that wakes has no change in memory.
    await evictDurableObject(env.CHRONICLE.getByName(space))
    const socket = await follow({ session }, `?cursor=${status.epoch}.0`)
    await socket.next()
    let opened = 0
    beforeOpening(() => {
      opened += 1
    })
    const messages = Array.from({ length: 50 }, (_, count) => messageOf(status.epoch, count))
    const began = performance.now()
    for (const message of messages) socket.say(message)
    const beside = await talk('GET', '/api/changes', { bearer: writer })
    const waited = Math.round(performance.now() - began)
    expect(beside.status).toBe(200)
    // The client confirms nothing here: unconfirmed acks end the socket too.
    expect([code, 1013]).toContain((await socket.closed()).code)
    expect(opened, 'chunks opened').toBeLessThanOrEqual(30 * 3 + 3)
    const left = await runInDurableObject(env.CHRONICLE.getByName(space), (_, ctx) =>
      ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN),
    )
    expect(left).toEqual([])
    console.info(
      `LV20: ${what}: ended with ${code}, ${opened} chunks opened, another member waited ${waited} ms`,
    )
  },
)
