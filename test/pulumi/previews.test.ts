import { expect } from 'vitest'
import { newStack, pulumiTest, type Stack, ZONE } from './stack.ts'

/** The summary of a preview by the real engine. Replaces what differs between commits. */
async function summaryOf(stack: Stack, ...args: string[]): Promise<string> {
  const { printed } = await stack.tool('operate/preview', ...args)
  const [summary = ''] = printed.split('\n\nIn the words of the engine:')
  return summary
    .replaceAll(/\+[0-9a-f]{12}/g, '+<digest>')
    .replaceAll(/\d+\.\d kB/g, '<size>')
    .replace(/\nAsking the account[^\n]*\n/, '')
}

async function deployed(): Promise<Stack> {
  const stack = await newStack()
  const { code, printed } = await stack.up()
  expect(code, printed).toBe(0)
  return stack
}

pulumiTest('previews no change in a few lines', async () => {
  expect(await summaryOf(await deployed())).toMatchInlineSnapshot(`
    "Nothing would change in the stack dev: all 11 resources are as this checkout wants them.
      policies  10 passed: assets-are-known, classes-keep-data, cors-names-origins, jurisdiction-stays, master-keys-stay, no-invocation-logs, production-logs, secrets-are-secret, stores-are-protected, workers-dev-is-closed
    "
  `)
})

pulumiTest('previews a changed setting as one line', async () => {
  const stack = await deployed()
  await stack.set('syncRequestsPerMinute', '30')
  expect(await summaryOf(stack)).toMatchInlineSnapshot(`
    "The stack dev would change: 1 to update, 10 unchanged.
      code      no change
      users     Sync requests of a caller at one location: 600 per 60 s -> 30 per 60 s. Further ones get 429.
                A new version of the Worker rolls out: for some minutes old and new answer side by side, and open sockets may be cut once and reconnect.
      data      No Durable Object class changes. The engine shows the last migration as changed, because it is not sent again.
      cost      no change
      policies  10 passed: assets-are-known, classes-keep-data, cors-names-origins, jurisdiction-stays, master-keys-stay, no-invocation-logs, production-logs, secrets-are-secret, stores-are-protected, workers-dev-is-closed"
  `)
})

pulumiTest('previews a new binding as one line', async () => {
  const stack = await deployed()
  stack.project.edit('worker/wrangler.toml', (text) => text.replace('[vars]', '[vars]\nREGION = "west"'))
  stack.project.edit('infra/component/provision.ts', (text) =>
    text.replace('VERSION: artifact.version,', "$&\n      REGION: 'west',"),
  )
  expect(await summaryOf(stack)).toMatchInlineSnapshot(`
    "The stack dev would change: 1 to update, 10 unchanged.
      code      no change
      users     A new version of the Worker rolls out: for some minutes old and new answer side by side, and open sockets may be cut once and reconnect.
      data      No Durable Object class changes. The engine shows the last migration as changed, because it is not sent again.
      cost      no change
      other     A new binding: REGION is west.
      policies  10 passed: assets-are-known, classes-keep-data, cors-names-origins, jurisdiction-stays, master-keys-stay, no-invocation-logs, production-logs, secrets-are-secret, stores-are-protected, workers-dev-is-closed"
  `)
})

