import { beforeAll, test } from 'vitest'
import type { UpResult } from '../../../infra/local/engine/up.ts'
import { formatText } from '../../../infra/operate/preview/format.ts'
import { localPlan } from '../../../infra/operate/preview/local-plan.ts'
import { summarize } from '../../../infra/operate/preview/summary.ts'
import { HOSTNAME, newProject, type Project } from '../../support/cloud/project.ts'

const PASSED = { policies: ['secrets-are-secret', 'master-keys-stay'], violations: [] }

/** Formats a preview as the terminal shows it. Replaces what differs between commits. */
function textOf(stack: string, result: UpResult): string {
  const plan = localPlan(stack, result, PASSED)
  return formatText({ summary: summarize(plan), details: plan.details, ownStack: undefined })
    .replaceAll(/\+[0-9a-f]{12}/g, '+<digest>')
    .replaceAll(/"[0-9a-f]{64}"/g, '"<sha256>"')
    .replaceAll(/\d+\.\d kB/g, '<size>')
}

function addCode({ edit }: Project): void {
  edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('changed')\n`)
}

const deployed = newProject()
beforeAll(async () => {
  await deployed.up('dev')
})

test.concurrent('says in a few lines that nothing changes', async ({ expect }) => {
  const project = newProject(deployed)
  expect(textOf('dev', await project.preview('dev'))).toMatchInlineSnapshot(`
    "Nothing would change in the stack dev: all 11 resources are as this checkout wants them.
      policies  2 passed: master-keys-stay, secrets-are-secret"
  `)
})

test.concurrent('shows a changed setting as one line with both values', async ({ expect }) => {
  const project = newProject(deployed)
  expect(textOf('dev', await project.preview('dev', { syncRequestsPerMinute: '30' }))).toMatchInlineSnapshot(`
    "The stack dev would change: 1 to update, 10 unchanged.
      code      no change
      users     Sync requests of a caller at one location: 600 per 60 s -> 30 per 60 s. Further ones get 429.
                A new version of the Worker rolls out: for some minutes old and new answer side by side, and open sockets may be cut once and reconnect.
      data      No Durable Object class changes. The engine shows the last migration as changed, because it is not sent again.
      cost      no change
      policies  2 passed: master-keys-stay, secrets-are-secret

    In the words of the engine:
    ~ cloudflare:index:WorkersScript  chronicle-sync-script  update
        ~ bindings.SYNC_LIMIT.simple.limit: 600 => 30
        - migrations: {"newTag":"v2","steps":[{"newSqliteClasses":["Chronicle"]},{"newSqliteClasses":["Registry"]}]}"
  `)
})

test.concurrent('shows a new binding as one line', async ({ expect }) => {
  const project = newProject(deployed)
  project.edit('worker/wrangler.toml', (text) => text.replace('[vars]', '[vars]\nREGION = "west"'))
  project.edit('infra/component/provision.ts', (text) =>
    text.replace('VERSION: artifact.version,', "$&\n      REGION: 'west',"),
  )
  expect(textOf('dev', await project.preview('dev'))).toMatchInlineSnapshot(`
    "The stack dev would change: 1 to update, 10 unchanged.
      code      no change
      users     A new version of the Worker rolls out: for some minutes old and new answer side by side, and open sockets may be cut once and reconnect.
      data      No Durable Object class changes. The engine shows the last migration as changed, because it is not sent again.
      cost      no change
      other     A new binding: REGION is west.
      policies  2 passed: master-keys-stay, secrets-are-secret

    In the words of the engine:
    ~ cloudflare:index:WorkersScript  chronicle-sync-script  update
        + bindings.REGION: {"name":"REGION","text":"west","type":"plain_text"}
        - migrations: {"newTag":"v2","steps":[{"newSqliteClasses":["Chronicle"]},{"newSqliteClasses":["Registry"]}]}"
  `)
})

test.concurrent('shows changed code as version and size', async ({ expect }) => {
  const project = newProject(deployed)
  addCode(project)
  expect(textOf('dev', await project.preview('dev'))).toMatchInlineSnapshot(`
    "The stack dev would change: 1 to update, 10 unchanged.
      code      Version 0.1.0+<digest> -> 0.1.0+<digest>, <size> (+25 bytes).
      users     A new version of the Worker rolls out: for some minutes old and new answer side by side, and open sockets may be cut once and reconnect.
      data      No Durable Object class changes. The engine shows the last migration as changed, because it is not sent again.
      cost      no change
      policies  2 passed: master-keys-stay, secrets-are-secret

    In the words of the engine:
    ~ cloudflare:index:WorkersScript  chronicle-sync-script  update
        ~ bindings.VERSION.text: "0.1.0+<digest>" => "0.1.0+<digest>"
        ~ contentSha256: "<sha256>" => "<sha256>"
        - migrations: {"newTag":"v2","steps":[{"newSqliteClasses":["Chronicle"]},{"newSqliteClasses":["Registry"]}]}"
  `)
})

test.concurrent('says what a migration does to a new class', async ({ expect }) => {
  const project = newProject(deployed)
  project.edit(
    'worker/src/index.ts',
    (text) => `${text}\nexport { Chronicle as Archive } from './objects/chronicle.ts'\n`,
  )
  project.edit('worker/wrangler.toml', (text) => {
    const binding = '[[durable_objects.bindings]]\nname = "ARCHIVE"\nclass_name = "Archive"\n\n'
    const migration = '\n[[migrations]]\ntag = "v3"\nnew_sqlite_classes = ["Archive"]\n'
    return text.replace('[[migrations]]', `${binding}[[migrations]]`).concat(migration)
  })
  expect(textOf('dev', await project.preview('dev'))).toMatchInlineSnapshot(`
    "The stack dev would change: 1 to update, 10 unchanged. 1 thing could not be undone: see below.
      code      Version 0.1.0+<digest> -> 0.1.0+<digest>, <size> (+14 bytes).
      users     A new version of the Worker rolls out: for some minutes old and new answer side by side, and open sockets may be cut once and reconnect.
      data      Cannot be undone: The migration tag moves: v2 -> v3. A checkout without v3 can no longer be deployed, so a rollback past it is refused.
                The Durable Object class Archive is created, empty, with SQLite storage.
                A new binding: ARCHIVE leads to the objects of the class Archive.
      cost      no change
      policies  2 passed: master-keys-stay, secrets-are-secret

    In the words of the engine:
    ~ cloudflare:index:WorkersScript  chronicle-sync-script  update
        + bindings.ARCHIVE: {"className":"Archive","name":"ARCHIVE","type":"durable_object_namespace"}
        ~ bindings.VERSION.text: "0.1.0+<digest>" => "0.1.0+<digest>"
        ~ contentSha256: "<sha256>" => "<sha256>"
        ~ migrations.newTag: "v2" => "v3"
        + migrations.oldTag: "v2"
        ~ migrations.steps[0].newSqliteClasses[0]: "Chronicle" => "Archive"
        - migrations.steps[1]: {"newSqliteClasses":["Registry"]}"
  `)
})

test.concurrent('says what a migration does to a renamed class', async ({ expect }) => {
  const project = newProject(deployed)
  project.edit('worker/src/index.ts', (text) => text.replace(/\bChronicle\b/, 'Chronicle as Space'))
  project.edit('worker/wrangler.toml', (text) => {
    const migration =
      '\n[[migrations]]\ntag = "v3"\nrenamed_classes = [{ from = "Chronicle", to = "Space" }]\n'
    return text.replace('class_name = "Chronicle"', 'class_name = "Space"').concat(migration)
  })
  expect(textOf('dev', await project.preview('dev'))).toMatchInlineSnapshot(`
    "The stack dev would change: 1 to update, 10 unchanged. 1 thing could not be undone: see below.
      code      Version 0.1.0+<digest> -> 0.1.0+<digest>, <size> (-4 bytes).
      users     A new version of the Worker rolls out: for some minutes old and new answer side by side, and open sockets may be cut once and reconnect.
      data      Cannot be undone: The migration tag moves: v2 -> v3. A checkout without v3 can no longer be deployed, so a rollback past it is refused.
                The Durable Object class Chronicle is renamed to Space. Its objects keep their ids and data. Only another migration could rename it back.
                The binding CHRONICLE follows the renamed class: Chronicle -> Space.
      cost      no change
      policies  2 passed: master-keys-stay, secrets-are-secret

    In the words of the engine:
    ~ cloudflare:index:WorkersScript  chronicle-sync-script  update
        ~ bindings.CHRONICLE.className: "Chronicle" => "Space"
        ~ bindings.VERSION.text: "0.1.0+<digest>" => "0.1.0+<digest>"
        ~ contentSha256: "<sha256>" => "<sha256>"
        ~ migrations.newTag: "v2" => "v3"
        + migrations.oldTag: "v2"
        - migrations.steps[0].newSqliteClasses: ["Chronicle"]
        + migrations.steps[0].renamedClasses: [{"from":"Chronicle","to":"Space"}]
        - migrations.steps[1]: {"newSqliteClasses":["Registry"]}"
  `)
})

test.concurrent('says what the first deployment of prod makes', async ({ expect }) => {
  expect(textOf('prod', await newProject().preview('prod', HOSTNAME))).toMatchInlineSnapshot(`
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
      policies  2 passed: master-keys-stay, secrets-are-secret

    In the words of the engine:
    + pulumi:pulumi:Stack  chronicle-sync-prod  create
    + chronicle-sync:index:ChronicleSync  chronicle-sync  create
    + chronicle:infra:MetadataStore  chronicle-sync  create
    + chronicle:infra:Credentials  chronicle-sync  create
    + chronicle:infra:Endpoint  chronicle-sync  create
    + cloudflare:index:WorkersKvNamespace  chronicle-sync-namespace  create
    + random:index:RandomBytes  chronicle-sync-admin-token  create
    + random:index:RandomBytes  chronicle-sync-master-key  create
    + random:index:RandomBytes  chronicle-sync-session-key  create
    + cloudflare:index:WorkersScript  chronicle-sync-script  create
    + cloudflare:index:WorkersCustomDomain  chronicle-sync-domain  create
    + cloudflare:index:WorkersScriptSubdomain  chronicle-sync-workers-dev  create"
  `)
})
