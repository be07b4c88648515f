import { expect, test } from 'vitest'
import { ACCOUNT, GOOD_ANSWERS, REFUSED, serveApi, TOKEN, ZONE } from './fake-api.ts'
import { account, verdictOn } from './fake-stack.ts'

const OTHER = 'b'.repeat(32)
const SEES_ACME = { ...GOOD_ANSWERS, accounts: [{ id: ACCOUNT, name: 'Acme' }] }
const NOTHING_READABLE = { 'user/tokens/verify': { id: '1', status: 'active' } }

test.each([
  [`${'0a'.repeat(18)}0`, /^WRONG API token: a Global API Key, not an API token\. Create one at https:/],
  [`cfk_${'k'.repeat(48)}`, /^WRONG API token: a Global API Key, not an API token\. Create one at https:/],
  ['0a'.repeat(32), /^WRONG API token: a Secret Access Key of R2, not an API token\. Create one at https:/],
  ['0a'.repeat(16), /^WRONG API token: an id \(32 hex digits\), not an API token\. Create one at https:/],
  [`pul-${'a'.repeat(40)}`, /^WRONG API token: a token of Pulumi Cloud, not of Cloudflare\. Create one at/],
  [`v1.0-${'a'.repeat(150)}`, /^WRONG API token: an Origin CA key, not an API token\. Create one at https:/],
  [
    `${TOKEN}\n`,
    /^WRONG API token: a space or a line break at its begin or end\. Set CLOUDFLARE_API_TOKEN again without it$/,
  ],
])('says what was taken for an API token (%j)', async (token, line) => {
  expect(await verdictOn(token)).toMatch(line)
})

test('says that a Global API Key in the environment is no token', async () => {
  expect((await account('http://127.0.0.1:9', { token: undefined, hasGlobalKey: true }))[0]).toMatch(
    /^WRONG account: CLOUDFLARE_API_TOKEN is not set, and CLOUDFLARE_API_KEY is not used here\. Create one at /,
  )
})

test('says that the token may not be used from this address', async () => {
  const elsewhere = {
    status: 403,
    code: 9109,
    message: 'Cannot use the access token from location: 203.0.113.7',
  }
  const answers = Object.fromEntries(Object.keys(SEES_ACME).map((path) => [path, elsewhere]))
  expect(await account(await serveApi(answers))).toEqual([
    'WRONG API token: may not be used from 203.0.113.7. Add that address to the Client IP Address Filtering of the token',
  ])
})

test('finds the account of the token, and names the accounts if there are several', async () => {
  expect(await account(await serveApi(SEES_ACME), { accountId: undefined })).toEqual([])
  const both = [
    { id: ACCOUNT, name: 'Acme' },
    { id: OTHER, name: 'Other' },
  ]
  expect(await account(await serveApi({ ...SEES_ACME, accounts: both }), { accountId: undefined })).toEqual([
    `WRONG account: the token sees 2: Acme ${ACCOUNT}, Other ${OTHER}. Choose one: export CLOUDFLARE_ACCOUNT_ID=<id>`,
  ])
  expect(await account(await serveApi({ ...SEES_ACME, accounts: [] }), { accountId: undefined })).toEqual([
    'WRONG account: the token names none. Give it Account Settings: Read, or export CLOUDFLARE_ACCOUNT_ID (in the dashboard under Workers & Pages)',
  ])
})