pulumiTest('previews changed code as version and size', async () => {
  const stack = await deployed()
  stack.project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('changed')\n`)
  expect(await summaryOf(stack)).toMatchInlineSnapshot(`
    "The stack dev would change: 1 to update, 10 unchanged.
      code      Version 0.1.0+<digest> -> 0.1.0+<digest>, <size> (+25 bytes).
      users     A new version of the Worker rolls out: for some minutes old and new answer side by side, and open sockets may be cut once and reconnect.
      data      No Durable Object class changes. The engine shows the last migration as changed, because it is not sent again.
      cost      no change
      policies  10 passed: assets-are-known, classes-keep-data, cors-names-origins, jurisdiction-stays, master-keys-stay, no-invocation-logs, production-logs, secrets-are-secret, stores-are-protected, workers-dev-is-closed"
  `)
})

pulumiTest('previews a new class in words', async () => {
  const stack = await deployed()
  stack.project.edit(
    'worker/src/index.ts',
    (text) => `${text}\nexport { Chronicle as Archive } from './objects/chronicle.ts'\n`,
  )
  stack.project.edit('worker/wrangler.toml', (text) => {
    const binding = '[[durable_objects.bindings]]\nname = "ARCHIVE"\nclass_name = "Archive"\n\n'
    const migration = '\n[[migrations]]\ntag = "v3"\nnew_sqlite_classes = ["Archive"]\n'
    return text.replace('[[migrations]]', `${binding}[[migrations]]`).concat(migration)
  })
  expect(await summaryOf(stack)).toMatchInlineSnapshot(`
    "The stack dev would change: 1 to update, 10 unchanged. 1 thing could not be undone: see below.
      code      Version 0.1.0+<digest> -> 0.1.0+<digest>, <size> (+14 bytes).
      users     A new version of the Worker rolls out: for some minutes old and new answer side by side, and open sockets may be cut once and reconnect.
      data      Cannot be undone: The migration tag moves: v2 -> v3. A checkout without v3 can no longer be deployed, so a rollback past it is refused.
                The Durable Object class Archive is created, empty, with SQLite storage.
                A new binding: ARCHIVE leads to the objects of the class Archive.
      cost      no change
      policies  10 passed: assets-are-known, classes-keep-data, cors-names-origins, jurisdiction-stays, master-keys-stay, no-invocation-logs, production-logs, secrets-are-secret, stores-are-protected, workers-dev-is-closed"
  `)
})

pulumiTest('previews a renamed class in words', async () => {
  const stack = await deployed()
  stack.project.edit('worker/src/index.ts', (text) => text.replace(/\bChronicle\b/, 'Chronicle as Space'))
  stack.project.edit('worker/wrangler.toml', (text) => {
    const migration =
      '\n[[migrations]]\ntag = "v3"\nrenamed_classes = [{ from = "Chronicle", to = "Space" }]\n'
    return text.replace('class_name = "Chronicle"', 'class_name = "Space"').concat(migration)
  })
  expect(await summaryOf(stack)).toMatchInlineSnapshot(`
    "The stack dev would change: 1 to update, 10 unchanged. 1 thing could not be undone: see below.
      code      Version 0.1.0+<digest> -> 0.1.0+<digest>, <size> (-4 bytes).
      users     A new version of the Worker rolls out: for some minutes old and new answer side by side, and open sockets may be cut once and reconnect.
      data      Cannot be undone: The migration tag moves: v2 -> v3. A checkout without v3 can no longer be deployed, so a rollback past it is refused.
                The Durable Object class Chronicle is renamed to Space. Its objects keep their ids and data. Only another migration could rename it back.
                The binding CHRONICLE follows the renamed class: Chronicle -> Space.
      cost      no change
      policies  10 passed: assets-are-known, classes-keep-data, cors-names-origins, jurisdiction-stays, master-keys-stay, no-invocation-logs, production-logs, secrets-are-secret, stores-are-protected, workers-dev-is-closed"
  `)
})

pulumiTest('previews the first deployment of prod', async () => {
  const stack = await newStack('prod')
  await stack.set('hostname', 'sync.example.com')
  await stack.set('zoneId', ZONE.id)
  expect(await summaryOf(stack, '--stack', 'prod')).toMatchInlineSnapshot(`
    "The stack prod would be made: 12 resources to create.
      code      Version 0.1.0+<digest>, <size>.
      users     The service answers at https://sync.example.com.
                No page in a browser may call the API yet (corsOrigins is empty). Apps outside a browser may.
      data      The KV namespace chronicle-sync-prod-metadata is created, for API tokens and configuration.
                The Worker with its objects, the namespace and the keys are protected from being destroyed.
                The Durable Object class Chronicle is created, empty, with SQLite storage.
                The Durable Object class Registry is created, empty, with SQLite storage.
                Secrets are made: admin token 1, master key 1, session key 1. The encrypted state of the stack has the only copy.
      cost      A new Worker, chronicle-sync-prod. Cloudflare bills its use: requests, rows written, stored bytes. Nothing here has a fixed price.
      other     The Worker is bound to: ANALYTICS chronicle_sync_prod, ASSETS static assets, AUTH_LIMIT 60 per 60 s, CHRONICLE Chronicle, CORS_ORIGINS [], ENTRY_NAMES clear, ENVIRONMENT production, FAILURE_LIMIT 60 per 60 s, JURISDICTION none, REGISTRY Registry, STACK prod, SYNC_LIMIT 600 per 60 s.
      policies  10 passed: assets-are-known, classes-keep-data, cors-names-origins, jurisdiction-stays, master-keys-stay, no-invocation-logs, production-logs, secrets-are-secret, stores-are-protected, workers-dev-is-closed"
  `)
})
