import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { storedObjects } from '../../../infra/local/cloud/objects.ts'
import type { RunningCloud } from '../../../infra/local/start-cloud.ts'
import { runCommand } from '../../standin/command.ts'
import { GENEROUS, mintToken, testCloud } from '../../support/cloud/cloud.ts'
import { OfflineDevice } from '../../support/devices/offline-device.ts'
import { ACCOUNT, type Answers, listen, REFUSED, serveApi, TOKEN } from '../fake-api.ts'

const CHECKOUT = join(import.meta.dirname, '../../..')
const NAMESPACES = `accounts/${ACCOUNT}/workers/durable_objects/namespaces`
const NAMESPACE = { id: 'n1', class: 'Chronicle', script: 'chronicle-sync-dev' }
const SPACES = ['one', 'two', 'three']

const cloud = testCloud()
afterAll(() => cloud.remove())

type Env = Readonly<Record<string, string>>

/** Runs `npm run sweep` with an account that gives these replies. */
async function sweep(args: readonly string[], answers: Answers, env: Env = {}) {
  const account = {
    CLOUDFLARE_BASE_URL: await serveApi(answers),
    CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
    CLOUDFLARE_API_TOKEN: TOKEN,
    CHRONICLE_ADMIN_TOKEN: 'x',
  }
  const options = { cwd: CHECKOUT, env: { ...account, ...env } }
  return runCommand(process.execPath, ['infra/operate/sweep.ts', ...args], options)
}

/** Makes an account that lists these objects in two pages. */
function listing(ids: readonly string[]): Answers {
  const objects = ids.map((id) => ({ id, hasStoredData: true }))
  const empty = { id: '0'.repeat(64), hasStoredData: false }
  return {
    [`${NAMESPACES}?per_page=1000`]: [
      { ...NAMESPACE, id: 'n0', script: 'another' },
      { ...NAMESPACE, id: 'n2', class: 'Registry' },
      NAMESPACE,
    ],
    [`${NAMESPACES}/n1/objects?limit=1000`]: { page: [...objects.slice(0, 1), empty], cursor: 'c&1' },
    [`${NAMESPACES}/n1/objects?limit=1000&cursor=c%261`]: { page: objects.slice(1) },
  }
}

function start(config: Env): Promise<RunningCloud> {
  return cloud.start({ ...GENEROUS, ...config })
}

async function devicesOf(running: RunningCloud): Promise<readonly OfflineDevice[]> {
  return Promise.all(
    SPACES.map(async (space) => {
      const device = new OfflineDevice('phone', running.url)
      await device.open(await mintToken(running, space))
      return device
    }),
  )
}

test('makes every space readable without the older key, and says how to retire that key', async () => {
  const first = await start({ masterKeys: '[1]' })
  for (const device of await devicesOf(first)) {
    for (let n = 0; n < 50; n++) device.put(`notes/${n}`, { n })
    await device.sync()
    device.put('notes/0', 'again')
    await device.sync()
  }
  await first.stop()
  const second = await start({ masterKeys: '[2, 1]' })
  const ids = storedObjects(join(cloud.folder, 'dev'), 'Chronicle')
  // The stack's own client token has opened a space too.
  expect(ids).toHaveLength(SPACES.length + 1)
  const env = { CHRONICLE_ADMIN_TOKEN: second.outputs.adminToken }
  for (const already of [false, true]) {
    const { code, printed } = await sweep([second.url, '--stack', 'dev'], listing(ids), env)
    expect(code, printed).toBe(0)
    expect(printed).toMatch(/^4 spaces\n/)
    expect(printed).toContain('4 of 4 done')
    expect(printed).toMatch(
      /All are sealed by master key 2\.\n.*sweptMasterKey: 2 into Pulumi\.dev\.yaml.*masterKeys: \[2\]/,
    )
    if (already) expect(printed.match(/done/g)).toHaveLength(1)
  }
  await second.stop()
  const third = await start({ masterKeys: '[2]', sweptMasterKey: '2' })
  for (const device of await devicesOf(third)) {
    await device.sync()
    expect(device.entries().size).toBe(50)
    expect(device.entries().get('notes/0')).toBe('again')
  }
  await third.stop()
})

/** State that a service reports for each requested space. `wait` is a 429 for the whole request. */
interface Saying {
  readonly state: string
  readonly unreadable?: number
  /** Newest master key of the Worker that replies. */
  readonly generation?: number
}

/** Serves one of these states per request, for every space. The last one is repeated. */
async function serviceThatSays(...sayings: readonly Saying[]): Promise<{ url: string; asked: number[] }> {
  const asked: number[] = []
  const server = createServer(async (request, response) => {
    // An older release does not say which stack it is.
    if (request.method === 'GET') return response.end('{}')
    let text = ''
    for await (const part of request) text += part
    const spaces: string[] = JSON.parse(text).spaces
    asked.push(spaces.length)
    const { generation = 3, ...said } = sayings[Math.min(asked.length, sayings.length) - 1] as Saying
    if (said.state === 'wait') response.writeHead(429, { 'retry-after': '1' }).end('{}')
    else response.end(JSON.stringify({ generation, spaces: spaces.map((id) => ({ id, ...said })) }))
    return response
  })
  return { url: await listen(server), asked }
}

const ID = 'ab'.repeat(32)

