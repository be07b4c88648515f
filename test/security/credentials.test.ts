import { listDurableObjectIds } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Route } from '../../worker/src/http/router.ts'
import { device, mint, send } from '../support/worker/client.ts'
import { requestTo, routesFor } from '../support/worker/routes.ts'
import { type Stronghold, sessionLike, stronghold } from '../support/worker/stronghold.ts'
import { damages, type Forgery, flips, imitations, replaceAt, substitutions } from './forgery.ts'

/** Sends forged credentials to some routes in turn. Each must be refused without a call of an object. */
async function assault(
  target: Stronghold,
  forgeries: readonly Forgery[],
  routes: readonly Route[],
): Promise<{ refused: number; unsendable: number }> {
  let [refused, unsendable] = [0, 0]
  for (const [index, { how, text }] of forgeries.entries()) {
    const [path, init] = requestTo(routes[index % routes.length] as Route, { bearer: text })
    if (!isSendable(init)) {
      unsendable += 1
      continue
    }
    const response = await target.ask(path, init)
    const { code } = (await response.json()) as { code: string }
    expect(`${response.status} ${code}`, `${init.method} ${path}: ${how}`).toMatch(
      /^401 (unauthorized|session-expired)$/,
    )
    expect(response.headers.get('www-authenticate')).toContain('Bearer')
    refused += 1
  }
  expect(target.reached()).toBe(0)
  return { refused, unsendable }
}

/** False for an invalid header value, and for one that is not ASCII, about which the runtime logs at length. */
function isSendable({ headers }: RequestInit): boolean {
  try {
    return /^[\x20-\x7e\t]*$/.test(new Headers(headers).get('authorization') ?? '')
  } catch {
    return false
  }
}

/** False for a forgery that is valid once HTTP has trimmed its white space. */
function isOther(text: string): ({ text }: Forgery) => boolean {
  return (forgery) => forgery.text.trim() !== text
}

test('[SC1] refuses every forged or damaged session on every route, and wakes no object', async () => {
  const target = stronghold()
  const valid = await sessionLike()
  const routes = routesFor('session')
  const before = (await listDurableObjectIds(env.CHRONICLE)).length
  const signed = Array.from({ length: 43 }, (_, place) => valid.length - 43 + place)
  const damaged = [...flips(valid), ...substitutions(valid, signed), ...damages(valid)].filter(isOther(valid))
  const bulk = await assault(target, damaged, routes)
  const made = await imitations()
  let imitated = 0
  for (const route of routes) imitated += (await assault(target, made, [route])).refused
  expect((await listDurableObjectIds(env.CHRONICLE)).length).toBe(before)
  console.info(
    `SC1: ${bulk.refused} damaged sessions over ${routes.length} routes, ${made.length} imitations to each: ` +
      `${bulk.refused + imitated} refused, 0 accepted, 0 objects woken; ${bulk.unsendable} no client can send`,
  )
  expect(bulk.refused).toBeGreaterThan(5_000)
  const [path, init] = requestTo(routes.find((route) => route.path === '/api/status') as Route, {
    bearer: valid,
  })
  expect((await target.ask(path, init)).status).toBe(200)
  expect(target.reached()).toBeGreaterThan(0)
})

/** Computes CRC-32 in base 36, the checksum of a token, which a forger knows. */
function checksum(secret: string): string {
  const crc = Array.from(secret).reduce((sum, character) => {
    let rest = (sum ^ character.charCodeAt(0)) & 0xff
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1
    return (sum >>> 8) ^ rest
  }, 0xffffffff)
  return ((crc ^ 0xffffffff) >>> 0).toString(36).padStart(7, '0')
}

