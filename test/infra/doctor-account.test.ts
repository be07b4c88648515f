import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { ACCOUNT, GOOD_ANSWERS, listen, nobody, REFUSED, serveApi, TOKEN, ZONE } from './fake-api.ts'
import { account } from './fake-stack.ts'

const NEW_TOKEN = expect.stringMatching(
  /^\? {5}API token: a new one with every permission of this stack: https:/,
)

test('reports an API that refuses connections, answers in another format or fails', async () => {
  expect(await account(await nobody())).toEqual([
    expect.stringMatching(/^WRONG API: \S+ does not answer \(connect ECONNREFUSED .*\)\. Check the network/),
  ])
  const page = await listen(createServer((_request, response) => response.end('<html>')))
  expect(await account(page)).toEqual([
    expect.stringMatching(/^WRONG API: .*\(HTTP 200 without the API's JSON\)/),
  ])
  const broken = { status: 503, code: 1, message: 'Unavailable' }
  const failing = Object.fromEntries(Object.keys(GOOD_ANSWERS).map((path) => [path, broken]))
  expect(await account(await serveApi(failing))).toEqual([
    expect.stringMatching(/^WRONG API: .*\(Unavailable, code 1\)/),
  ])
})

test.each(['x'.repeat(39), 'x'.repeat(81), `Bearer ${TOKEN}`, `"${TOKEN}"`])(
  'does not send a token of the wrong shape (%s) anywhere',
  async (token) => {
    expect(await account(await nobody(), { token })).toEqual([
      `WRONG API token: ${token.length} characters that do not form a token (40 to 80 of 0-9, A-Z, a-z, _ and -). Copy it again, without quotes, spaces or "Bearer"`,
    ])
  },
)

test('reports a token that is refused or expired, and verifies tokens that an account owns', async () => {
  const refused = { status: 401, code: 1000, message: 'Invalid API Token' }
  const reads = Object.fromEntries(Object.keys(GOOD_ANSWERS).map((path) => [path, REFUSED]))
  expect(await account(await serveApi({ ...reads, 'user/tokens/verify': refused }))).toEqual([
    expect.stringMatching(/^WRONG API token: refused \(Invalid API Token, code 1000\)\. Create one/),
  ])
  expect(await account(await serveApi({ ...reads, 'user/tokens/verify': { status: 'expired' } }))).toEqual([
    expect.stringMatching(/^WRONG API token: expired\. Create one/),
  ])
  const owned = {
    ...reads,
    'user/tokens/verify': refused,
    [`accounts/${ACCOUNT}/tokens/verify`]: { status: 'active' },
  }
  for (const token of [`cfat_${'t'.repeat(40)}`, 't'.repeat(40)]) {
    const [first] = await account(await serveApi(owned), { token })
    expect(first).toMatch(/^WRONG account: the token does not belong to a{32}, or /)
  }
})

test('names a missing permission, and reports an account without any in one line', async () => {
  const path = `accounts/${ACCOUNT}/storage/kv/namespaces`
  expect(await account(await serveApi({ ...GOOD_ANSWERS, [path]: REFUSED }))).toEqual([
    'WRONG permission Workers KV Storage: missing (Authentication error, code 10000). Give the token Workers KV Storage: Edit',
    NEW_TOKEN,
  ])
  const stranger = { 'user/tokens/verify': { status: 'active' } }
  expect((await account(await serveApi(stranger)))[0]).toMatch(
    /^WRONG account: the token does not belong to a{32}, or has no permission in it\. Check CLOUDFLARE_ACCOUNT_ID\. Create one at https:/,
  )
  const base = await serveApi(GOOD_ANSWERS)
  expect(await account(base, { accountId: 'me' })).toEqual([
    expect.stringMatching(
      /^WRONG account: the id me is not 32 hex digits\. Run: export CLOUDFLARE_ACCOUNT_ID=<id> \(in the dashboard/,
    ),
  ])
})

test.each([404, 400])('reports an account without a workers.dev name (HTTP %i)', async (status) => {
  const none = { status, code: 10007, message: 'This account has no subdomain' }
  const base = await serveApi({ ...GOOD_ANSWERS, [`accounts/${ACCOUNT}/workers/subdomain`]: none })
  expect(await account(base)).toEqual([
    'TO DO workers.dev: the account has no name there yet, which every Worker needs. Choose one at https://dash.cloudflare.com/?to=/:account/workers/onboarding',
  ])
})

test.each([
  [[], {}, /^WRONG zone: no zone holds sync\.example\.com, or the token may not see it\. Add the domain to/],
  [
    [{ ...ZONE, account: { id: 'b'.repeat(32) } }],
    {},
    /^WRONG zone: example\.com is in another account, b{32}\./,
  ],
  [
    [{ ...ZONE, status: 'pending' }],
    {},
    /^WRONG zone: example\.com is pending, not active\. Set its name servers/,
  ],
  [
    [ZONE],
    { zoneId: 'f'.repeat(32) },
    /^WRONG zone: no zone has the id f{32}, or the token may not see it\./,
  ],
  [
    [ZONE],
    { zoneId: ZONE.id },
    /^WRONG zone: sync\.example\.com is not in example\.org\. Correct the setting zoneId$/,
  ],
])('judges the zones %j with the settings %j', async (zones, facts, line) => {
  const byId = { [`zones/${ZONE.id}`]: { ...ZONE, name: 'example.org' } }
  const base = await serveApi({ ...GOOD_ANSWERS, ...byId, 'zones?name=example.com': zones })
  expect(await account(base, { hostname: 'sync.example.com', ...facts })).toEqual([
    expect.stringMatching(line),
  ])
})

test('names a record that conflicts with a custom domain', async () => {
  const path = `zones/${ZONE.id}/dns_records?name=sync.example.com`
  const base = await serveApi({ ...GOOD_ANSWERS, [path]: [{ type: 'CNAME' }] })
  expect(await account(base, { hostname: 'sync.example.com' })).toEqual([
    '?     DNS: sync.example.com has a record of type CNAME: delete it before the first deployment',
  ])
})

test('names the permissions that a route and its record need in the zone', async () => {
  const zone = { [`zones/${ZONE.id}`]: ZONE, [`zones/${ZONE.id}/dns_records`]: REFUSED }
  const facts = { zoneId: ZONE.id, route: { host: 'api.example.com', needsRecord: true } }
  const base = await serveApi({ ...GOOD_ANSWERS, ...zone, [`zones/${ZONE.id}/workers/routes`]: REFUSED })
  expect(await account(base, facts)).toEqual([
    expect.stringMatching(
      /^WRONG permission Workers Routes: missing .* Give the token Workers Routes: Edit$/,
    ),
    expect.stringMatching(/^WRONG permission DNS: missing .* Give the token DNS: Edit$/),
    NEW_TOKEN,
  ])
  const allowed = await serveApi({ ...GOOD_ANSWERS, ...zone, [`zones/${ZONE.id}/workers/routes`]: [] })
  expect(
    await account(allowed, { ...facts, route: { host: 'api.example.com', needsRecord: false } }),
  ).toEqual([])
})

test('corrects a workers.dev name that is not the name of the account', async () => {
  const base = await serveApi(GOOD_ANSWERS)
  expect(await account(base, { workersDev: { isOn: true, setting: 'acme' } })).toEqual([])
  expect(await account(base, { workersDev: { isOn: true, setting: 'emca' } })).toEqual([
    "WRONG workers.dev: the account's name is acme, not emca. Write in the stack file: workersDevSubdomain: acme",
  ])
})