test('names a space that fails, asks about it again, and says to retire no key', async () => {
  const { url, asked } = await serviceThatSays({ state: 'failed' })
  const { code, printed } = await sweep([url], listing([ID]))
  expect(code).toBe(1)
  expect(printed).toContain(`${ID}: failed`)
  expect(printed).toMatch(
    /Error: 1 of 1 spaces are not sealed by master key 3: retire no key\. Look at the Worker's log, and run it again/,
  )
  expect(printed).not.toContain('sweptMasterKey')
  expect(asked).toEqual([1, 1, 1])
})

test('names a space with unreadable chunks and their number, and says to retire no key', async () => {
  const { url } = await serviceThatSays({ state: 'failed', unreadable: 85 })
  const { code, printed } = await sweep([url], listing([ID]))
  expect(code).toBe(1)
  expect(printed).toContain(`${ID}: failed, 85 chunks cannot be read`)
  expect(printed).toMatch(/retire no key\. Put back the master key that is missing, or erase the spaces/)
  expect(printed).not.toContain('sweptMasterKey')
})

test('asks again about spaces that an older Worker called done, once a newer one replies', async () => {
  const older = { state: 'done', generation: 2 }
  const { url, asked } = await serviceThatSays(older, { state: 'done' }, { state: 'pending' }, older, {
    state: 'done',
  })
  const ids = Array.from({ length: 101 }, (_, n) => n.toString(16).padStart(64, '0'))
  const { code, printed } = await sweep([url], listing(ids))
  expect(code, printed).toBe(0)
  expect(printed).toContain('All are sealed by master key 3.')
  expect(asked).toEqual([100, 1, 100, 100, 100])
})

/** Makes an account that returns one list per request. The last list is repeated. */
function listings(...lists: readonly (readonly string[])[]): Answers {
  let times = 0
  return {
    [`${NAMESPACES}?per_page=1000`]: [NAMESPACE],
    get [`${NAMESPACES}/n1/objects?limit=1000`]() {
      const ids = lists[Math.min(times++, lists.length - 1)] ?? []
      return { page: ids.map((id) => ({ id })) }
    },
  }
}

test('asks about a space that was made after the listing, and about all again if a newer key shows', async () => {
  const done = { state: 'done' }
  const { url, asked } = await serviceThatSays(done)
  const born = await sweep([url], listings([ID], [ID, 'cd'.repeat(32)]))
  expect(born.code, born.printed).toBe(0)
  expect(born.printed).toMatch(/^1 spaces\n.*\n1 spaces more\n.*\nAll are sealed by master key 3\.\n/)
  expect(asked).toEqual([1, 1])

  const newer = { state: 'done', generation: 4 }
  const deployed = await serviceThatSays(done, newer)
  const again = await sweep([deployed.url], listings([ID], [ID, 'cd'.repeat(32)]))
  expect(again.printed).toContain('All are sealed by master key 4.')
  // Asks about the new space, again under the newer key that the reply shows, and then about the old space.
  expect(deployed.asked).toEqual([1, 1, 1, 1])
})

test('gives up on a space that is never done', async () => {
  const { url } = await serviceThatSays({ state: 'pending' })
  const { code, printed } = await sweep([url], listing([ID]), { SWEEP_PATIENCE_MS: '1500' })
  expect(code).toBe(1)
  expect(printed).toContain(`${ID}: pending`)
})

test('asks about a hundred spaces at a time, and retries as often as the service says', async () => {
  const { url, asked } = await serviceThatSays({ state: 'wait' }, { state: 'done' })
  const ids = Array.from({ length: 201 }, (_, n) => n.toString(16).padStart(64, '0'))
  const { code, printed } = await sweep([url], listing(ids))
  expect(code, printed).toBe(0)
  expect(asked).toEqual([100, 100, 100, 1])
})

test.each<[string, readonly string[], Answers, Env, RegExp]>([
  [
    'no url',
    [],
    {},
    {},
    /^Error: expected the url of a service .* Usage: npm run sweep -- URL \[--stack NAME\]/,
  ],
  [
    'no admin token',
    ['http://127.0.0.1:9'],
    {},
    { CHRONICLE_ADMIN_TOKEN: '' },
    /^Error: the admin token is missing/,
  ],
  [
    'no account',
    ['http://127.0.0.1:9'],
    {},
    { CLOUDFLARE_ACCOUNT_ID: '' },
    /^Error: CLOUDFLARE_ACCOUNT_ID is not set/,
  ],
  [
    'no token',
    ['http://127.0.0.1:9'],
    {},
    { CLOUDFLARE_API_TOKEN: '' },
    /^Error: CLOUDFLARE_API_TOKEN is not set/,
  ],
  [
    'a token without the permission',
    ['http://127.0.0.1:9'],
    { [`${NAMESPACES}?per_page=1000`]: REFUSED },
    {},
    /^Error: the account's API does not list the objects: Authentication error, code 10000\. npm run doctor says more/,
  ],
  [
    'another stack',
    ['http://127.0.0.1:9', '--stack', 'prod'],
    listing([]),
    {},
    /^Error: the account has no objects of the script chronicle-sync-prod\. Name the stack with --stack/,
  ],
  [
    'nothing listed',
    ['http://127.0.0.1:9'],
    listing([]),
    {},
    /^Error: the stack dev has no objects that hold data: retire no key\. Check that --stack names the stack of http:/,
  ],
  [
    'no service at the URL',
    ['http://127.0.0.1:9'],
    listing([ID]),
    {},
    /POST \/api\/spaces\/reseal: no answer from/,
  ],
])('reports in one line that it cannot continue: %s', async (_what, args, answers, env, message) => {
  const { code, printed } = await sweep(args, answers, env)
  expect(code).toBe(1)
  expect(printed.trimEnd().split('\n').at(-1)).toMatch(message)
})