test('[SC1] refuses an API token with a changed character, whether its checksum is right or wrong', async () => {
  const { token } = await mint()
  const [prefix, secret] = [token.slice(0, 8), token.slice(8, 51)]
  expect(token).toBe(prefix + secret + checksum(secret))
  const mistyped = substitutions(
    token,
    Array.from(token, (_, place) => place),
  )
  const places = Array.from(secret, (_, place) => place)
  const guessed = substitutions(
    secret,
    places.filter((place) => place % 4 === 0),
  ).map(({ how, text }) => ({
    how: `${how}, checksum right`,
    text: prefix + text + checksum(text),
  }))
  const others = ['chr_prod_', 'chr_DEV_', 'chr__', 'chr_development_', 'adm_dev_'].map((given) => ({
    how: given,
    text: given + token.slice(8),
  }))
  const unicode = ['\u0430', '\u{1d41a}', '\uff41', '\u0000', '\u200b', '\u0301'].flatMap((sign) =>
    [0, 20, 57].map((place) => ({ how: `${sign} at ${place}`, text: replaceAt(token, place, sign) })),
  )
  const target = stronghold()
  const all = [...mistyped, ...guessed, ...others, ...unicode, ...damages(token)]
  const codes: Record<string, number> = {}
  for (const { how, text } of all) {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ token: text })
    const response = await target.ask('/api/auth', { method: 'POST', headers, body })
    const { code } = (await response.json()) as { code: string }
    expect(`${response.status} ${code}`, how).toMatch(/^(401 unauthorized|422 invalid-request)$/)
    codes[code] = (codes[code] ?? 0) + 1
  }
  expect(target.reached()).toBe(0)
  // The empty text is the only one without the shape of a token.
  expect(codes['invalid-request']).toBe(1)
  console.info(
    `SC1: ${all.length} API tokens (${guessed.length} with a right checksum): none accepted, 0 objects`,
  )
})

test("[SC1] opens the operator's routes to the admin token only", async () => {
  const target = stronghold()
  const { token } = await mint()
  const admin = env.ADMIN_TOKEN
  const others = [token, await sessionLike(), env.SESSION_KEY, env.MASTER_KEY, `${admin} ${admin}`]
  const forgeries = [...flips(admin), ...damages(admin), ...others.map((text) => ({ how: 'another', text }))]
  let refused = 0
  for (const route of routesFor('admin')) {
    refused += (await assault(target, forgeries.filter(isOther(admin)), [route])).refused
  }
  console.info(`SC1: ${refused} admin tokens: none accepted, 0 objects woken`)
})

test('[SC2] refuses a revoked token or session in the object at once, on every route', async () => {
  const target = stronghold()
  for (const end of ['session', 'token', 'rotation', 'overlap'] as const) {
    const { token, id } = await mint({ scopes: ['sync:read', 'sync:write', 'space:read', 'space:admin'] })
    const { session } = await device({ token })
    const admin = { bearer: env.ADMIN_TOKEN }
    const rotate = (overlapSeconds: number) =>
      send('POST', `/api/tokens/${id}/rotate`, { ...admin, body: { overlapSeconds } })
    const ended = {
      session: () => send('DELETE', '/api/auth', { bearer: session }),
      token: () => send('DELETE', `/api/tokens/${id}`, admin),
      rotation: () => rotate(0),
      overlap: () => rotate(1),
    }
    expect((await ended[end]()).body.success).toBe(true)
    if (end === 'overlap') await scheduler.wait(1_100)
    for (const route of routesFor('session')) {
      if (route.path === '/api/auth') continue
      const confirmed = route.path === '/api/space' ? { body: { confirm: await spaceOf(session) } } : {}
      const response = await target.ask(...requestTo(route, { bearer: session, ...confirmed }))
      expect(await response.json(), `${route.method} ${route.path}`).toMatchObject({
        status: 401,
        code: end === 'session' ? 'session-ended' : 'revoked',
      })
      expect(target.reached()).toBeGreaterThan(0)
    }
  }
})

async function spaceOf(session: string): Promise<string> {
  return JSON.parse(atob((session.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/'))).space
}