test.each([
  [
    'in upper case',
    ACCOUNT.toUpperCase(),
    {},
    `the id ${ACCOUNT.toUpperCase()} is in upper case. Run: export CLOUDFLARE_ACCOUNT_ID=${ACCOUNT}`,
  ],
  [
    'with a line break',
    `${ACCOUNT}\n`,
    {},
    `the id has a space or a line break. Run: export CLOUDFLARE_ACCOUNT_ID=${ACCOUNT}`,
  ],
  [
    'of a zone',
    ZONE.id,
    { [`zones/${ZONE.id}`]: ZONE },
    `${ZONE.id} is the id of the zone example.com. Run: export CLOUDFLARE_ACCOUNT_ID=${ACCOUNT}`,
  ],
  [
    'of an account that the token does not see',
    OTHER,
    {},
    `the token does not see ${OTHER}, only Acme ${ACCOUNT}. Run: export CLOUDFLARE_ACCOUNT_ID=${ACCOUNT}`,
  ],
])('corrects an account id %s', async (_what, accountId, answers, line) => {
  const base = await serveApi({ ...NOTHING_READABLE, accounts: SEES_ACME.accounts, ...answers })
  expect(await account(base, { accountId })).toEqual([`WRONG account: ${line}`])
})

test('corrects an account id in the stack file, which counts before the environment', async () => {
  const facts = { accountId: OTHER, accountFile: 'Pulumi.dev.yaml' }
  expect(await account(await serveApi({ ...NOTHING_READABLE, accounts: SEES_ACME.accounts }), facts)).toEqual(
    [
      `WRONG account: the token does not see ${OTHER}, only Acme ${ACCOUNT}. Write accountId: ${ACCOUNT} in Pulumi.dev.yaml`,
    ],
  )
})

test('tells a token without any permission, such as a token of R2, from one of another account', async () => {
  const base = await serveApi({ ...NOTHING_READABLE, accounts: SEES_ACME.accounts })
  const [first] = await account(base)
  expect(first).toMatch(
    /^WRONG account: the token may neither read nor write Workers in Acme a{32}\. Create one at https:/,
  )
})

test.each([
  ['workers/scripts', 'Workers Scripts'],
  ['storage/kv/namespaces', 'Workers KV Storage'],
])('names the one missing permission of %s, and links to a token that has all', async (path, name) => {
  const base = await serveApi({ ...SEES_ACME, [`accounts/${ACCOUNT}/${path}`]: REFUSED })
  expect(await account(base)).toEqual([
    `WRONG permission ${name}: missing (Authentication error, code 10000). Give the token ${name}: Edit`,
    expect.stringMatching(/^\? {5}API token: a new one with every permission of this stack: https:\/\/dash/),
  ])
})

test('says which Worker or record has the hostname already', async () => {
  const domains = [{ id: '1', hostname: 'sync.example.com', service: 'shop' }]
  const path = `accounts/${ACCOUNT}/workers/domains?hostname=sync.example.com`
  const facts = { hostname: 'sync.example.com' }
  expect(await account(await serveApi({ ...SEES_ACME, [path]: domains }), facts)).toEqual([
    'WRONG hostname: sync.example.com belongs to the Worker shop. Remove it there (Settings, Domains & Routes), or set another hostname',
  ])
  const records = `zones/${ZONE.id}/dns_records?name=sync.example.com`
  const free = { ...SEES_ACME, [path]: [], [records]: [{ type: 'AAAA' }] }
  expect(await account(await serveApi(free), facts)).toEqual([
    'WRONG hostname: sync.example.com has a DNS record of type AAAA of its own. Delete it in the dashboard (DNS, Records), or set another hostname',
  ])
  const own = [{ id: '1', hostname: 'sync.example.com', service: 'sync-dev' }]
  expect(await account(await serveApi({ ...SEES_ACME, [path]: own }), facts)).toEqual([])
})

test('says that a free account has no room for another Worker', async () => {
  const full = Array.from({ length: 100 }, (_, n) => ({ id: `worker-${n}` }))
  const path = `accounts/${ACCOUNT}/workers/scripts`
  expect(await account(await serveApi({ ...SEES_ACME, [path]: full }))).toEqual([
    '?     Workers: the account has 100, as many as the free plan allows: delete one, or use the paid plan',
  ])
  const own = [...full.slice(1), { id: 'sync-dev' }]
  expect(await account(await serveApi({ ...SEES_ACME, [path]: own }))).toEqual([])
})
