import { expect } from 'vitest'
import { HOSTNAME } from '../support/cloud/project.ts'
import { newStack, pulumiTest, type Stack, ZONE } from './stack.ts'

const UPLOAD = 'PUT /workers/scripts/chronicle-sync-dev'
const SWITCH = 'POST /workers/scripts/chronicle-sync-dev/subdomain'

async function expectSettled(stack: Stack): Promise<void> {
  const again = await stack.up('--expect-no-changes')
  expect(again.code, again.printed).toBe(0)
  expect(stack.writes()).toEqual([])
}

async function deploy(stack: Stack, ...flags: string[]): Promise<readonly string[]> {
  const { code, printed } = await stack.up(...flags)
  expect(code, printed).toBe(0)
  return stack.writes()
}

function declareArchive(text: string): string {
  const binding = '[[durable_objects.bindings]]\nname = "ARCHIVE"\nclass_name = "Archive"\n\n'
  const migration = '\n[[migrations]]\ntag = "v3"\nnew_sqlite_classes = ["Archive"]\n'
  return text.replace('[[migrations]]', `${binding}[[migrations]]`).concat(migration)
}

pulumiTest('creates everything in an empty account, and changes nothing for an unchanged tree', async () => {
  const stack = await newStack()
  expect(await deploy(stack)).toEqual(['POST /storage/kv/namespaces', UPLOAD, SWITCH])
  const [upload] = stack.uploads()
  expect(upload?.metadata).toMatchObject({
    migrations: {
      new_tag: 'v2',
      steps: [{ new_sqlite_classes: ['Chronicle'] }, { new_sqlite_classes: ['Registry'] }],
    },
  })
  expect(stack.standIn.account.scripts).toMatchObject([
    { name: 'chronicle-sync-dev', workersDev: true, migrationTag: 'v2' },
  ])
  await expectSettled(stack)
  for (const flags of [[], ['--refresh']]) {
    const preview = await stack.preview('--expect-no-changes', ...flags)
    expect(preview.code, preview.printed).toBe(0)
  }
})

pulumiTest('sends shares and destinations of logs and traces once, and switches traces off', async () => {
  const stack = await newStack()
  await stack.set('traceDestinations', '["tempo"]')
  await stack.set('logDestinations', '["loki"]')
  await deploy(stack)
  expect(stack.uploads()[0]?.metadata).toMatchObject({
    observability: {
      head_sampling_rate: 1,
      logs: { enabled: true, invocation_logs: false, destinations: ['loki'] },
      traces: { enabled: true, head_sampling_rate: 1, destinations: ['tempo'] },
    },
  })
  await expectSettled(stack)
  const refreshed = await stack.preview('--refresh', '--expect-no-changes')
  expect(refreshed.code, refreshed.printed).toBe(0)

  await stack.set('traceSampling', '0')
  await stack.set('traceDestinations', '[]')
  expect(await deploy(stack)).toEqual([UPLOAD])
  const { traces } = stack.standIn.account.scripts[0]?.observability ?? {}
  expect(traces).toEqual({ enabled: false, headSamplingRate: 0 })
  await expectSettled(stack)
})

pulumiTest('ships changed code in one upload, without migrations', async () => {
  const stack = await newStack()
  await deploy(stack)
  stack.project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('changed')\n`)
  expect(await deploy(stack)).toEqual([UPLOAD])
  expect(stack.uploads()[0]?.metadata).not.toHaveProperty('migrations')
  await expectSettled(stack)
})

pulumiTest('ships a new class in one upload with only its step', async () => {
  const stack = await newStack()
  await deploy(stack)
  stack.project.edit(
    'worker/src/index.ts',
    (text) => `${text}\nexport { Chronicle as Archive } from './objects/chronicle.ts'\n`,
  )
  stack.project.edit('worker/wrangler.toml', declareArchive)
  expect(await deploy(stack)).toEqual([UPLOAD])
  expect(stack.uploads()[0]?.metadata).toMatchObject({
    migrations: { old_tag: 'v2', new_tag: 'v3', steps: [{ new_sqlite_classes: ['Archive'] }] },
  })
  await expectSettled(stack)
})

pulumiTest(
  'ships a changed setting in one upload, and a secret rotated by its setting in another',
  async () => {
    const stack = await newStack()
    await deploy(stack)
    const secrets = () =>
      stack.standIn.account.scripts[0]?.bindings.find(({ name }) => name === 'SESSION_KEY')?.text
    const before = secrets()
    await stack.set('syncRequestsPerMinute', '30')
    expect(await deploy(stack)).toEqual([UPLOAD])
    expect(stack.standIn.account.scripts[0]?.bindings).toContainEqual(
      expect.objectContaining({ name: 'SYNC_LIMIT', simple: { limit: 30, period: 60 } }),
    )
    await expectSettled(stack)
    expect(secrets()).toBe(before)

    await stack.set('sessionKeys', '[2, 1]')
    expect(await deploy(stack)).toEqual([UPLOAD])
    expect(secrets()).toMatch(/^2:\S+ 1:\S+$/)
    expect(secrets()).toContain(String(before))
    await expectSettled(stack)
  },
)

pulumiTest(
  'makes a domain for a hostname and a record for a route, and deletes both with their settings',
  async () => {
    const stack = await newStack()
    await stack.set('hostname', HOSTNAME.hostname)
    await stack.set('zoneId', ZONE.id)
    await deploy(stack)
    expect(stack.standIn.account.domains).toMatchObject([{ hostname: HOSTNAME.hostname }])
    await expectSettled(stack)

    await stack.set('hostname', '')
    await stack.set('route', 'api.example.com/api/*')
    await stack.set('routeRecord', 'true')
    expect((await deploy(stack)).toSorted()).toEqual([
      'DELETE /workers/domains/{id}',
      'POST /zones/{id}/dns_records',
      'POST /zones/{id}/workers/routes',
    ])
    await expectSettled(stack)
    const preview = await stack.preview('--refresh', '--expect-no-changes')
    expect(preview.code, preview.printed).toBe(0)
  },
)

pulumiTest.each([
  ['KV namespace', 'POST', /namespaces$/],
  ['script', 'PUT', /scripts\/[^/]+$/],
  ['workers.dev switch', 'POST', /subdomain$/],
])('repairs a first `up` that failed at the %s with the next one', async (_what, method, path) => {
  const stack = await newStack()
  stack.standIn.failNext(method, path, 500)
  const failed = await stack.up()
  expect(failed.code, failed.printed).not.toBe(0)
  await deploy(stack)
  expect(stack.standIn.account).toMatchObject({
    namespaces: [{ title: 'chronicle-sync-dev-metadata' }],
    scripts: [{ workersDev: true, migrationTag: 'v2' }],
  })
  await expectSettled(stack)
})

pulumiTest('repairs a code change that the API refused with the next `up`, without migrations', async () => {
  const stack = await newStack()
  await deploy(stack)
  stack.project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('changed')\n`)
  stack.standIn.failNext('PUT', /scripts\/[^/]+$/, 500)
  const failed = await stack.up()
  expect(failed.code, failed.printed).not.toBe(0)
  expect(await deploy(stack)).toEqual([UPLOAD])
  expect(stack.uploads()[0]?.metadata).not.toHaveProperty('migrations')
  await expectSettled(stack)
})
